"""Persons and cases in the texts of scanners' own formats: found there, and not seen where there are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from slide_files import read_slide
from vendor_files import write_bif, write_scn, write_trestle

from aignostics_async import Slide


@pytest.mark.parametrize(
    ("write", "name", "texts", "mpp", "kinds"),
    [
        (write_scn, "a.scn", {}, 0.5, []),
        (write_scn, "a.tif", {"barcode": "UzI0LTE="}, 0.5, ["case"]),
        (write_scn, "a.scn", {"name": "Mueller, Hans"}, 0.5, ["patient"]),
        (write_bif, "a.bif", {}, 0.465, ["label", "macro"]),
        (write_bif, "a.tif", {"barcode": "S24-1"}, 0.465, ["case", "label", "macro"]),
        (write_bif, "a.bif", {"user": "Jane Doe"}, 0.465, ["label", "macro", "patient"]),
        (write_trestle, "a.tif", {}, 0.5, []),
        (write_trestle, "a.tif", {"more": "Case ID=S24-1"}, 0.5, ["case"]),
        (write_trestle, "a.tif", {"more": "Comment=for Jane Doe"}, 0.5, ["patient"]),
    ],
)
async def test_the_texts_of_a_scanner(
    tmp_path: Path, write: Callable[..., Path], name: str, texts: dict[str, Any], mpp: float, kinds: list[str]
) -> None:
    info = await read_slide(Slide(write(tmp_path / name, **texts)))
    assert info.mpp_x == pytest.approx(mpp)
    assert list(info.identifying) == kinds
