"""Twelve ways in which a person stands in a slide, its folder or its name, and none on clean ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from slide_files import read_slide, write_dicom, write_tiff

from aignostics_async import find_slides
from aignostics_async.slides.privacy._person_names import is_person

WAYS: dict[str, Callable[[Path], object]] = {
    "a folder": lambda to: write_tiff(made(to / "Müller, Anna") / "a.tiff"),
    "a folder as DICOM writes names": lambda to: write_dicom(to / "DOE^JANE"),
    "a file": lambda to: write_tiff(to / "schmidt_peter_HE.tiff"),
    "a file with a date of birth": lambda to: write_tiff(to / "B12 geb 03.04.1951.tiff"),
    "a file with a word before it": lambda to: write_tiff(to / "patient-kowalczyk-2.tiff"),
    "a file of a series": lambda to: write_dicom(to, name="JaneDoe{}.dcm"),
    "PatientName": lambda to: write_dicom(to, PatientName="Doe^Jane"),
    "OtherPatientNames": lambda to: write_dicom(to, OtherPatientNames="Doe^Jane"),
    "the text of a label": lambda to: write_dicom(to, LabelText="Jane Doe 4711"),
    "a vendor's description": lambda to: write_tiff(
        to / "a.svs", description="Aperio Image Library v12\r\n512x512|MPP = 0.5|Patient = Doe, Jane"
    ),
    "OME-XML": lambda to: write_tiff(
        to / "a.ome.tiff",
        description='<?xml version="1.0"?><OME><StructuredAnnotations><MapAnnotation><Value>'
        '<M K="Patient name">Jane Doe</M></Value></MapAnnotation></StructuredAnnotations></OME>',
    ),
    "the title of a TIFF": lambda to: write_tiff(to / "a.tiff", tags=[(269, 2, 0, "Doe, Jane", True)]),
}


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_is_found(tmp_path: Path, way: str) -> None:
    folder = made(tmp_path / "slides")
    WAYS[way](folder)
    (slide,) = find_slides(folder)
    assert (await read_slide(slide)).identifying != ()


CLEAN = (
    "CMU-1.svs", "TCGA-02-0001-01Z-00-DX1.83fce43e.svs", "S26-000123-A1", "lung_biopsy_HE_2024-03-01.ndpi",
    "Leica_Scan_20231105", "IHC Ki67 40x", "breast-cancer-0012", "IM0003", "slide_001", "case-7", "P-17",
    "Normal Colon 3", "Max_Projection", "Rose Bengal", "Test Slide", "Hamamatsu-1.vms", "control_group_b",
    "2023.11.05 10.22.33", "PAS Diastase", "Masson Goldner", "van_Gieson", "patient_17", "Patients",
    "JP2K-33003-1", "Helicobacter pylori", "Elastica", "batch 12", "Aperio AT2", "patient-id-0042",
    "Congo Red", "CD3 CD8 PDL1", "19850", "3DHISTECH-2.mrxs", "Alcian Blue", "Gomori Trichrome", "DR Panel",
    "dr_slides",
)  # fmt: skip


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_name_is_no_person_s(name: str) -> None:
    assert not is_person(name)


@pytest.mark.parametrize(
    "name",
    [
        "Anna_Schmidt", "SCHMIDT ANNA", "schmidt-anna-2", "AnnaSchmidt", "Frau Yilmaz", "Doe^Jane",
        "Meier-Schulz, Renate.svs", "MRN 0047112", "dob_1951", "1951-04-03", "03.04.1951 HE", "Nowak, Ewa",
        "Nachname=Yilmaz", "Patient Yilmaz", "Dr. Weber", "Dr Weber", "Frau Dr. Yilmaz",
        "Max Mustermann", "José García", "Mehmet Öztürk",
    ],
)  # fmt: skip
def test_a_name_is_a_person_s(name: str) -> None:
    assert is_person(name)


@pytest.mark.parametrize(
    "name",
    [
        "paciente_garcia", "Paziente Rossi", "Pasient-Hansen 2", "пациент Иванов", "Иванов Иван Петрович HE",
        "患者山田太郎", "姓名_王小明", "환자 김철수",
    ],
)  # fmt: skip
def test_a_word_of_any_language_introduces_a_person(name: str) -> None:
    assert is_person(name)


@pytest.mark.parametrize(
    "name", ["患者", "пациент_1", "печень 40x", "paciente 12", "hasta 2024", "биопсия основна", "Leber HE"]
)
def test_such_a_word_alone_is_no_person(name: str) -> None:
    assert not is_person(name)
