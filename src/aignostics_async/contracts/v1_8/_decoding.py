"""From generated models of 1.8 to the models of `models.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from aignostics_api_1_8.models import (
    ApplicationReadResponse,
    ApplicationReadShortResponse,
    ApplicationVersion as ReleasedVersion,
    ArtifactOutput,
    CustomMetadataUpdateResponse,
    InputArtifact,
    ItemResultReadResponse,
    OutputArtifact as OutputSpec,
    OutputArtifactResultReadResponse,
    RunCreationResponse,
    RunItemStatistics,
    RunReadResponse,
    SchedulingResponse,
    VersionDocumentResponse,
    VersionReadResponse,
)
from aignostics_api_1_8.types import Unset

from ...models import (
    RESERVED_KEY,
    Application,
    ApplicationVersion,
    ArtifactScope,
    Document,
    InputArtifactSpec,
    ItemResult,
    ItemResultDraft,
    OutputArtifact,
    OutputArtifactDraft,
    OutputArtifactSpec,
    RunDetails,
    RunStatistics,
)
from .._decoding import aware, error_text, mapping, optional_text, run_id as checked_run_id, text
from ._states import item_status, run_status

_T = TypeVar("_T")
_AVAILABLE, _NONE = ArtifactOutput.AVAILABLE, ArtifactOutput.NONE
_DELETED_BY = "DELETED_BY_"


def application(raw: dict[str, Any]) -> Application:
    """Decode an application."""
    wire = ApplicationReadShortResponse.from_dict(raw)
    latest = _given(wire.latest_version)
    if not isinstance(latest, ReleasedVersion | None):
        raise TypeError("latest_version is no version")
    return Application(
        application_id=text(wire.application_id, "application_id"),
        name=text(wire.name, "name"),
        description=text(wire.description, "description"),
        regulatory_classes=tuple([text(each, "regulatory_classes") for each in wire.regulatory_classes]),
        latest_version=None if latest is None else text(latest.number, "latest_version"),
    )


def released_versions(raw: dict[str, Any]) -> list[ReleasedVersion]:
    """Decode the versions of an application: their numbers, and when they were released."""
    versions = ApplicationReadResponse.from_dict(raw).versions
    for each in versions:
        text(each.number, "number")
        aware(each.released_at)
    return versions


def version(application_id: str, raw: dict[str, Any]) -> ApplicationVersion:
    """Decode a version of an application."""
    wire = VersionReadResponse.from_dict(raw)
    number = text(wire.version_number, "version_number")
    return ApplicationVersion(
        application_version_id=f"{application_id}:v{number}",
        application_id=application_id,
        version=number,
        changelog=text(wire.changelog, "changelog"),
        created_at=aware(wire.released_at),
        input_artifacts=tuple([_input(spec) for spec in wire.input_artifacts]),
        output_artifacts=tuple([_output(spec) for spec in wire.output_artifacts]),
    )


def _input(wire: InputArtifact) -> InputArtifactSpec:
    return InputArtifactSpec(
        name=text(wire.name, "name"),
        mime_type=text(wire.mime_type, "mime_type"),
        metadata_schema=mapping(wire.metadata_schema, "metadata_schema"),
    )


def _output(wire: OutputSpec) -> OutputArtifactSpec:
    return OutputArtifactSpec(
        name=text(wire.name, "name"),
        mime_type=text(wire.mime_type, "mime_type"),
        metadata_schema=mapping(wire.metadata_schema, "metadata_schema"),
        scope=ArtifactScope(wire.scope.value),
    )


def run(raw: dict[str, Any]) -> RunDetails:
    """Decode the details of a run."""
    wire = RunReadResponse.from_dict(raw)
    counts = _statistics(wire.statistics)
    reason = optional_text(wire.termination_reason, "termination_reason")
    terminated_at = _optional_time(wire.terminated_at, "terminated_at")
    due_date, deadline = _scheduling(_given(wire.scheduling))
    number = text(wire.version_number, "version_number").removeprefix("v")
    metadata, sdk_metadata = _own_and_reserved(_given(wire.custom_metadata))
    return RunDetails(
        run_id=checked_run_id(wire.run_id, "run_id"),
        application_version_id=f"{text(wire.application_id, 'application_id')}:v{number}",
        organization_id=optional_text(_given(wire.organization_id), "organization_id"),
        status=run_status(wire.state, reason, counts, has_ended=terminated_at is not None),
        triggered_at=aware(wire.submitted_at),
        triggered_by=text(wire.submitted_by, "submitted_by"),
        terminated_at=terminated_at,
        statistics=counts,
        error=None if wire.error_message is None else error_text(wire.error_message),
        error_code=optional_text(wire.error_code, "error_code"),
        metadata=metadata,
        metadata_checksum=optional_text(_given(wire.custom_metadata_checksum), "custom_metadata_checksum"),
        sdk_metadata=sdk_metadata,
        due_date=due_date,
        deadline=deadline,
        preceding_items_organization=_optional_number(wire.num_preceding_items_org),
        preceding_items_platform=_optional_number(wire.num_preceding_items_platform),
    )


def document(raw: dict[str, Any]) -> Document:
    """Decode a document of a version."""
    wire = VersionDocumentResponse.from_dict(raw)
    return Document(
        document_id=text(wire.id, "id"),
        name=text(wire.name, "name"),
        mime_type=text(wire.mime_type, "mime_type"),
        created_at=aware(wire.created_at),
        updated_at=aware(wire.updated_at),
    )


def _statistics(wire: RunItemStatistics) -> RunStatistics:
    return RunStatistics(
        total=_number(wire.item_count),
        pending=_number(wire.item_pending_count),
        processing=_number(wire.item_processing_count),
        succeeded=_number(wire.item_succeeded_count),
        user_errors=_number(wire.item_user_error_count),
        system_errors=_number(wire.item_system_error_count),
        skipped=_number(wire.item_skipped_count),
    )


def _scheduling(wire: object) -> tuple[datetime | None, datetime | None]:
    if wire is None:
        return None, None
    if not isinstance(wire, SchedulingResponse):
        raise TypeError("scheduling is no object of times")
    return _optional_time(wire.due_date, "due_date"), _optional_time(wire.deadline, "deadline")


def new_run(raw: dict[str, Any]) -> str:
    """Decode the id of a run that was created."""
    return checked_run_id(RunCreationResponse.from_dict(raw).run_id, "run_id")


def item(run_id: str, raw: dict[str, Any]) -> ItemResult:
    """Decode an item of a run with its results."""
    wire = ItemResultReadResponse.from_dict(raw)
    # An unset field is false, and so is an empty text, which says as little.
    reason = optional_text(wire.termination_reason or None, "termination_reason")
    terminated_at = _optional_time(wire.terminated_at, "terminated_at")
    message = wire.error_message or None
    metadata, sdk_metadata = _own_and_reserved(_given(wire.custom_metadata))
    draft = ItemResultDraft(  # by position, which takes a fifth of the time that keywords take
        text(wire.item_id, "item_id"),
        run_id,
        text(wire.external_id, "external_id"),
        item_status(wire.state, reason, has_ended=terminated_at is not None),
        None if message is None else error_text(message),
        # The others are not made yet, or failed: they have never had a file.
        tuple(
            [
                _artifact(each, output)
                for each in wire.output_artifacts
                if (output := _spelled(each.output)) != _NONE
            ]
        ),
        terminated_at,
        optional_text(wire.error_code or None, "error_code"),
        metadata,
        optional_text(wire.custom_metadata_checksum or None, "custom_metadata_checksum"),
        sdk_metadata,
        _optional_number(wire.queue_position_org),
        _optional_number(wire.queue_position_platform),
    )
    draft.__class__ = ItemResult
    return draft  # type: ignore[return-value]


def _spelled(output: ArtifactOutput) -> str:
    """Return an output in the spelling of the contract, whatever its case on the wire."""
    # The usual one by identity: there are hundreds on a page.
    return output if output is _AVAILABLE else output.upper()


def _artifact(wire: OutputArtifactResultReadResponse, output: str) -> OutputArtifact:
    # Runs hundreds of times per page.
    name, artifact_id = wire.name, wire.output_artifact_id
    url, metadata = wire.download_url or None, wire.metadata
    if not (isinstance(name, str) and isinstance(artifact_id, str) and (url is None or isinstance(url, str))):
        raise TypeError("name, output_artifact_id or download_url is no text")
    draft = OutputArtifactDraft(
        name,
        artifact_id,
        metadata if isinstance(metadata, dict) else mapping(_given(metadata), "metadata"),
        url,
        output == _AVAILABLE,
    )
    if output.startswith(_DELETED_BY):
        draft.deleted_by = output.removeprefix(_DELETED_BY)
    draft.__class__ = OutputArtifact
    return draft  # type: ignore[return-value]


def _given(value: _T | Unset) -> _T | None:
    """Return a value, or None for a field that was not sent."""
    return None if isinstance(value, Unset) else value


def _own_and_reserved(given: object) -> tuple[dict[str, Any] | None, Any]:
    """Return custom metadata of the caller's, None if there are none, and what the SDK keeps beside them."""
    if given is None:
        return None, None
    if not isinstance(given, dict):
        raise TypeError("custom_metadata is no object")
    if RESERVED_KEY not in given:
        return given, None
    own = {key: value for key, value in given.items() if key != RESERVED_KEY}
    return own or None, given[RESERVED_KEY]


def metadata_checksum(raw: dict[str, Any]) -> str | None:
    """Decode the checksum of custom metadata that were replaced."""
    wire = CustomMetadataUpdateResponse.from_dict(raw)
    return optional_text(wire.custom_metadata_checksum, "custom_metadata_checksum")


def _optional_time(given: object, field: str) -> datetime | None:
    # Where null is allowed, the generated decoder keeps a text that is no time.
    if given is None or isinstance(given, Unset):
        return None
    if isinstance(given, datetime):
        return aware(given)
    raise TypeError(f"{field} is no time")


def _number(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise TypeError("a count is no number")


def _optional_number(given: object) -> int | None:
    return None if given is None or isinstance(given, Unset) else _number(given)
