"""What in a slide may tell whose it is. Pure.

A scanner photographs the whole glass, with the label that has a name or a number of the patient's case on it,
and puts the picture into the file. DICOM files have the patient in their headers as well. All of it goes to
the store, and to the platform, with the slide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ...slides._series import DicomHeader
from ._findings import Finding, FindingKind

_PICTURES = {
    "label": "it holds a picture of its label",
    "macro": "it holds a picture of the whole glass, which may show the label",
}
_FLAVOURS = {"LABEL": "label", "OVERVIEW": "macro", "LOCALIZER": "macro"}
_PATIENT = "patient"
_REMEDY = "if it must not leave the house, anonymise a copy and submit that"


def exposed(pictures: Iterable[str], headers: Collection[DicomHeader] = ()) -> tuple[str, ...]:
    """Return what a slide exposes: `label`, `macro`, `patient`; by its pictures and its DICOM headers."""
    found = {name for name in pictures if name in _PICTURES}
    found |= {_FLAVOURS[header.flavour] for header in headers if header.flavour in _FLAVOURS}
    if any(header.names_patient for header in headers):
        found.add(_PATIENT)
    return tuple(sorted(found))


def privacy_warnings(slide: str, exposes: Collection[str]) -> Iterator[Finding]:
    """Give a warning for each thing that would leave the house with a slide."""
    for name, problem in (*_PICTURES.items(), (_PATIENT, "its DICOM header names the patient")):
        if name in exposes:
            yield Finding(FindingKind.PRIVACY, problem, _REMEDY, slide)
