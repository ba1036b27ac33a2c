"""The only room that sees `aignostics_api`: a request in, a domain model or a typed error out.

Of the generated package it uses the pure halves: `_get_kwargs`, which makes a request from parameters, and
the models' `from_dict`. Sending is `_http.py`'s. A new contract is met here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar
from uuid import UUID

from aignostics_api import Client as _GeneratedClient
from aignostics_api.api.public import (
    cancel_run as _cancel_run,
)
from aignostics_api.api.public import (
    create_run as _create_run,
)
from aignostics_api.api.public import (
    delete_run_results as _delete_run_results,
)
from aignostics_api.api.public import (
    get_run as _get_run,
)
from aignostics_api.api.public import (
    list_application_versions as _list_application_versions,
)
from aignostics_api.api.public import (
    list_applications as _list_applications,
)
from aignostics_api.api.public import (
    list_run_results as _list_run_results,
)
from aignostics_api.api.public import (
    list_runs as _list_runs,
)
from aignostics_api.models import (
    ApplicationReadResponse,
    ApplicationVersionReadResponse,
    InputArtifactCreationRequest,
    ItemCreationRequest,
    ItemResultReadResponse,
    OutputArtifactResultReadResponse,
    RunCreationRequest,
    RunCreationResponse,
    RunReadResponse,
)
from aignostics_api.models import (
    ItemStatus as _ItemStatus,
)
from aignostics_api.types import UNSET

from ._errors import InvalidResponse
from ._ids import as_path_part, as_uuid
from ._pager import Page, PageRequest
from ._redact import excerpt
from .models import (
    Application,
    ApplicationVersion,
    ArtifactScope,
    InputArtifactSpec,
    InvalidItem,
    Item,
    ItemResult,
    ItemStatus,
    OutputArtifact,
    OutputArtifactSpec,
    RunDetails,
    RunStatus,
)

if TYPE_CHECKING:
    from ._http import ApiPool, Response

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

# What a generated decoder raises for a value that it did not expect.
_DECODE_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)


class Operation(Protocol[_P, _T_co]):
    """A module of `aignostics_api.api.public`, as `client.call` takes it."""

    def _get_kwargs(self, *args: _P.args, **kwargs: _P.kwargs) -> dict[str, Any]: ...

    def _parse_response(self, *, client: _GeneratedClient, response: Response) -> _T_co: ...


class Bridge:
    """The operations of the contract, in terms of our own models."""

    def __init__(self, api: ApiPool) -> None:
        self.api = api

    async def list_applications(self, page: PageRequest) -> Page[Application]:
        request = _list_applications._get_kwargs(**_paging(page))
        response = await self.api.send("list applications", **request)
        return _page("list applications", response, page, _application)

    async def list_application_versions(
        self,
        application_id: str,
        page: PageRequest,
        *,
        version: str | None,
    ) -> Page[ApplicationVersion]:
        request = _list_application_versions._get_kwargs(
            as_path_part(application_id, "application id"),
            version=version or UNSET,
            **_paging(page),
        )
        response = await self.api.send("list versions", **request)
        return _page("list versions", response, page, _version)

    async def list_runs(
        self,
        page: PageRequest,
        *,
        application_id: str | None,
        application_version: str | None,
    ) -> Page[RunDetails]:
        request = _list_runs._get_kwargs(
            application_id=application_id or UNSET,
            application_version=application_version or UNSET,
            **_paging(page),
        )
        response = await self.api.send("list runs", **request)
        return _page("list runs", response, page, _run)

    async def create_run(self, application_version_id: str, items: Sequence[Item]) -> str:
        """Send one run request and return the id of the new run."""
        body = RunCreationRequest(
            application_version_id=application_version_id,
            items=[
                ItemCreationRequest(
                    reference=item.reference,
                    input_artifacts=[
                        InputArtifactCreationRequest(
                            name=artifact.name,
                            download_url=artifact.download_url,
                            metadata=dict(artifact.metadata),
                        )
                        for artifact in item.artifacts
                    ],
                )
                for item in items
            ],
        )
        response = await self.api.send("create run", **_create_run._get_kwargs(body=body))
        # Any other 2xx is no promise that the run exists.
        if response.status_code != 201:
            raise _misfit("create run", response, f"201 was expected, not {response.status_code}")

        def run_id(raw: dict[str, Any]) -> str:
            created = RunCreationResponse.from_dict(raw).application_run_id
            if not isinstance(created, UUID):
                raise TypeError("it has no run id")
            return str(created)

        return _one("create run", response, run_id)

    async def get_run(self, run_id: str) -> RunDetails:
        response = await self.api.send("get run", **_get_run._get_kwargs(as_uuid(run_id, "run id")))
        return _one("get run", response, _run)

    async def cancel_run(self, run_id: str) -> None:
        # The body of the 202 varies between servers: null, {}, nothing. It says nothing, so it is not read.
        await self.api.send("cancel run", **_cancel_run._get_kwargs(as_uuid(run_id, "run id")))

    async def delete_run_results(self, run_id: str) -> None:
        await self.api.send("delete results", **_delete_run_results._get_kwargs(as_uuid(run_id, "run id")))

    async def list_run_results(
        self,
        run_id: str,
        page: PageRequest,
        *,
        item_ids: Sequence[str],
        references: Sequence[str],
        statuses: Sequence[str],
    ) -> Page[ItemResult]:
        request = _list_run_results._get_kwargs(
            as_uuid(run_id, "run id"),
            item_id_in=[as_uuid(item_id, "item id") for item_id in item_ids] or UNSET,
            reference_in=list(references) or UNSET,
            status_in=[_ItemStatus(status) for status in statuses] or UNSET,
            **_paging(page),
        )
        response = await self.api.send("list results", **request)
        return _page("list results", response, page, _item)

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run a generated operation and return its generated model."""
        name = str(getattr(operation, "__name__", operation)).rpartition(".")[2].replace("_", " ")
        response = await self.api.send(name, **operation._get_kwargs(*args, **kwargs))
        if not response.content:
            # The generated decoder would try to read JSON from nothing.
            return None  # type: ignore[return-value]
        try:
            return operation._parse_response(client=_GeneratedClient(base_url=""), response=response)
        except _DECODE_ERRORS as error:
            reason = _why(error)
        raise _misfit(name, response, reason)


