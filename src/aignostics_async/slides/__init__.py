"""What a slide is, decided by content: its files, resolution, completeness, and what identifies a person.

- `_formats`: what a file is by its first bytes; `_tiff`, `_dicom`, `_zipped`: the structure of three formats.
- `_members`: the files that a slide consists of; `_grouping`: which DICOM files are one slide.
- `_search`: `find_slides`, and an account of what is left out.
- `_read`: what a slide says of itself; `_remarks`: warnings about it; `_openslide`: opens a slide.
- `_resolution`: which resolution counts; `_ome`: what an OME description says.
- `_identifying`: pictures, headers and descriptions that may identify a person.
- `_prober`: reads slides in worker processes, because native readers may crash or hang; `_worker`: their
  program; `_probed_slide`: what they return; `_reading`: `read_slide` and `read_slides`, which start them.
- `_packing`: one zip for a slide of several files; `_thumbnail`: a small picture.
"""

from ._identifying import IdentifyingKind, IdentifyingPolicy
from ._read import SlideInfo
from ._reading import read_slide, read_slides
from ._remarks import Remark
from ._search import FoundSlides, LeftOut, LeftOutReason, find_slides

__all__ = [
    "FoundSlides",
    "IdentifyingKind",
    "IdentifyingPolicy",
    "LeftOut",
    "LeftOutReason",
    "Remark",
    "SlideInfo",
    "find_slides",
    "read_slide",
    "read_slides",
]
