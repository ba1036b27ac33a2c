"""What in a slide, and in the names around it, may identify a person. Pure.

- `_identifying`: pictures, headers and descriptions; `_dicom_identifying`: the elements of a DICOM header.
- `_person_names`: names of files and folders that look like a person's; `_name_lists`: words it knows.
- `_texts_within`: texts in bytes whose type says nothing of them.
"""
