"""The emulated applications: two, with two versions each and different metadata schemas."""

from __future__ import annotations

from typing import Any

_CREATED = "2026-01-15T09:00:00Z"
_CHECKSUM = {"type": "string", "pattern": "^[A-Za-z0-9+/]{6}==$"}
_PIXELS = {"type": "integer", "minimum": 1, "maximum": 300_000}
_MPP = {"type": "number", "minimum": 0.05, "maximum": 5}
_DRAFT_7 = "http://json-schema.org/draft-07/schema#"
_DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"

APPLICATIONS: list[dict[str, Any]] = [
    {
        "application_id": "he-tme",
        "name": "Tissue quality control (emulated)",
        "description": "Finds tissue in a thumbnail and measures it. Not for any medical use.",
        "regulatory_classes": ["RuO"],
    },
    {
        "application_id": "test-app",
        "name": "Test application (emulated)",
        "description": "The same work behind another schema, for trying things out.",
        "regulatory_classes": ["RuO"],
    },
]


def _object(draft: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "$schema": draft,
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": sorted(required),
        "additionalProperties": False,
    }


def _outputs(*more: dict[str, Any]) -> list[dict[str, Any]]:
    schema = _object(
        _DRAFT_2020,
        {"checksum_base64_crc32c": _CHECKSUM, "media_type": {"type": "string"}},
        {"resolution_mpp": {"type": "number"}},
    )
    kinds = {
        "tissue_qc:tiff_heatmap": "image/tiff",
        "tissue_qc:geojson_polygons": "application/geo+json",
        "readout_generation:csv_class_areas": "text/csv",
    }
    specs = [
        {"name": name, "mime_type": mime_type, "scope": "ITEM", "metadata_schema": schema}
        for name, mime_type in kinds.items()
    ]
    return [*specs, *({**spec, "metadata_schema": schema} for spec in more)]


def _version(
    application_id: str,
    version: str,
    *,
    changelog: str,
    artifact: str,
    schema: dict[str, Any],
    outputs: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "application_version_id": f"{application_id}:v{version}",
        "application_id": application_id,
        "version": version,
        "changelog": changelog,
        "created_at": _CREATED,
        "flow_id": None,
        "input_artifacts": [{"name": artifact, "mime_type": "image/tiff", "metadata_schema": schema}],
        "output_artifacts": outputs,
    }


VERSIONS: list[dict[str, Any]] = [
    _version(
        "he-tme",
        "1.0.0",
        changelog="First release.",
        artifact="slide",
        schema=_object(
            _DRAFT_7,
            {
                "checksum_base64_crc32c": _CHECKSUM,
                "width": _PIXELS,
                "height": _PIXELS,
                "width_mpp": _MPP,
                "height_mpp": _MPP,
            },
        ),
        outputs=_outputs(),
    ),
    _version(
        "he-tme",
        "1.1.0",
        changelog="Takes stain and specimen, and gives a picture of each slide.",
        artifact="input_slide",
        schema={
            **_object(
                _DRAFT_2020,
                {
                    "checksum_base64_crc32c": _CHECKSUM,
                    "width_px": _PIXELS,
                    "height_px": _PIXELS,
                    "resolution_mpp": _MPP,
                    "media_type": {"enum": ["image/tiff", "application/zip", "application/octet-stream"]},
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
        outputs=_outputs({"name": "tissue_qc:png_thumbnail", "mime_type": "image/png", "scope": "ITEM"}),
    ),
    _version(
        "test-app",
        "0.0.1",
        changelog="First release.",
        artifact="whole_slide_image",
        schema=_object(
            _DRAFT_7,
            {
                "checksum_crc32c": _CHECKSUM,
                "width_px": _PIXELS,
                "height_px": _PIXELS,
                "resolution_mpp": _MPP,
            },
        ),
        outputs=_outputs(),
    ),
    _version(
        "test-app",
        "0.0.2",
        changelog="Names the checksum as all other applications do.",
        artifact="whole_slide_image",
        schema=_object(
            _DRAFT_7,
            {
                "checksum_base64_crc32c": _CHECKSUM,
                "width_px": _PIXELS,
                "height_px": _PIXELS,
                "resolution_mpp": _MPP,
            },
        ),
        outputs=_outputs(),
    ),
]


def find_version(application_version_id: str) -> dict[str, Any] | None:
    """Return the version with an id, or None."""
    for version in VERSIONS:
        if version["application_version_id"] == application_version_id:
            return version
    return None
