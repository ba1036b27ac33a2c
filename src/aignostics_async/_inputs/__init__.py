"""What a run is given: items (`_item`), each a slide (`_slide`) or files with URLs."""

from ._item import InputArtifact as InputArtifact, Item as Item, as_items as as_items
from ._slide import Slide as Slide
