"""What in a slide may tell whose it is."""

from __future__ import annotations

import pytest

from aignostics_async.bulk.preflight._privacy import exposed, privacy_warnings
from aignostics_async.slides._series import DicomHeader


@pytest.mark.parametrize(
    ("pictures", "headers", "told"),
    [
        ((), (), ()),
        (("thumbnail",), (), ()),
        (("label", "thumbnail"), (), ("label",)),
        (("macro", "label"), (), ("label", "macro")),
        ((), (("VOLUME", False), ("THUMBNAIL", False)), ()),
        ((), (("VOLUME", False), ("LABEL", False)), ("label",)),
        ((), (("OVERVIEW", False),), ("macro",)),
        ((), (("VOLUME", True), ("VOLUME", False)), ("patient",)),
        (("label",), (("LABEL", True),), ("label", "patient")),
    ],
)
def test_what_is_exposed(
    pictures: tuple[str, ...], headers: tuple[tuple[str, bool], ...], told: tuple[str, ...]
) -> None:
    read = [DicomHeader("1.2.3", flavour, names_patient=named) for flavour, named in headers]
    assert exposed(pictures, read) == told


def test_each_exposure_is_a_warning_of_its_own() -> None:
    problems = {
        name: [w.problem for w in privacy_warnings("a.svs", (name,))]
        for name in ("label", "macro", "patient")
    }
    assert problems == {
        "label": ["it holds a picture of its label"],
        "macro": ["it holds a picture of the whole glass, which may show the label"],
        "patient": ["its DICOM header names the patient"],
    }
    warnings = list(privacy_warnings("a.svs", ("patient", "label")))
    assert [warning.slide for warning in warnings] == ["a.svs", "a.svs"]
    assert list(privacy_warnings("a.svs", ())) == []
