"""What in a slide may identify a person, in every format, and what the policies make of it."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import pydicom
import pytest
import tifffile
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit
from slide_files import picture, read_slide, write_dicom, write_mirax, write_tiff

from aignostics_async import IdentifyingKind, IdentifyingPolicy, Slide, UsageError, find_slides
from aignostics_async.slides.formats._dicom import read_header
from aignostics_async.slides.formats._ome import metadata_file, ome_files, ome_resolution, other_names
from aignostics_async.slides.privacy import _dicom_identifying
from aignostics_async.slides.privacy._identifying import (
    as_policies,
    description_kinds,
    picture_kinds,
    says_something,
)
from aignostics_async.slides.privacy._person_names import mentions_person


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
        ({"PlacerOrderNumberImagingServiceRequest": "S24-1"}, ["case"]),
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
        ({"ConsultingPhysicianName": "Doe^J"}, ["case"]),
        ({"ContainerIdentifier": "Jane Doe"}, ["patient"]),
        ({"ProtocolName": "HE", "ContainerIdentifier": "S24-1-A"}, []),
        ({"ReasonForStudy": "MRN 4711223"}, ["patient"]),
        ({"DerivationDescription": "Patient: Doe"}, ["patient"]),
        ({"Manufacturer": "Helen Hanson Optics", "StudyDescription": "Victoria Blue"}, []),
        ({"PatientName": "Anonymized^Patient", "PatientID": "ANON-17"}, []),
        ({"SpecimenLabelInImage": "YES"}, ["label"]),
        ({"BurnedInAnnotation": "YES"}, ["label"]),
        ({"BurnedInAnnotation": "NO", "SpecimenLabelInImage": "NO"}, []),
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


async def test_sequences_and_private_elements_are_read(tmp_path: Path) -> None:
    specimen, preparation = pydicom.Dataset(), pydicom.Dataset()
    preparation.TextValue = "Jane Doe"
    specimen.SpecimenPreparationSequence = [preparation]
    (path,) = write_dicom(tmp_path, levels=1, SpecimenDescriptionSequence=[specimen])
    assert (await read_slide(Slide(path))).identifying == ("patient",)
    (path,) = write_dicom(tmp_path / "private", levels=1)
    for group, kind, value in [
        (0x0009, "LO", "Jane Doe"), (0x0009, "UN", b"Jane Doe"), (0x7FE1, "LO", "Jane Doe"),
        (0x5401, "LO", "Jane Doe"), (0x7053, "LO", "Jane Doe"),
        (0x0009, "UN", bytes(range(256)) + b"Doe^Jane"),
    ]:  # fmt: skip
        dataset = pydicom.dcmread(path)
        dataset.remove_private_tags()
        dataset.private_block(group, "VENDOR", create=True).add_new(1, kind, value)
        dataset.save_as(path)
        is_text = not isinstance(value, bytes) or value.isascii()
        assert (await read_slide(Slide(path))).identifying == (("patient",) if is_text else ())


@pytest.mark.parametrize(("kind", "kinds"), [("UT", ("patient",)), ("OB", ("patient",))])
def test_only_the_begin_of_a_text_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, kinds: tuple[str, ...]
) -> None:
    (path,) = write_dicom(tmp_path, levels=1)
    value = "Jane Doe".ljust(2_000_000, ".")
    dataset = pydicom.dcmread(path)
    dataset.private_block(0x0009, "VENDOR", create=True).add_new(
        1, kind, value.encode() if kind == "OB" else value
    )
    dataset.save_as(path)
    looked_at: list[int] = []

    def looks(text: object) -> bool:
        looked_at.append(len(str(text)))
        return says_something(text)

    monkeypatch.setattr(_dicom_identifying, "says_something", looks)
    assert read_header(path).identifying == kinds
    assert max(looked_at) <= 1_000_000


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("is_undefined_length", [True, False])
def test_elements_behind_those_of_tiles_are_read(
    tmp_path: Path, syntax: UID, is_undefined_length: bool
) -> None:
    (path,) = write_dicom(tmp_path, levels=1)
    dataset = pydicom.dcmread(path)
    tile = pydicom.Dataset()
    tile.FrameContentSequence = [pydicom.Dataset()]
    dataset.PerFrameFunctionalGroupsSequence = [tile] * 16
    dataset["PerFrameFunctionalGroupsSequence"].is_undefined_length = is_undefined_length
    dataset.private_block(0x7053, "VENDOR", create=True).add_new(1, "LO", "Jane Doe")
    if syntax != JPEGBaseline8Bit:
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset["PixelData"].is_undefined_length = False
        dataset.PixelData = bytes([200]) * (16 * 128 * 128 * 3)
        dataset["PixelData"].VR = "OW"
    dataset.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    assert read_header(path).identifying == ("patient",)


@pytest.mark.parametrize(
    ("name", "comment", "kinds"),
    [("{}", b"", []), ("Mueller_Anna/scans/{}", b"", ["name"]), ("{}", b"Patient = Doe", ["patient"])],
)
async def test_names_in_a_zip_and_its_comment_are_read(
    tmp_path: Path, name: str, comment: bytes, kinds: list[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in write_dicom(tmp_path):
            archive.write(path, name.format(path.name))
        archive.comment = comment
    assert list((await read_slide(Slide(tmp_path / "a.zip"))).identifying) == kinds


@pytest.mark.filterwarnings("ignore:Invalid value")
@pytest.mark.parametrize("flavour", ["LOCALIZER", "MACRO", "label", "OVERVIEW ", "PREVIEW"])
async def test_only_pictures_of_tissue_leave(tmp_path: Path, flavour: str) -> None:
    files = write_dicom(tmp_path, levels=2, flavours=[flavour])
    assert (await read_slide(Slide(files[0]))).files == tuple(files[:2])
    info = await read_slide(Slide(files[0], include_label=True))
    assert set(info.files) == set(files)


async def test_a_thumbnail_that_shows_the_label_stays(tmp_path: Path) -> None:
    files = write_dicom(tmp_path, levels=1, flavours=["THUMBNAIL", "THUMBNAIL"])
    dataset = pydicom.dcmread(files[2])
    dataset.SpecimenLabelInImage = "YES"
    dataset.save_as(files[2])
    assert (await read_slide(Slide(files[0]))).files == tuple(files[:2])


def _utf_16(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


@pytest.mark.parametrize(
    ("tag", "kind", "value", "kinds"),
    [
        (40091, 1, _utf_16("Jane Doe"), ["patient"]),
        (40092, 1, _utf_16("Case: S24-1"), ["case"]),
        (33723, 1, b"\x1c\x02\x78\x00\x08Jane Doe", ["patient"]),
        (34377, 7, b"8BIM\x04\x04Patient: Doe ", ["patient"]),
        (65000, 2, "PatientName=Doe", ["patient"]),
        (65000, 7, b"PatientName=Doe", ["patient"]),
        (50839, 1, b"IJIJinfo\0\0\0\x01" + "Patient: Doe".encode("utf-16-be"), ["patient"]),
        (37510, 7, b"ASCII\0\0\0Patient: Doe", ["patient"]),
        (65000, 7, bytes(range(256)) + b"Patient: Doe", []),
        (65427, 2, "S24-1", ["case"]),
        (65468, 2, "S24-1", ["case"]),
        (65427, 2, " ", []),
        (65449, 2, "Created=2012/01/01\nProduct=NanoZoomer\n", []),
        (65449, 2, "Barcode=S24-1\nProduct=NanoZoomer\n", ["case"]),
        (700, 1, b'<scan UserName="Jane Doe" Barcode1D=""/>', ["patient"]),
        (700, 1, b'<scan UserName="admin" Barcode1D="S24-1"/>', ["case"]),
        (700, 1, b'<scan UserName="admin" Barcode1D="" Barcode2D="N/A"/>', []),
        (270, 2, "Title = Hans Müller".encode("latin-1"), ["patient"]),
        (316, 2, "scanner-7", []),
        (271, 2, "Helen Hanson Optics", []),
        (270, 2, "Title = Jane Doe|AppMag = 40", ["patient"]),
        (270, 2, "Geburtsdatum = 12.03.1950", ["patient"]),
        (270, 2, "User = b414|Filename = CMU-1|Title = Liver, 40x", []),
    ],
)
async def test_every_text_of_a_tiff_is_read(
    tmp_path: Path, tag: int, kind: int, value: str | bytes, kinds: list[str]
) -> None:
    path = write_tiff(tmp_path / "a.tif", tags=[(tag, kind, len(value), value, True)])
    assert list((await read_slide(Slide(path))).identifying) == kinds


@pytest.mark.parametrize(("kind", "tag"), [(7, 65000), (2, 65000), (1, 700)])
@pytest.mark.parametrize(("before", "kinds"), [(0, ["patient"]), (1_000_000, [])])
async def test_the_first_megabyte_of_a_text_is_read(
    tmp_path: Path, kind: int, tag: int, before: int, kinds: list[str]
) -> None:
    """What is behind it is data, which no person was written into, and reading it takes time."""
    value = (b"-" * before + b"|Patient: Doe\n").ljust(1_100_000, b"-")
    path = write_tiff(tmp_path / "a.tif", tags=[(tag, kind, len(value), value, True)])
    assert list((await read_slide(Slide(path))).identifying) == kinds


@pytest.mark.parametrize(("text", "kinds"), [(b"Patient = Doe\0", ["patient"]), (b"ICC\0", []), (b"", [])])
async def test_the_exif_of_a_tiff_is_read_and_a_damaged_one_is_left(
    tmp_path: Path, text: bytes, kinds: list[str]
) -> None:
    path = write_tiff(tmp_path / "a.tif", tags=[(65000, 4, 1, 0, True)])
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages.first.tags[65000].offset
    content = path.read_bytes()
    pointer = struct.pack("<HHII", 34665, 4, 1, len(content))
    exif = struct.pack("<HHHIII", 1, 42032, 2, len(text), len(content) + 18, 0) + text if text else b""
    path.write_bytes(content[:place] + pointer + content[place + 12 :] + exif)
    assert list((await read_slide(Slide(path))).identifying) == kinds


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("SLIDE_NAME = Mueller Hans", ["patient"]),
        ("PROJECT_NAME = Doe, Jane", ["patient"]),
        ("SLIDE_BARCODE = S24-1", ["case"]),
        ("SLIDE_NAME = 1M01\nOBJECTIVE_NAME = Plan-Apochromat 20x/0.8", []),
    ],
)
async def test_the_texts_of_a_mirax_slide_are_read(tmp_path: Path, line: str, kinds: list[str]) -> None:
    path = write_mirax(tmp_path / "a.mrxs")
    index = tmp_path / "a" / "Slidedat.ini"
    index.write_text(index.read_text("utf-8").replace("[GENERAL]", f"[GENERAL]\n{line}"), "utf-8")
    assert list((await read_slide(Slide(path))).identifying) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Aperio|MPP = 0.5|User = b414|ImageID = 1004486|Filename = CMU-1", []),
        ("Aperio|Barcode = S24-1|Patient = Doe", ["case", "patient"]),
        ("Aperio|Barcode = |Patient = ", []),
        ("Aperio|Pat-Name = Doe", ["patient"]),
        ("Aperio|Family Name = Doe", ["patient"]),
        ("Aperio|患者名 = 山田", ["patient"]),
        ("Aperio|Пациент = Иванов", ["patient"]),
        ("Aperio|Patient = ANON-0012", []),
        ("<Key>PatientName</Key><Value>Doe</Value>", ["patient"]),
        ("<Key>PatientName</Key><Value></Value><Key>Stain</Key><Value>HE</Value>", []),
        ("<Key>Patient</Key><Value/><Key>Stain</Key>", []),
        ('<name>aperio.Barcode</name>\n <value type="VipsRefString">S24-1</value>', ["case"]),
        ("<PatientName></PatientName><Stain>HE</Stain>", []),
        ('{"shape": [1, 2], "patient_name": "Doe"}', ["patient"]),
        ('<Label Barcode="4711"/>', ["case"]),
        ("<Accession>S24-1</Accession>", ["case"]),
        (
            '<Attribute Name="PIM_DP_UFS_BARCODE" Group="0x301D" PMSVR="IString">NDcxMQ==</Attribute>',
            ["case"],
        ),
        ('<Attribute Name="PIM_DP_IMAGE_TYPE" PMSVR="IString">LABELIMAGE</Attribute>', ["label"]),
        ('<Attribute Name="PIM_DP_IMAGE_TYPE" PMSVR="IString">WSI</Attribute>', []),
        ("<barcode>MDQwNTA2</barcode>", ["case"]),
        ("<barcode></barcode><creationDate>2012</creationDate>", []),
        ("Case ID=S24-1;Objective Power=10", ["case"]),
        ("Pathologist = Smith|Slide Label = S24-1", ["case"]),
        ("Histo-Nr. = 1234/24", ["case"]),
        ("Patiënt = Jansen", ["patient"]),
        ("Paciente: Garcia", ["patient"]),
        ("Prénom = Jean", ["patient"]),
        ("Medical Record Number = 12", ["patient"]),
        ("Date of birth: 1970-01-01", ["patient"]),
        ("Pt ID: 4711", ["patient"]),
        ("Pacjent: Nowak", ["patient"]),
        ("患者：山田", ["patient"]),
        ("Accession #: S24-1", ["case"]),
        ("<OperatorName>jdoe</OperatorName>", ["case"]),
        ('{"patient": {"name": "Doe"}}', ["patient"]),
        ('{"patients": [{"id": 4711}]}', ["patient"]),
        ('{"patient": {}, "stain": "HE"}', []),
        ("<Patient>\n  <Name>Doe</Name>\n</Patient>", ["patient"]),
        ("<Patient><Name></Name></Patient><Stain>HE</Stain>", []),
        ("<Patient><Name/></Patient><Stain>HE</Stain>", []),
        ("impatient = 1|inpatients: 5", []),
        ("PatientIdentityRemoved = YES", []),
        ("Patient = anonymised", []),
    ],
)
def test_a_description(text: str, kinds: list[str]) -> None:
    assert sorted(set(description_kinds(text))) == kinds


def test_other_pictures_of_an_ome_description_have_names() -> None:
    description = (
        '<Image Name="HE"><Pixels SizeX="512" SizeY="512"/></Image><!-- <Image Name="no"> -->'
        '<Image Name="label image"><Pixels SizeX="64" SizeY="64"/></Image><Image Name="x"><Pixels/></Image>'
    )
    assert list(other_names(description, (512, 512))) == ["label image"]
    assert ome_resolution('<!-- <Pixels PhysicalSizeX="1" PhysicalSizeY="1"/> --><Pixels/>') is None


@pytest.mark.long
def test_a_long_description_takes_no_time() -> None:
    assert list(other_names('<Image Name="x">' * 100_000, (1, 1))) == []
    assert list(other_names("<!-- " * 100_000, (1, 1))) == []
    assert list(description_kinds("patient " * 200_000)) == []
    assert list(description_kinds("<Patient>\n<" * 90_000)) == []
    assert list(description_kinds("barcode=" + "x" * 1_000_000)) == []
    assert set(description_kinds("patient=" + "x" * 150 + "!b")) == {"patient"}
    assert set(description_kinds("patient=" + "anon" * 40 + "!b")) == {"patient"}
    assert not mentions_person("x" * 300_000)
    assert ome_files("<UUID " * 100_000) == []
    assert ome_files("<Pixels>" * 20_000 + "<UUID " * 100_000) == []
    assert metadata_file("<BinaryOnly " * 100_000) is None
    assert ome_resolution("<Pixels " * 100_000) is None
    assert ome_resolution("<Pixels " + "x" * 100_000 + ">") is None


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
        ("label", (128, 128), ["label"]),
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
