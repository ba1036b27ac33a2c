"""Formats of slides: what a file is, and whether all of its pixels are there.

- `_detection`: what a file is by its first bytes.
- `_tiff`, `_mirax`, `_dicom`, `_zipped`: the structure of a TIFF, a MIRAX slide, a DICOM file, a zip of them.
- `_tiff_directories`: the numbers and texts in the directories of a TIFF.
- `_archived`: files in a zip, read at any place.
- `_bounded`: files of any size, of which no more is read than a slide can need.
- `_ome`: what the OME description in a TIFF says.
- `_dicom_pixels`, `_dicom_frames`, `_raw_tiles`: whether tiles are there, and hold what they should.
"""
