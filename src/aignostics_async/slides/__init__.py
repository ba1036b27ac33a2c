"""What a slide is, decided by content: its files, resolution, completeness, and what identifies a person.

- `formats`: what a file is, and whether it is whole; `files`: which files are one slide.
- `privacy`: what may identify a person.
- `_search`: `find_slides`, and an account of what is left out.
- `_read`: what a slide says of itself; `_resolution`: which resolution counts; `_remarks`: warnings about it.
- `_openslide`, `_decoding`: what native readers make of it; `_thumbnail`: a small picture.
- `workers`: processes that read slides; `_reading`: `read_slide` and `read_slides`, which start them.
- `_packing`: one zip for a slide of several files; `_fingerprints`: whether a file changed or is a copy.
"""

from ._read import SlideInfo
from ._reading import read_slide, read_slides
from ._remarks import Remark
from ._search import FoundSlides, LeftOut, LeftOutReason, find_slides
from .privacy._identifying import IdentifyingKind, IdentifyingPolicy

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
