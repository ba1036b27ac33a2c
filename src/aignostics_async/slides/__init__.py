"""Size and resolution of whole-slide images, and the file that stands for one."""

from ._find import find_slides
from ._packing import packed
from ._read import SlideInfo, read_slide

__all__ = ["SlideInfo", "find_slides", "packed", "read_slide"]
