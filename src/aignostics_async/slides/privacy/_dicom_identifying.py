"""What a DICOM header says of a person, in whatever element or sequence of it. Pure."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from attrs import frozen

from ._identifying import IdentifyingKind, description_kinds, says_something
from ._person_names import mentions_person
from ._texts_within import decoded, texts_within

_PATIENT_FIELDS = frozenset(
    {
        "PatientName", "PatientID", "PatientBirthDate", "PatientBirthDateInAlternativeCalendar",
        "PatientTelecomInformation", "OtherPatientIDs", "OtherPatientIDsSequence", "OtherPatientNames",
        "PatientBirthName", "PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers",
        "MedicalRecordLocator", "PatientComments", "AdditionalPatientHistory", "ResponsiblePerson",
    }
)  # fmt: skip
_CASE_FIELDS = frozenset(
    {
        "AccessionNumber", "BarcodeValue", "LabelText", "AdmissionID", "SpecimenAccessionNumber",
        "FillerOrderNumberImagingServiceRequest", "PlacerOrderNumberImagingServiceRequest",
    }
)  # fmt: skip
_FLAVOURS = {
    "LABEL": IdentifyingKind.LABEL,
    "OVERVIEW": IdentifyingKind.MACRO,
    "LOCALIZER": IdentifyingKind.MACRO,
    "MACRO": IdentifyingKind.MACRO,
}
_LABEL_IN_PICTURE = ("SpecimenLabelInImage", "BurnedInAnnotation")
_TEXTS = frozenset({"LO", "SH", "ST", "LT", "UC", "UN", "UT"})
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
_ITEM, _ESCAPE = b"\xfe\xff\0\xe0", b"\x1b"
_MAX_TEXT = 1_000_000  # bytes of a text that are looked at
# Names of makers and hospitals, and words of code systems: they look like persons' at times.
_NO_PERSONS = frozenset(
    {
        "Manufacturer", "ManufacturerModelName", "InstitutionName", "InstitutionAddress",
        "InstitutionalDepartmentName", "SoftwareVersions", "CodeMeaning", "CodeValue",
    }
)  # fmt: skip
# What stands for a name where headers say that they were anonymised.
_PSEUDONYM = re.compile(r"[a-z]{0,12}[-_ ^]*\d[\w.^-]*", re.IGNORECASE)


def dicom_kinds(header: Any) -> tuple[IdentifyingKind, ...]:
    """Return what a DICOM header says of a person, whatever it says about having been anonymised.

    Where it says so, an id of the patient counts as a pseudonym.
    """
    parts = [header, getattr(header, "file_meta", None) or {}]
    found = {kind for part in parts for element in _elements(part) for kind in _kinds(element)}
    for text in texts_within(getattr(header, "preamble", None) or b""):
        found |= set(_kinds(_Element("", "UN", text)))
    is_removed = str(header.get("PatientIdentityRemoved", "")).upper() == "YES"
    name = str(header.get("PatientName") or "")
    if says_something(name) and not (is_removed and _PSEUDONYM.fullmatch(name)):
        found.add(IdentifyingKind.PATIENT)
    if not is_removed and says_something(header.get("PatientID")):
        found.add(IdentifyingKind.PATIENT)
    kind = [*image_type_of(header), "", "", ""][2]
    if kind in _FLAVOURS:
        found.add(_FLAVOURS[kind])
    if any(str(header.get(name, "")).upper() == "YES" for name in _LABEL_IN_PICTURE):
        found.add(IdentifyingKind.LABEL)
    return tuple(sorted(found))


def image_type_of(header: Any) -> list[str]:
    """Return the values of ImageType in upper case, as the standard writes them."""
    values = header.get("ImageType") or ()
    return [str(each).strip().upper() for each in ([values] if isinstance(values, str) else values)]


@frozen
class _Element:
    """An element with its value unchanged: converting it would warn of what the standard forbids."""

    keyword: str
    type: str
    text: str


def _elements(header: Any, *, is_nested: bool = False) -> Iterator[_Element]:
    """Give the elements of a header and of its sequences, but for the patient's own name and id."""
    from pydicom.datadict import dictionary_VR, keyword_for_tag

    encodings = _encodings(header)
    for tag in list(header.keys()):
        element, keyword = header.get_item(tag), keyword_for_tag(tag)
        kind = element.VR or (dictionary_VR(tag) if keyword else "UN")
        if kind == "SQ":
            parts = list(_parts(header, tag))
            yield _Element(keyword, kind, "there" if parts else "")
            for part in parts:
                yield from _elements(part, is_nested=True)
        elif kind in _BINARY or kind == "UN":
            if tag.is_private or kind == "UN" or keyword == "PrivateInformation":
                yield from _within(keyword, element.value)
        elif is_nested or keyword not in ("PatientName", "PatientID"):
            yield _Element(keyword, kind, _text(element.value, encodings))


def _parts(header: Any, tag: Any) -> Iterator[Any]:
    with suppress(Exception):  # a sequence that can't be read names nobody
        yield from header[tag].value


def _within(keyword: str, value: object) -> Iterator[_Element]:
    """Give the elements and texts in a value of unknown type: programs keep private sequences so."""
    from pydicom.filereader import read_sequence

    if isinstance(value, bytes) and value.startswith(_ITEM):
        with suppress(Exception):  # bytes that are no sequence
            for part in read_sequence(
                io.BytesIO(value),
                is_implicit_VR=True,
                is_little_endian=True,
                bytelength=len(value),
                encoding="latin-1",
            ):
                yield from _elements(part, is_nested=True)
    yield _Element(keyword, "UN", _plain(value))
    if isinstance(value, bytes):
        yield from (_Element(keyword, "UN", text) for text in texts_within(value[:_MAX_TEXT]))


def _encodings(header: Any) -> list[str]:
    """Return how texts are written where the header says so."""
    from pydicom.charset import convert_encodings

    with suppress(Exception), warnings.catch_warnings(action="ignore"):
        return convert_encodings(header.get("SpecificCharacterSet") or "")
    return []


def _text(value: object, encodings: Sequence[str] = ()) -> str:
    """Return a text, in each way that it can be read where its header may be wrong about it."""
    if not isinstance(value, bytes):
        return "" if value is None else str(value)
    value = value[:_MAX_TEXT]
    text = decoded(value).strip("\0 ")
    if encodings and not (value.isascii() and _ESCAPE not in value):
        from pydicom.charset import decode_bytes

        with suppress(Exception), warnings.catch_warnings(action="ignore"):
            return f"{text}\n{decode_bytes(value, encodings, set())}"
    return text


def _plain(value: object) -> str:
    """Return a value of unknown type if all of it is text: other bytes look like letters at times."""
    text = _text(value).strip("\0 ")
    return text if text.replace("\r", "").replace("\n", "").replace("\t", "").isprintable() else ""


def _kinds(element: _Element) -> Iterator[IdentifyingKind]:
    """Give what one element says of a person."""
    if not says_something(element.text):
        return
    if element.keyword in _PATIENT_FIELDS:
        yield IdentifyingKind.PATIENT
    elif element.type == "PN" or element.keyword in _CASE_FIELDS:
        yield IdentifyingKind.CASE
    elif element.type in _TEXTS and element.keyword not in _NO_PERSONS:
        yield from description_kinds(element.text)
        if mentions_person(element.text):
            yield IdentifyingKind.PATIENT
