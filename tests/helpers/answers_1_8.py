"""Bodies of answers of contract 1.8, for tests that write the answers themselves."""

from __future__ import annotations

from aignostics_async import InputArtifact, Item

ROOT = "http://127.0.0.1:9"
RUN_ID = "00000000-0000-0000-0000-000000000001"
COUNTS = {
    "item_count": 2,
    "item_pending_count": 1,
    "item_processing_count": 0,
    "item_user_error_count": 0,
    "item_system_error_count": 0,
    "item_skipped_count": 0,
    "item_succeeded_count": 1,
}
RUN = {
    "run_id": RUN_ID,
    "application_id": "he-tme",
    "version_number": "1.1.0",
    "state": "PENDING",
    "output": "PARTIAL",
    "termination_reason": None,
    "error_code": None,
    "error_message": None,
    "statistics": COUNTS,
    "custom_metadata": {"case": "7"},
    "submitted_at": "2026-01-01T00:00:00Z",
    "submitted_by": "me",
    "scheduling": {"due_date": "2026-01-02T00:00:00Z", "deadline": None},
}
OLD_RUN = {
    "application_run_id": RUN_ID,
    "application_version_id": "he-tme:v1.1.0",
    "organization_id": "org",
    "status": "RUNNING",
    "triggered_at": "2026-01-01T00:00:00Z",
    "triggered_by": "me",
}
ARTIFACT = {
    "output_artifact_id": "00000000-0000-0000-0000-0000000000aa",
    "name": "heatmap",
    "metadata": {"media_type": "image/tiff"},
    "state": "TERMINATED",
    "termination_reason": "SUCCEEDED",
    "output": "AVAILABLE",
    "download_url": None,
}
ITEM = {
    "item_id": "00000000-0000-0000-0000-00000000000a",
    "external_id": "case/7",
    "custom_metadata": None,
    "state": "TERMINATED",
    "output": "FULL",
    "termination_reason": "SUCCEEDED",
    "input_artifacts": [],
    "output_artifacts": [
        ARTIFACT,
        {**ARTIFACT, "output": "NONE", "output_artifact_id": "00000000-0000-0000-0000-0000000000ab"},
        {
            **ARTIFACT,
            "output": "DELETED_BY_USER",
            "output_artifact_id": "00000000-0000-0000-0000-0000000000ac",
        },
    ],
}
VERSION = {
    "version_number": "1.1.0",
    "changelog": "",
    "released_at": "2026-01-01T00:00:00Z",
    "input_artifacts": [{"name": "slide", "mime_type": "image/tiff", "metadata_schema": {}}],
    "output_artifacts": [],
}
ITEMS = [Item("case-7", artifacts=[InputArtifact("slide", "https://127.0.0.1/a.tiff", {})])]
