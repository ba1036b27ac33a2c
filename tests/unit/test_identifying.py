"""What in a slide may identify a person, in every format, and what the policies make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from slide_files import picture, write_dicom, write_tiff

from aignostics_async import IdentifyingKind, IdentifyingPolicy, Slide, UsageError, find_slides, read_slide
from aignostics_async.slides._identifying import as_policies, description_kinds, picture_kinds


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({}, []),
        ({"PatientName": "Doe^Jane"}, ["patient"]),
        ({"PatientID": "4711"}, ["patient"]),
        ({"PatientBirthDate": "19700101"}, ["patient"]),
        ({"OtherPatientIDs": "4711"}, ["patient"]),
        ({"AccessionNumber": "S24-1"}, ["case"]),
        ({"BarcodeValue": "4711"}, ["case"]),
        ({"LabelText": "Doe 4711"}, ["case"]),
        ({"PatientName": "Doe^Jane", "PatientIdentityRemoved": "YES"}, ["patient"]),
        ({"PatientID": "P-17", "PatientIdentityRemoved": "YES"}, []),
        ({"PatientName": "Anonymous^", "PatientIdentityRemoved": "YES"}, []),
        ({"PatientName": "^^^^", "PatientID": ""}, []),
        ({"PatientName": "ANON-17", "PatientIdentityRemoved": "YES"}, []),
        ({"StudyDescription": "Breast, left, for Jane Doe"}, ["patient"]),
        ({"StudyDescription": "Breast, Left", "SeriesDescription": "HE 40x"}, []),
        ({"OperatorsName": "Doe^J"}, ["case"]),
        ({"PatientName": "Doe", "LabelText": "x"}, ["patient"]),
    ],
)
async def test_a_dicom_header(tmp_path: Path, fields: dict[str, Any], kinds: list[str]) -> None:
    write_dicom(tmp_path, levels=1, **fields)
    (slide,) = find_slides(tmp_path)
    assert list((await read_slide(slide)).identifying) == kinds


async def test_what_was_replaced_in_a_header_is_found(tmp_path: Path) -> None:
    before, kept = pydicom.Dataset(), pydicom.Dataset()
    before.PatientName = "Doe^Jane"
    kept.ModifiedAttributesSequence = [before]
    write_dicom(tmp_path, levels=1, PatientName="", OriginalAttributesSequence=[kept])
    (slide,) = find_slides(tmp_path)
    assert (await read_slide(slide)).identifying == ("patient",)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Aperio|MPP = 0.5|User = b414|ImageID = 1004486|Filename = CMU-1", []),
        ("Aperio|Barcode = S24-1|Patient = Doe", ["case", "patient"]),
        ("Aperio|Barcode = |Patient = ", []),
        ('{"shape": [1, 2], "patient_name": "Doe"}', ["patient"]),
        ('<Label Barcode="4711"/>', ["case"]),
        ("<Accession>S24-1</Accession>", ["case"]),
        (
            '<Attribute Name="PIM_DP_UFS_BARCODE" Group="0x301D" PMSVR="IString">NDcxMQ==</Attribute>',
            ["case"],
        ),
        ("Date of birth: 1970-01-01", ["patient"]),
        ("impatient = 1|inpatients: 5", []),
        ("PatientIdentityRemoved = YES", []),
        ("Patient = anonymised", []),
    ],
)
def test_a_description(text: str, kinds: list[str]) -> None:
    assert sorted(set(description_kinds(text))) == kinds


def test_a_long_description_takes_no_time() -> None:
    assert list(description_kinds("patient " * 200_000)) == []
    assert list(description_kinds("barcode=" + "x" * 1_000_000)) == []


def test_names_of_pictures() -> None:
    assert list(picture_kinds(["label", "macro", "thumbnail", "Barcode 1", "Overview"])) == [
        "label", "macro", "label", "macro"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.svs", "a.tif", "a.ome.tiff", "a"])
@pytest.mark.parametrize(
    ("words", "size", "kinds"),
    [
        ("label 300x200", (300, 200), ["label"]),
        ("macro 600x200", (600, 200), ["macro"]),
        ('<Image Name="label image"/>', (300, 200), ["label"]),
        ("", (300, 100), ["macro"]),
        ("", (128, 128), []),
        ("thumbnail", (130, 128), []),
    ],
)
async def test_pictures_beside_the_slide(
    tmp_path: Path, name: str, words: str, size: tuple[int, int], kinds: list[str]
) -> None:
    path = write_tiff(tmp_path / name, extra=[(picture(*size), words)])
    assert list((await read_slide(Slide(path))).identifying) == kinds


def test_policies() -> None:
    warn, refuse, allow = IdentifyingPolicy.WARN, IdentifyingPolicy.REFUSE, IdentifyingPolicy.ALLOW
    assert set(as_policies("refuse").values()) == {refuse}
    assert as_policies({"label": "allow", "patient": "refuse"}) == {
        IdentifyingKind.LABEL: allow,
        IdentifyingKind.MACRO: warn,
        IdentifyingKind.PATIENT: refuse,
        IdentifyingKind.CASE: warn,
        IdentifyingKind.NAME: warn,
    }
    assert as_policies(None) == {**dict.fromkeys(IdentifyingKind, warn), IdentifyingKind.PATIENT: refuse}
    for wrong in ("never", {"face": "warn"}, {"label": "no"}, 3):
        with pytest.raises(UsageError, match="identifying is one of warn, refuse, allow"):
            as_policies(wrong)  # type: ignore[arg-type]
