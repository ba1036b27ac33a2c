"""The operations of the contract: parameters in, models or typed errors out.

Only the pure halves of the generated package are used: `_get_kwargs`, which builds a request from parameters,
and the models' `from_dict` in `_decoding.py`. `_http/` sends the requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from aignostics_api import Client as _GeneratedClient
from aignostics_api.api.public import (
    cancel_run as _cancel_run,
    create_run as _create_run,
    delete_run_results as _delete_run_results,
    get_run as _get_run,
    list_application_versions as _list_application_versions,
    list_applications as _list_applications,
    list_run_results as _list_run_results,
    list_runs as _list_runs,
)
from aignostics_api.models import (
    InputArtifactCreationRequest,
    ItemCreationRequest,
    ItemStatus as _ItemStatus,
    RunCreationRequest,
)
from aignostics_api.types import UNSET

from .._core._json import encode_json
from .._core._pager import Page, PageRequest
from .._core._redaction import excerpt
from .._identifiers import as_path_part, as_uuid
from .._inputs import Item
from ..errors import UsageError
from ..models import Application, ApplicationVersion, ItemResult, ItemStatus, RunDetails
from . import _decoding

if TYPE_CHECKING:
    from .._config import Settings
    from .._http._api_pool import ApiPool
    from .._http._client import Response

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Operation(Protocol[_P, _T_co]):
    """A module of `aignostics_api.api.public`, as `Client.call` takes it.

    from aignostics_api.api.public import list_runs

    runs = await client.call(list_runs, page_size=10)
    """

    def _get_kwargs(self, *args: _P.args, **kwargs: _P.kwargs) -> dict[str, Any]: ...

    def _parse_response(self, *, client: _GeneratedClient, response: Response) -> _T_co: ...


class Bridge:
    """The operations of the contract, in terms of `models.py`."""

    def __init__(self, api: ApiPool) -> None:
        self.api = api

    def under(self, settings: Settings) -> Bridge:
        """Return the operations over the same connections, under other timeouts, retries and hooks."""
        return Bridge(self.api.under(settings))

    async def list_applications(self, page: PageRequest) -> Page[Application]:
        request = _list_applications._get_kwargs(**_paging(page))
        response = await self.api.send("list applications", **request)
        return await _decoding.page_of("list applications", response, page, _decoding.application)

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
        return await _decoding.page_of("list versions", response, page, _decoding.version)

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
        return await _decoding.page_of("list runs", response, page, _decoding.run)

    async def list_runs_again(
        self, page: PageRequest, before: dict[int, tuple[bytes, Page[RunDetails]]]
    ) -> Page[RunDetails]:
        """List runs, and decode only pages that changed.

        `before` maps a page number to its last body and page, and is updated.
        """
        response = await self.api.send("list runs", **_list_runs._get_kwargs(**_paging(page)))
        content, known = before.get(page.number, (b"", None))
        if known is None or content != response.content:
            known = await _decoding.page_of("list runs", response, page, _decoding.run)
            before[page.number] = response.content, known
        return known

    async def create_run(
        self, application_version_id: str, items: Sequence[Item], *, once: bool = False
    ) -> str:
        """Send a run request and return the id of the new run; with `once`, not again after a 401."""
        request = _sealed(_run_request, application_version_id, items)
        response = await self.api.send("create run", **request, once=once)
        # Another 2xx does not promise that the run exists.
        if response.status_code != 201:
            raise _decoding.contract_violation(
                "create run", response, f"201 was expected, not {response.status_code}"
            )
        return _decoding.one("create run", response, _decoding.new_run)

    async def get_run(self, run_id: str) -> RunDetails:
        response = await self.api.send("get run", **_get_run._get_kwargs(as_uuid(run_id, "run id")))
        return _decoding.one("get run", response, _decoding.run)

    async def cancel_run(self, run_id: str) -> None:
        # The body of the 202 varies between servers (null, {}, nothing), so it is not read.
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
            # As the contract spells it, whatever spelling the status was read in.
            status_in=[_ItemStatus(ItemStatus(status).name) for status in statuses] or UNSET,
            **_paging(page),
        )
        response = await self.api.send("list results", **request)
        return await _decoding.page_of("list results", response, page, _decoding.item)

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a generated operation and return its generated model."""
        name = str(getattr(operation, "__name__", operation)).rpartition(".")[2].replace("_", " ")
        try:
            request = _sealed(operation._get_kwargs, *args, **kwargs)
        finally:
            del args, kwargs  # they may hold signed URLs, and tracebacks show the variables of this frame
        response = await self.api.send(name, **request)
        if not response.content:
            # The generated decoder would try to read JSON from nothing.
            return None  # type: ignore[return-value]
        try:
            return operation._parse_response(client=_GeneratedClient(base_url=""), response=response)
        except _decoding.DECODE_ERRORS as error:
            reason = _decoding.why(error)
        raise _decoding.contract_violation(name, response, reason)


def _run_request(application_version_id: str, items: Sequence[Item]) -> dict[str, Any]:
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
    return _create_run._get_kwargs(body=body)


def _sealed(build: Callable[_P, dict[str, Any]], *args: _P.args, **kwargs: _P.kwargs) -> dict[str, Any]:
    """Return the arguments of a request with its body as a Secret.

    A body may hold signed URLs, and tracebacks show the variables of their frames: the errors raised here
    come without the frames that hold a body. Raises UsageError for arguments that make no request.
    """
    try:
        return _with_secret_body(build(*args, **kwargs))
    except UsageError as error:
        failure = error.with_traceback(None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        words = excerpt(f"{type(error).__name__}: {error}")
        failure = UsageError(f"the request can't be built from these arguments ({words})")
    del args, kwargs
    raise failure


def _with_secret_body(request: dict[str, Any]) -> dict[str, Any]:
    if "json" not in request:
        return request
    fields = {name: value for name, value in request.items() if name != "json"}
    return {**fields, "body": encode_json(request["json"])}


def _paging(page: PageRequest) -> dict[str, Any]:
    return {"page": page.number, "page_size": page.size, "sort": list(page.sort) or UNSET}
