"""Which files are one slide.

- `_members`: the files of a slide that was named; `_grouping`: which DICOM files are one slide.
- `_neighbours`: files of a series in the folders beside; `_missing_levels`: whether a level is missing.
- `_system_names`: names that are hidden, in the trash, or a system's own.
"""