# Decoding


def _paging(page: PageRequest) -> dict[str, Any]:
    return {"page": page.number, "page_size": page.size, "sort": list(page.sort) or UNSET}


def _page(
    operation: str, response: Response, request: PageRequest, decode: Callable[[dict[str, Any]], _T]
) -> Page[_T]:
    body = _json(operation, response)
    if not isinstance(body, list):
        raise _misfit(operation, response, "a list was expected")
    items: list[_T] = []
    invalid: list[InvalidItem] = []
    for index, raw in enumerate(body):
        try:
            items.append(decode(raw))
        except _DECODE_ERRORS as error:
            invalid.append(InvalidItem(index, _why(error), excerpt(str(raw))))
    return Page(request.number, tuple(items), tuple(invalid))


def _one(operation: str, response: Response, decode: Callable[[dict[str, Any]], _T]) -> _T:
    body = _json(operation, response)
    try:
        return decode(body)
    except _DECODE_ERRORS as error:
        reason = _why(error)
    raise _misfit(operation, response, reason)


def _json(operation: str, response: Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        reason = "it is no JSON"
    raise _misfit(operation, response, reason)


def _misfit(operation: str, response: Response, reason: str) -> InvalidResponse:
    return InvalidResponse(
        reason, operation=operation, status=response.status_code, excerpt=excerpt(response.text)
    )


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the field {error.args[0]!r} is missing"
    return excerpt(f"{type(error).__name__}: {error}", 200)


def _application(raw: dict[str, Any]) -> Application:
    wire = ApplicationReadResponse.from_dict(raw)
    return Application(
        application_id=_text(wire.application_id, "application_id"),
        name=_text(wire.name, "name"),
        description=_text(wire.description, "description"),
        regulatory_classes=tuple(_text(each, "regulatory_classes") for each in wire.regulatory_classes),
    )


def _version(raw: dict[str, Any]) -> ApplicationVersion:
    wire = ApplicationVersionReadResponse.from_dict(raw)
    return ApplicationVersion(
        application_version_id=_text(wire.application_version_id, "application_version_id"),
        application_id=_text(wire.application_id, "application_id"),
        version=_text(wire.version, "version"),
        changelog=_text(wire.changelog, "changelog"),
        created_at=_aware(wire.created_at),
        input_artifacts=tuple(
            InputArtifactSpec(_text(spec.name, "name"), spec.mime_type, spec.metadata_schema or {})
            for spec in wire.input_artifacts
        ),
        output_artifacts=tuple(
            OutputArtifactSpec(
                spec.name, spec.mime_type, spec.metadata_schema or {}, ArtifactScope(spec.scope.value)
            )
            for spec in wire.output_artifacts
        ),
    )


def _run(raw: dict[str, Any]) -> RunDetails:
    wire = RunReadResponse.from_dict(raw)
    return RunDetails(
        run_id=str(wire.application_run_id),
        application_version_id=_text(wire.application_version_id, "application_version_id"),
        organization_id=_text(wire.organization_id, "organization_id"),
        status=RunStatus(wire.status.value),
        triggered_at=_aware(wire.triggered_at),
        triggered_by=_text(wire.triggered_by, "triggered_by"),
    )


def _item(raw: dict[str, Any]) -> ItemResult:
    wire = ItemResultReadResponse.from_dict(raw)
    return ItemResult(
        item_id=str(wire.item_id),
        run_id=str(wire.application_run_id),
        reference=_text(wire.reference, "reference"),
        status=ItemStatus(wire.status.value),
        error=_optional_text(wire.error, "error"),
        output_artifacts=tuple(_artifact(artifact) for artifact in wire.output_artifacts),
    )


def _artifact(wire: OutputArtifactResultReadResponse) -> OutputArtifact:
    return OutputArtifact(
        name=_text(wire.name, "name"),
        artifact_id=str(wire.output_artifact_id),
        # Null once the results are deleted.
        metadata=wire.metadata if isinstance(wire.metadata, dict) else {},
        download_url=_optional_text(wire.download_url, "download_url"),
    )


def _text(value: object, field: str) -> str:
    # The generated decoder takes whatever stands where a string should.
    if not isinstance(value, str):
        raise TypeError(f"{field} is no text")
    return value


def _optional_text(value: object, field: str) -> str | None:
    return None if value is None else _text(value, field)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
