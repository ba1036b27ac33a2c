"""The emulated applications, in words of the emulator's own.

Two with two versions each and different metadata schemas are offered by every contract. Two more are listed
by contract 1.8 alone, because what the reference contract lists is fixed: one whose schema has the form of
the real Atlas H&E-TME, and one that takes two slides per item.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

_RELEASED = "2026-01-15T09:00:00Z"
_CHECKSUM = {"type": "string", "pattern": "^[A-Za-z0-9+/]{6}==$"}
_PIXELS = {"type": "integer", "minimum": 1, "maximum": 300_000}
_MPP = {"type": "number", "minimum": 0.05, "maximum": 5}
_DRAFT_7 = "http://json-schema.org/draft-07/schema#"
_DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


@frozen
class DeclaredArtifact:
    """An input or output artifact of a version."""

    name: str
    media_type: str
    metadata_schema: dict[str, Any] = field(repr=False)


@frozen
class OfferedVersion:
    """One version of an application."""

    application_id: str
    number: str
    changelog: str
    inputs: tuple[DeclaredArtifact, ...]
    outputs: tuple[DeclaredArtifact, ...]
    released_at: str = _RELEASED

    @property
    def id(self) -> str:
        """The application and the number in one text."""
        return version_id(self.application_id, self.number)


@frozen
class OfferedApplication:
    """An application with its versions, the oldest first."""

    id: str
    name: str
    description: str
    versions: tuple[OfferedVersion, ...]
    is_in_reference: bool = True
    """Whether the reference contract offers it, too."""
    regulatory_classes: tuple[str, ...] = ("RuO",)


def version_id(application_id: str, number: str) -> str:
    """Return the id of a version, such as `he-tme:v1.0.0`."""
    return f"{application_id}:v{number}"


def find_application(application_id: str) -> OfferedApplication | None:
    """Return the application with an id, or None."""
    return next((each for each in APPLICATIONS if each.id == application_id), None)


def find_version(wanted: str) -> OfferedVersion | None:
    """Return the version with an id, or None."""
    return _VERSIONS.get(wanted)


def _object(draft: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "$schema": draft,
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": sorted(required),
        "additionalProperties": False,
    }


def _slide_of(checksum: str) -> dict[str, Any]:
    facts = {"width_px": _PIXELS, "height_px": _PIXELS, "resolution_mpp": _MPP}
    return _object(_DRAFT_7, {checksum: _CHECKSUM, **facts})


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_OUTPUT_METADATA = _object(
    _DRAFT_2020,
    {"checksum_base64_crc32c": _CHECKSUM, "media_type": {"type": "string"}},
    {"resolution_mpp": {"type": "number"}},
)
_OUTPUTS = (
    DeclaredArtifact("tissue_qc:tiff_heatmap", "image/tiff", _OUTPUT_METADATA),
    DeclaredArtifact("tissue_qc:geojson_polygons", "application/geo+json", _OUTPUT_METADATA),
    DeclaredArtifact("readout_generation:csv_class_areas", "text/csv", _OUTPUT_METADATA),
)
_PICTURE = DeclaredArtifact("tissue_qc:png_thumbnail", "image/png", _OUTPUT_METADATA)

_DISEASES = {
    "BREAST_CANCER": "BREAST",
    "LUNG_CANCER": "LUNG",
    "COLORECTAL_CANCER": "COLON",
    "BLADDER_CANCER": "BLADDER",
    "LIVER_CANCER": "LIVER",
    "PROSTATE_CANCER": "PROSTATE",
    "PANCREATIC_CANCER": "PANCREAS",
    "STOMACH_CANCER": "STOMACH",
    "OVARIAN_CANCER": "OVARY",
}
_SPREAD = ("LYMPH_NODE", "LIVER", "BONE", "BRAIN", "OTHER")


def _specimen(disease: str) -> dict[str, Any]:
    tissues = sorted({_DISEASES.get(disease, "OTHER"), *_SPREAD})
    return {
        "type": "object",
        "properties": {
            "disease": {"type": "string", "const": disease},
            "tissue": {"type": "string", "enum": tissues, "default": "OTHER"},
        },
        "required": ["disease"],
        "additionalProperties": False,
    }


_ATLAS_SLIDE: dict[str, Any] = {
    "type": "object",
    "title": "Slide Schema",
    "$defs": {disease.title(): _specimen(disease) for disease in (*_DISEASES, "OTHER")},
    "required": ["checksum_base64_crc32c", "staining_method", "specimen"],
    "properties": {
        "checksum_base64_crc32c": {"type": "string"},
        "staining_method": {"type": "string", "const": "H&E"},
        "specimen": {"anyOf": [{"$ref": f"#/$defs/{name.title()}"} for name in (*_DISEASES, "OTHER")]},
        "media_type": _or_null(
            {
                "type": "string",
                "enum": ["application/dicom", "image/tiff", "application/octet-stream", "application/zip"],
            }
        ),
        "resolution_mpp": _or_null({"type": "number", "minimum": 0.08, "maximum": 0.55}),
        "width_px": _or_null({"type": "integer", "minimum": 1}),
        "height_px": _or_null({"type": "integer", "minimum": 1}),
    },
    "additionalProperties": False,
}

APPLICATIONS = (
    OfferedApplication(
        "he-tme",
        "Tissue quality control (emulated)",
        "Finds tissue in a thumbnail and measures it. Not for any medical use.",
        (
            OfferedVersion(
                "he-tme",
                "1.0.0",
                "First release.",
                (
                    DeclaredArtifact(
                        "slide",
                        "image/tiff",
                        _object(
                            _DRAFT_7,
                            {
                                "checksum_base64_crc32c": _CHECKSUM,
                                "width": _PIXELS,
                                "height": _PIXELS,
                                "width_mpp": _MPP,
                                "height_mpp": _MPP,
                            },
                        ),
                    ),
                ),
                _OUTPUTS,
            ),
            OfferedVersion(
                "he-tme",
                "1.1.0",
                "Takes stain and specimen, and gives a picture of each slide.",
                (
                    DeclaredArtifact(
                        "input_slide",
                        "image/tiff",
                        {
                            **_object(
                                _DRAFT_2020,
                                {
                                    "checksum_base64_crc32c": _CHECKSUM,
                                    "width_px": _PIXELS,
                                    "height_px": _PIXELS,
                                    "resolution_mpp": _MPP,
                                    "media_type": {
                                        "enum": ["image/tiff", "application/zip", "application/octet-stream"]
                                    },
                                },
                                {
                                    "staining_method": {"enum": ["H&E", "IHC"]},
                                    "specimen": {"$ref": "#/$defs/specimen"},
                                },
                            ),
                            "$defs": {
                                "specimen": _object(
                                    _DRAFT_2020,
                                    {"tissue": {"enum": ["BREAST", "COLON", "LUNG", "SKIN"]}},
                                    {"disease": {"type": "string"}},
                                )
                            },
                        },
                    ),
                ),
                (*_OUTPUTS, _PICTURE),
            ),
        ),
    ),
    OfferedApplication(
        "test-app",
        "Test application (emulated)",
        "The same work behind another schema, for trying things out.",
        (
            OfferedVersion(
                "test-app",
                "0.0.1",
                "First release.",
                (DeclaredArtifact("whole_slide_image", "image/tiff", _slide_of("checksum_crc32c")),),
                _OUTPUTS,
            ),
            OfferedVersion(
                "test-app",
                "0.0.2",
                "Names the checksum as all other applications do.",
                (DeclaredArtifact("whole_slide_image", "image/tiff", _slide_of("checksum_base64_crc32c")),),
                _OUTPUTS,
            ),
        ),
    ),
    OfferedApplication(
        "atlas-he-tme",
        "Atlas-like application (emulated)",
        "The same work behind a schema of the form that the real Atlas H&E-TME has.",
        (
            OfferedVersion(
                "atlas-he-tme",
                "1.3.0",
                "First release.",
                (DeclaredArtifact("whole_slide_image", "image/tiff", _ATLAS_SLIDE),),
                (*_OUTPUTS, _PICTURE),
            ),
        ),
        is_in_reference=False,
    ),
    OfferedApplication(
        "stain-pair",
        "Application with two inputs (emulated)",
        "Takes two slides of the same specimen, and analyses the first.",
        (
            OfferedVersion(
                "stain-pair",
                "1.0.0",
                "First release.",
                tuple(
                    DeclaredArtifact(name, "image/tiff", _slide_of("checksum_base64_crc32c"))
                    for name in ("he_slide", "ihc_slide")
                ),
                _OUTPUTS,
            ),
        ),
        is_in_reference=False,
    ),
)
_VERSIONS = {version.id: version for application in APPLICATIONS for version in application.versions}
