"""The operations of 1.0: parameters in, models or typed errors out.

Only the pure halves of the generated package are used: `_get_kwargs`, which builds a request from parameters,
and the models' `from_dict` in `_decoding.py`. `_http/` sends the requests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import aignostics_api
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

from ..._core._pager import MAX_PAGE_SIZE, Page, Pager, PageRequest
from ..._identifiers import as_path_part, as_uuid
from ..._inputs import Item
from ...errors import NotFound, NotInContract
from ...models import Application, ApplicationVersion, ItemResult, ItemStatus, RunDetails
from .._decoding import created, one, page_again, page_of, run_of
from .._mismatch import Signature, send
from .._protocol import ContractFacts, Operation, RunFilter, RunOptions
from .._requests import GeneratedPackage, call_operation, sealed, sort_fields
from . import _decoding

if TYPE_CHECKING:
    from ..._account_models import Me, OrganizationBucket
    from ..._config import Settings
    from ..._http._api_pool import ApiPool
    from ..._http._client import Response
    from ...models import Document

_P = ParamSpec("_P")
_T = TypeVar("_T")
_OTHER = Signature(
    line="1.8",
    fields=frozenset({"run_id", "version_number", "external_id"}),
    not_sortable=frozenset({"triggered_at"}),
)
# What users sort by, which are the contract's own names.
_APPLICATIONS = ("application_id", "name", "description", "regulatory_classes")
_VERSIONS = ("version", "application_version_id", "created_at")
_RUNS = ("triggered_at", "triggered_by", "application_version_id", "status")
_ITEMS = ("item_id", "reference", "status")
_ALIASES = ("application_run_id",)
_NEVER = frozenset({ItemStatus.PROCESSING.name, ItemStatus.SKIPPED.name})  # statuses of later contracts alone
_PACKAGE = GeneratedPackage("aignostics_api", "1.0", aignostics_api.Client(base_url=""))


class Bridge10:
    """The operations of 1.0, in terms of `models.py`."""

    facts = ContractFacts(line="1.0")

    def __init__(self, api: ApiPool) -> None:
        self.api = api

    def under(self, settings: Settings) -> Bridge10:
        """Return the operations over the same connections, under other timeouts, retries and hooks."""
        return Bridge10(self.api.under(settings))

    async def _send(self, operation: str, **request: Any) -> Response:
        return await send(self.api, _OTHER, operation, **request)

    async def list_applications(self, page: PageRequest) -> Page[Application]:
        request = _list_applications._get_kwargs(**_paging(page, _APPLICATIONS))
        response = await self._send("list applications", **request)
        return await page_of("list applications", response, page, _decoding.application, _OTHER)

    async def list_application_versions(
        self,
        application_id: str,
        page: PageRequest,
        *,
        version: str | None,
    ) -> Page[ApplicationVersion]:
        request = _list_application_versions._get_kwargs(
            as_path_part(application_id, "application id"),
            version=UNSET if version is None else version,
            **_paging(page, _VERSIONS),
        )
        response = await self._send("list versions", **request)
        return await page_of("list versions", response, page, _decoding.version, _OTHER)

    async def get_application_version(self, application_id: str, version: str) -> ApplicationVersion:
        def fetch(page: PageRequest) -> Awaitable[Page[ApplicationVersion]]:
            return self.list_application_versions(application_id, page, version=version)

        listing = Pager(
            "list versions",
            fetch,
            PageRequest.first((), MAX_PAGE_SIZE),
            key=lambda each: each.application_version_id,
        )
        async for found in listing:
            # Asked for by the server's filter, and checked here: another version is another price.
            if found.version == version:
                return found
        raise NotFound(
            404,
            method="GET",
            path=f"/api/v1/applications/{application_id}/versions",
            detail=f"there is no version {version!r}",
        )

    async def list_runs(
        self,
        page: PageRequest,
        filters: RunFilter,
    ) -> Page[RunDetails]:
        self.facts.check_filter(filters)
        request = _list_runs._get_kwargs(
            application_id=filters.application_id or UNSET,
            application_version=filters.application_version or UNSET,
            **_paging(page, _RUNS),
        )
        response = await self._send("list runs", **request)
        return await page_of("list runs", response, page, _decoding.run, _OTHER)

    async def list_runs_again(
        self, page: PageRequest, before: dict[int, tuple[bytes, Page[RunDetails]]]
    ) -> Page[RunDetails]:
        response = await self._send("list runs", **_list_runs._get_kwargs(**_paging(page, _RUNS)))
        return await page_again("list runs", response, page, _decoding.run, before=before, other=_OTHER)

    async def create_run(
        self,
        application_version_id: str,
        items: Sequence[Item],
        options: RunOptions,
        *,
        once: bool = False,
    ) -> str:
        self.facts.check_request(items, options)
        request = sealed(_run_request, application_version_id, items)
        response = await self._send("create run", **request, once=once)
        return created("create run", response, _decoding.new_run, _OTHER)

    async def get_run(self, run_id: str) -> RunDetails:
        own_id = as_uuid(run_id, "run id")
        response = await self._send("get run", **_get_run._get_kwargs(own_id))
        return one("get run", response, partial(run_of, own_id, _decoding.run), _OTHER)

    async def cancel_run(self, run_id: str) -> None:
        # The body of the 202 varies between servers (null, {}, nothing), so it is not read.
        await self._send("cancel run", **_cancel_run._get_kwargs(as_uuid(run_id, "run id")))

    async def delete_run_results(self, run_id: str) -> None:
        await self._send("delete results", **_delete_run_results._get_kwargs(as_uuid(run_id, "run id")))

    async def list_run_results(
        self,
        run_id: str,
        page: PageRequest,
        *,
        item_ids: Sequence[str] = (),
        references: Sequence[str] = (),
        statuses: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> Page[ItemResult]:
        self.facts.check_metadata(metadata)
        # As the contract spells it, whatever spelling the status was read in.
        names = [ItemStatus(status).name for status in statuses]
        wanted = [_ItemStatus(name) for name in names if name not in _NEVER]
        if names and not wanted:
            return Page(page.number, ())
        request = _list_run_results._get_kwargs(
            as_uuid(run_id, "run id"),
            item_id_in=[as_uuid(item_id, "item id") for item_id in item_ids] or UNSET,
            reference_in=list(references) or UNSET,
            status_in=wanted or UNSET,
            **_paging(page, _ITEMS),
        )
        response = await self._send("list results", **request)
        return await page_of("list results", response, page, _decoding.item, _OTHER)

    async def artifact_url(self, run_id: str, item_id: str, artifact_id: str) -> str | None:
        listing = Pager(
            "list results",
            lambda page: self.list_run_results(run_id, page, item_ids=[item_id]),
            PageRequest.first((), MAX_PAGE_SIZE),
            key=lambda item: item.item_id,
        )
        # A server may ignore the filter, and then the item may be on any page.
        async for item in listing:
            for artifact in item.output_artifacts:
                if artifact.artifact_id == artifact_id and artifact.download_url:
                    return artifact.download_url
        return None

    async def list_documents(
        self,
        application_id: str,  # noqa: ARG002 - the contract has no such operation
        version: str,  # noqa: ARG002
    ) -> Sequence[Document]:
        raise NotInContract("documents of versions", contract="1.0")

    async def document_url(
        self,
        application_id: str,  # noqa: ARG002 - the contract has no such operation
        version: str,  # noqa: ARG002
        name: str,  # noqa: ARG002
    ) -> str:
        raise NotInContract("documents of versions", contract="1.0")

    async def get_me(self) -> Me:
        raise NotInContract("the user of a token", contract="1.0")

    async def get_bucket(self) -> OrganizationBucket:
        raise NotInContract("a bucket of the organization", contract="1.0")

    async def put_run_metadata(
        self,
        run_id: str,  # noqa: ARG002 - the contract has no such operation
        metadata: Mapping[str, Any] | None,  # noqa: ARG002
        checksum: str | None,  # noqa: ARG002
    ) -> str | None:
        raise self._no_metadata()

    async def put_item_metadata(
        self,
        run_id: str,  # noqa: ARG002 - the contract has no such operation
        reference: str,  # noqa: ARG002
        metadata: Mapping[str, Any] | None,  # noqa: ARG002
        checksum: str | None,  # noqa: ARG002
    ) -> str | None:
        raise self._no_metadata()

    def _no_metadata(self) -> NotInContract:
        return NotInContract("metadata of runs and items", contract=self.facts.line)

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            running = call_operation(self.api, _PACKAGE, operation, *args, **kwargs)
        finally:
            del args, kwargs  # they may hold signed URLs, and tracebacks show the variables of this frame
        return await running


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


def _paging(page: PageRequest, names: Collection[str]) -> dict[str, Any]:
    sort_fields(page.sort, names, aliases=_ALIASES)
    return {"page": page.number, "page_size": page.size, "sort": list(page.sort) or UNSET}
