"""One slide of a job, as a folder, a list or a manifest names it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from ...._inputs import Slide
from ....submission._metadata_cells import CellReader
from ...database._commands import NewItem
from ...database._states import ItemState

NO_CELLS: Mapping[str, str] = {}
CUSTOM_METADATA = "custom_metadata."
"""What the names of columns begin with that the platform keeps with the item, and does not analyse."""
_FLAGS = ("is_rejected", "include_label", "is_pseudonym")
NOTHING: Mapping[str, Any] = {}


@frozen(kw_only=True)
class SlideEntry:
    """A slide that was found, and what is said of it beside what its file says."""

    path: str
    """Absolute, and with the links that led to it."""
    reference: str
    mpp: tuple[float, float] | None = None
    """Its resolution in µm per pixel, where its file has none."""
    mpp_source: Literal["file", "given"] | None = None
    """Which resolution is right where the two differ."""
    files: tuple[str, ...] = ()
    """The files of its DICOM series, where a search has found them."""
    include_label: bool = False
    """Whether the pictures of its label in a DICOM series are sent, too."""
    is_pseudonym: bool = False
    """Whether its reference is a pseudonym, so that no name may leave."""
    cells: Mapping[str, str] = field(default=NO_CELLS)
    """Metadata as it was written, by the names of columns. The version's schema says what it means."""
    line: int | None = None
    """Its line in the manifest."""
    is_rejected: bool = False
    """Whether it is a line, a file or a folder that could not be taken, named by `path` and `reference`."""

    @property
    def slide(self) -> Slide:
        """The slide, to be read."""
        return Slide(
            self.path,
            mpp=self.mpp,
            mpp_source=self.mpp_source,
            files=tuple(map(Path, self.files)),
            include_label=self.include_label,
        )

    @property
    def artifact_cells(self) -> Mapping[str, str]:
        """The cells that are metadata of the slide's file."""
        return {name: cell for name, cell in self.cells.items() if not name.startswith(CUSTOM_METADATA)}

    @property
    def item_metadata(self) -> dict[str, Any] | None:
        """The custom metadata of its item; None if no cell says any."""
        cells = {
            name.removeprefix(CUSTOM_METADATA): cell
            for name, cell in self.cells.items()
            if name.startswith(CUSTOM_METADATA)
        }
        return CellReader({}, None).read(cells) or None

    def as_item(
        self, turn: int, state: ItemState = ItemState.FOUND, columns: Mapping[str, Any] = NOTHING
    ) -> NewItem:
        """Return it as it is taken into a job's database, with what is known of it."""
        return NewItem(
            reference=self.reference,
            path=self.path,
            shuffle_key=turn,
            overrides=self.overrides(),
            state=state,
            columns=columns,
        )

    def overrides(self) -> dict[str, Any]:
        """Return what is said of it, as it is kept in the database, for `from_row`."""
        told: dict[str, Any] = {}
        if self.mpp is not None:
            told["mpp"] = list(self.mpp)
        if self.mpp_source is not None:
            told["mpp_source"] = self.mpp_source
        if self.files:
            told["files"] = list(self.files)
        for flag in _FLAGS:
            if getattr(self, flag):
                told[flag] = True
        if self.cells:
            told["cells"] = dict(self.cells)
        return told

    @classmethod
    def from_row(cls, reference: str, path: str, overrides: Mapping[str, Any]) -> SlideEntry:
        """Return the entry that an item of the database was made from."""
        mpp = tuple(overrides["mpp"]) if "mpp" in overrides else None
        return cls(
            path=path,
            reference=reference,
            mpp=mpp,
            mpp_source=overrides.get("mpp_source"),
            files=tuple(overrides.get("files", ())),
            cells=overrides.get("cells", NO_CELLS),
            **{flag: overrides.get(flag, False) for flag in _FLAGS},
        )
