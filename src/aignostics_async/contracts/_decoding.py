"""From responses to models: what does not fit the contract is an InvalidResponse or an InvalidItem.

Responses become generated models by their `from_dict`, and these become the models of `models.py`. What the
generated decoder accepts unchecked is checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from aignostics_api.models import (
    ApplicationReadResponse,
    ApplicationVersionReadResponse,
    InputArtifactReadResponse,
    ItemResultReadResponse,
    OutputArtifactReadResponse,
    OutputArtifactResultReadResponse,
    RunCreationResponse,
    RunReadResponse,
)
from anyio.lowlevel import checkpoint

from .._core._json import (
    BrokenEntry,
    NoJson,
    beginning,
    decode_json,
    entries,
)
from .._core._pager import Page, PageRequest
from .._core._redaction import excerpt, redact
from .._http._responses import response_date
from ..errors import InvalidResponse
from ..models import (
    Application,
    ApplicationVersion,
    ArtifactScope,
    InputArtifactSpec,
    InvalidItem,
    ItemResult,
    ItemResultDraft,
    ItemStatus,
    OutputArtifact,
    OutputArtifactDraft,
    OutputArtifactSpec,
    RunDetails,
    RunStatus,
)

if TYPE_CHECKING:
    from .._http._client import Response

MAX_ERROR_LENGTH = 4_000  # characters of an item's error; the rest is cut off
_T = TypeVar("_T")

# What a generated decoder raises for an unexpected value.
DECODE_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)
# How long a page is decoded before other tasks of the event loop run.
_SLICE_SECONDS = 0.002

# A lookup takes a tenth of the time of calling the class.
_ITEM_STATUSES: dict[str, ItemStatus] = {each.value: each for each in ItemStatus}

clock = perf_counter


async def page_of(
    operation: str, response: Response, request: PageRequest, decode: Callable[[dict[str, Any]], _T]
) -> Page[_T]:
    """Return the page in a response of a list operation; other tasks run meanwhile, whatever its size.

    Raises InvalidResponse if it is no list.
    """
    items: list[_T] = []
    invalid: list[InvalidItem] = []
    pause = clock() + _SLICE_SECONDS
    try:
        for index, entry in enumerate(entries(response.content)):
            try:
                if isinstance(entry, BrokenEntry):
                    raise entry
                items.append(decode(entry))
            except DECODE_ERRORS as error:
                invalid.append(InvalidItem(index, why(error), excerpt(beginning(entry))))
            if clock() >= pause:
                await checkpoint()
                pause = clock() + _SLICE_SECONDS
        return Page(request.number, tuple(items), tuple(invalid), response_date(response))
    except NoJson as error:
        reason = str(error)
    raise contract_violation(operation, response, reason)


def one(operation: str, response: Response, decode: Callable[[dict[str, Any]], _T]) -> _T:
    """Return the decoded body of a response; raises InvalidResponse."""
    try:
        return decode(decode_json(response.content))
    except NoJson as error:
        reason = str(error)
    except DECODE_ERRORS as error:
        reason = why(error)
    raise contract_violation(operation, response, reason)


def contract_violation(operation: str, response: Response, reason: str) -> InvalidResponse:
    """Return the error for a response that does not fit the contract."""
    return InvalidResponse(
        reason, operation=operation, status=response.status_code, excerpt=excerpt(response.text)
    )


def why(error: Exception) -> str:
    """Return why decoding failed, without secrets that the error may quote."""
    if isinstance(error, BrokenEntry):
        return str(error)
    if isinstance(error, KeyError):
        return excerpt(f"the field {error.args[0]!r} is missing", 200)
    return excerpt(f"{type(error).__name__}: {error}", 200)


def application(raw: dict[str, Any]) -> Application:
    """Decode an application."""
    wire = ApplicationReadResponse.from_dict(raw)
    return Application(
        application_id=_text(wire.application_id, "application_id"),
        name=_text(wire.name, "name"),
        description=_text(wire.description, "description"),
        regulatory_classes=tuple([_text(each, "regulatory_classes") for each in wire.regulatory_classes]),
    )


def version(raw: dict[str, Any]) -> ApplicationVersion:
    """Decode a version of an application."""
    wire = ApplicationVersionReadResponse.from_dict(raw)
    return ApplicationVersion(
        application_version_id=_text(wire.application_version_id, "application_version_id"),
        application_id=_text(wire.application_id, "application_id"),
        version=_text(wire.version, "version"),
        changelog=_text(wire.changelog, "changelog"),
        created_at=_aware(wire.created_at),
        input_artifacts=tuple([_input(spec) for spec in wire.input_artifacts]),
        output_artifacts=tuple([_output(spec) for spec in wire.output_artifacts]),
    )


def _input(wire: InputArtifactReadResponse) -> InputArtifactSpec:
    return InputArtifactSpec(
        name=_text(wire.name, "name"),
        mime_type=_text(wire.mime_type, "mime_type"),
        metadata_schema=_mapping(wire.metadata_schema, "metadata_schema"),
    )


def _output(wire: OutputArtifactReadResponse) -> OutputArtifactSpec:
    return OutputArtifactSpec(
        name=_text(wire.name, "name"),
        mime_type=_text(wire.mime_type, "mime_type"),
        metadata_schema=_mapping(wire.metadata_schema, "metadata_schema"),
        scope=ArtifactScope(wire.scope.value),
    )


def run(raw: dict[str, Any]) -> RunDetails:
    """Decode the details of a run."""
    # Nothing depends on the organization, so a run is not lost with it.
    wire = RunReadResponse.from_dict({"organization_id": None, **raw})
    return RunDetails(
        run_id=_run_id(wire.application_run_id),
        application_version_id=_text(wire.application_version_id, "application_version_id"),
        organization_id=_optional_text(wire.organization_id, "organization_id"),
        status=RunStatus(wire.status.value),
        triggered_at=_aware(wire.triggered_at),
        triggered_by=_text(wire.triggered_by, "triggered_by"),
    )


def new_run(raw: dict[str, Any]) -> str:
    """Decode the id of a run that was created."""
    wire = RunCreationResponse.from_dict(raw)
    return _run_id(wire.application_run_id)


def item(raw: dict[str, Any]) -> ItemResult:
    """Decode an item of a run with its results."""
    wire = ItemResultReadResponse.from_dict(raw)
    draft = ItemResultDraft(
        item_id=_text(wire.item_id, "item_id"),
        run_id=_text(wire.application_run_id, "application_run_id"),
        reference=_text(wire.reference, "reference"),
        status=_ITEM_STATUSES.get(wire.status) or ItemStatus(wire.status.value),
        error=None if wire.error is None else _error(wire.error),
        output_artifacts=tuple([_artifact(artifact) for artifact in wire.output_artifacts]),
    )
    draft.__class__ = ItemResult
    return draft  # type: ignore[return-value]


def _artifact(wire: OutputArtifactResultReadResponse) -> OutputArtifact:
    # Runs hundreds of times per page, so it calls nothing in the usual case.
    name, artifact_id = wire.name, wire.output_artifact_id
    url, metadata = wire.download_url, wire.metadata
    if not (isinstance(name, str) and isinstance(artifact_id, str) and (url is None or isinstance(url, str))):
        raise TypeError("name, output_artifact_id or download_url is no text")
    draft = OutputArtifactDraft(
        name,
        artifact_id,
        # Null once the results are deleted.
        metadata if isinstance(metadata, dict) else _mapping(metadata, "metadata"),
        url,
    )
    draft.__class__ = OutputArtifact
    return draft  # type: ignore[return-value]


def _text(given: object, field: str) -> str:
    # The generated decoder does not check the types of texts.
    if isinstance(given, str):
        return given
    raise TypeError(f"{field} is no text")


def _optional_text(given: object, field: str) -> str | None:
    return None if given is None else _text(given, field)


def _error(given: object) -> str:
    # It may quote the signed URL of an input.
    return redact(_text(given, "error")[:MAX_ERROR_LENGTH])


def _mapping(given: object, field: str) -> Mapping[str, Any]:
    if isinstance(given, dict):
        return given
    if given is None:
        return {}
    raise TypeError(f"{field} is no object")


def _run_id(given: object) -> str:
    # The handle of a run accepts only UUIDs.
    return str(UUID(_text(given, "application_run_id")))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
