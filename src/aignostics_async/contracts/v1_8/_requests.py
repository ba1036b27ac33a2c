"""The operations of 1.8 and what is added to it: parameters in, models or typed errors out.

Only the pure halves of the generated package are used: `_get_kwargs`, which builds a request from parameters,
and the models' `from_dict` in `_decoding.py`. `_http/` sends the requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urljoin, urlsplit

import aignostics_api_1_8
from aignostics_api_1_8.api.public import (
    cancel_run as _cancel_run,
    create_run as _create_run,
    delete_run_artifacts as _delete_run_artifacts,
    get_application as _get_application,
    get_application_version as _get_application_version,
    get_artifact_file as _get_artifact_file,
    get_me as _get_me,
    get_run as _get_run,
    get_version_document_content as _get_document,
    list_applications as _list_applications,
    list_run_items as _list_run_items,
    list_runs as _list_runs,
    list_version_documents as _list_documents,
    put_item_metadata as _put_item_metadata,
    put_run_metadata as _put_run_metadata,
)
from aignostics_api_1_8.models import (
    CustomMetadataUpdateRequest,
    InputArtifactCreationRequest,
    ItemCreationRequest,
    RunCreationRequest,
    SchedulingRequest,
)
from aignostics_api_1_8.types import UNSET
from attrs import evolve

from ..._core._pager import MAX_PAGE_SIZE, Page, PageRequest
from ..._core._secret import SecretText
from ..._core._tasks import run_all
from ..._identifiers import as_item_path, as_path_part, as_uuid, split_version_id
from ..._inputs import Item
from ...errors import Gone, InvalidItems, InvalidResponse, NotFound
from ...models import (
    RESERVED_KEY,
    Application,
    ApplicationVersion,
    ItemResult,
    ItemStatus,
    RunDetails,
)
from .._decoding import contract_violation, created, one, page_again, page_of, run_of
from .._mismatch import Signature, has_no_route, send
from .._protocol import ContractFacts, Operation, RunFilter, RunOptions
from .._requests import GeneratedPackage, call_operation, sealed
from . import _account, _decoding
from ._filters import metadata_path
from ._sorting import APPLICATIONS, ITEMS, RUNS, SortFields, sort_versions, translated
from ._states import item_filter

if TYPE_CHECKING:
    from ..._account_models import Me, OrganizationBucket
    from ..._config import Settings
    from ..._http._api_pool import ApiPool
    from ..._http._client import Response
    from ...models import Document

_P = ParamSpec("_P")
_T = TypeVar("_T")
_PACKAGE = GeneratedPackage("aignostics_api_1_8", "1.8", aignostics_api_1_8.Client(base_url=""))
_OTHER = Signature(
    line="1.0",
    fields=frozenset({"application_run_id", "application_version_id", "reference"}),
    not_sortable=frozenset({"submitted_at", "external_id"}),
)
_VERSIONS_AT_ONCE = 4


class Bridge18:
    """The operations of 1.8, in terms of `models.py`."""

    facts = ContractFacts(
        line="1.8", has_metadata=True, has_scheduling=True, has_account=True, has_health=True
    )

    def __init__(self, api: ApiPool) -> None:
        self.api = api

    def under(self, settings: Settings) -> Bridge18:
        """Return the operations over the same connections, under other timeouts, retries and hooks."""
        return Bridge18(self.api.under(settings))

    async def _send(self, operation: str, **request: Any) -> Response:
        return await send(self.api, _OTHER, operation, **request)

    async def list_applications(self, page: PageRequest) -> Page[Application]:
        request = _list_applications._get_kwargs(**_paging(page, APPLICATIONS))
        response = await self._send("list applications", **request)
        return await page_of("list applications", response, page, _decoding.application, _OTHER)

    async def list_application_versions(
        self, application_id: str, page: PageRequest, *, version: str | None
    ) -> Page[ApplicationVersion]:
        request = _get_application._get_kwargs(as_path_part(application_id, "application id"))
        response = await self._send("list versions", **request)
        listed = one("list versions", response, _decoding.released_versions, _OTHER)
        chosen = [each for each in sort_versions(listed, page.sort) if version in (None, each.number)]
        numbers = [each.number for each in chosen[(page.number - 1) * page.size : page.number * page.size]]
        found = await run_all(
            [partial(self._version_if_there, application_id, number) for number in numbers],
            limit=_VERSIONS_AT_ONCE,
        )
        items = tuple(each for each in found if each is not None)
        return Page(page.number, items, left_out=len(numbers) - len(items))

    async def _version_if_there(self, application_id: str, number: str) -> ApplicationVersion | None:
        try:
            return await self.get_application_version(application_id, number)
        except NotFound:
            return None  # it is gone since it was listed

    async def get_application_version(self, application_id: str, version: str) -> ApplicationVersion:
        request = _get_application_version._get_kwargs(
            as_path_part(application_id, "application id"), as_path_part(version, "version")
        )
        response = await self._send("get version", **request)
        found = one("get version", response, partial(_decoding.version, application_id), _OTHER)
        # Another version is another price.
        if found.version != version:
            raise contract_violation("get version", response, f"it is version {found.version!r}")
        return found

    async def list_runs(self, page: PageRequest, filters: RunFilter) -> Page[RunDetails]:
        if _excludes_all(filters):
            return Page(page.number, ())
        request = _list_runs._get_kwargs(**_run_query(filters), **_paging(page, RUNS))
        response = await self._send_listing(page, request)
        if response is None:
            return Page(page.number, ())
        return await page_of("list runs", response, page, _decoding.run, _OTHER)

    async def list_runs_again(
        self, page: PageRequest, before: dict[int, tuple[bytes, Page[RunDetails]]]
    ) -> Page[RunDetails]:
        response = await self._send_listing(page, _list_runs._get_kwargs(**_paging(page, RUNS)))
        if response is None:
            return Page(page.number, ())
        return await page_again("list runs", response, page, _decoding.run, before=before, other=_OTHER)

    async def _send_listing(self, page: PageRequest, request: dict[str, Any]) -> Response | None:
        """Return the response to a listing of runs; None for a 404 that may say that there are none."""
        try:
            return await self._send("list runs", **request)
        except NotFound as error:
            # The contract documents it for a listing, so it may be how an empty one is told.
            if page.number > 1 or has_no_route(error):
                raise
            return None

    async def create_run(
        self,
        application_version_id: str,
        items: Sequence[Item],
        options: RunOptions,
        *,
        once: bool = False,
    ) -> str:
        request = sealed(_run_request, application_version_id, items, options)
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
        request = _delete_run_artifacts._get_kwargs(as_uuid(run_id, "run id"))
        await self._send("delete results", **request)

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
        own_id = as_uuid(run_id, "run id")
        wanted = frozenset(ItemStatus(ItemStatus(status).name) for status in statuses)
        state, reason = item_filter(wanted)
        request = _list_run_items._get_kwargs(
            own_id,
            item_id_in=[as_uuid(item_id, "item id") for item_id in item_ids] or UNSET,
            external_id_in=list(references) or UNSET,
            state=state or UNSET,
            termination_reason=reason or UNSET,
            custom_metadata=UNSET if metadata is None else metadata_path(metadata),
            **_paging(page, ITEMS),
        )
        response = await self._send("list results", **request)
        found = await page_of("list results", response, page, partial(_decoding.item, own_id), _OTHER)
        if not wanted:
            return found
        # The contract takes one state and one reason, so what does not match is left out here.
        items = tuple(item for item in found.items if item.status in wanted)
        others = tuple(item.item_id for item in found.items if item.status not in wanted)
        return evolve(found, items=items, left_out=len(others), left_out_keys=others)

    async def put_run_metadata(
        self, run_id: str, metadata: Mapping[str, Any] | None, checksum: str | None
    ) -> str | None:
        own_id = as_uuid(run_id, "run id")
        return await self._put_metadata(partial(_put_run_metadata._get_kwargs, own_id), metadata, checksum)

    async def put_item_metadata(
        self, run_id: str, reference: str, metadata: Mapping[str, Any] | None, checksum: str | None
    ) -> str | None:
        place = as_uuid(run_id, "run id"), as_item_path(reference)
        return await self._put_metadata(partial(_put_item_metadata._get_kwargs, *place), metadata, checksum)

    async def _put_metadata(
        self, build: Callable[..., dict[str, Any]], metadata: Mapping[str, Any] | None, checksum: str | None
    ) -> str | None:
        body = CustomMetadataUpdateRequest(
            custom_metadata=None if metadata is None else dict(metadata), custom_metadata_checksum=checksum
        )
        response = await self._send("set metadata", **sealed(build, body=body))
        if not response.content:
            return None  # what succeeds with nothing has succeeded
        return one("set metadata", response, _decoding.metadata_checksum, _OTHER)

    async def artifact_url(
        self,
        run_id: str,
        item_id: str,  # noqa: ARG002 - where there is no endpoint for it, the item is listed again
        artifact_id: str,
    ) -> str | None:
        request = _get_artifact_file._get_kwargs(
            as_uuid(run_id, "run id"), as_path_part(artifact_id, "artifact id")
        )
        try:
            response = await self._send("get artifact", **request, redirected=True)
        except Gone:
            return None
        return _redirect_of("get artifact", response)

    async def list_documents(self, application_id: str, version: str) -> Sequence[Document]:
        request = _list_documents._get_kwargs(
            as_path_part(application_id, "application id"), as_path_part(version, "version")
        )
        response = await self._send("list documents", **request)
        page = PageRequest.first((), MAX_PAGE_SIZE)  # the list has no pages
        found = await page_of("list documents", response, page, _decoding.document, _OTHER)
        if found.invalid:
            raise InvalidItems("list documents", found.invalid)
        return found.items

    async def document_url(self, application_id: str, version: str, name: str) -> str:
        request = _get_document._get_kwargs(
            as_path_part(application_id, "application id"),
            as_path_part(version, "version"),
            as_path_part(name, "document"),
        )
        return _redirect_of("get document", await self._send("get document", **request, redirected=True))

    async def get_me(self) -> Me:
        return one("get me", await self._send("get me", **_get_me._get_kwargs()), _account.me, is_secret=True)

    async def get_bucket(self) -> OrganizationBucket:
        response = await self._send("get me", **_get_me._get_kwargs())
        return one("get me", response, _account.bucket, is_secret=True)

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            running = call_operation(self.api, _PACKAGE, operation, *args, **kwargs)
        finally:
            del args, kwargs  # they may hold signed URLs, and tracebacks show the variables of this frame
        return await running


def _redirect_of(operation: str, response: Response) -> str:
    """Return the address of a file in a response; raises InvalidResponse where there is none."""
    with suppress(ValueError):  # what can't be joined is no URL
        address = SecretText(urljoin(str(response.url), response.headers.get("location", "")))
        if response.has_redirect_location and urlsplit(address).scheme in ("https", "http"):
            return address
    # Nothing of a body is shown: it may be the file itself.
    reason = "the address of the file was expected, and something else came"
    raise InvalidResponse(reason, operation=operation, status=response.status_code, excerpt="")


def _excludes_all(filters: RunFilter) -> bool:
    """Whether no run can match a filter: its version is one of another application."""
    if filters.application_version is None or filters.application_id is None:
        return False
    return split_version_id(filters.application_version)[0] != filters.application_id


def _run_query(filters: RunFilter) -> dict[str, Any]:
    application_id, number = filters.application_id, None
    if filters.application_version is not None:
        application_id, number = split_version_id(filters.application_version)
    metadata = None if filters.metadata is None else metadata_path(filters.metadata)
    return {
        "application_id": application_id or UNSET,
        "application_version": number or UNSET,
        "external_id": UNSET if filters.reference is None else filters.reference,
        "for_organization": filters.organization or UNSET,
        "custom_metadata": metadata or UNSET,
    }


def _run_request(application_version_id: str, items: Sequence[Item], options: RunOptions) -> dict[str, Any]:
    application_id, number = split_version_id(application_version_id)
    is_scheduled = options.due_date is not None or options.deadline is not None
    times = SchedulingRequest(due_date=options.due_date or UNSET, deadline=options.deadline or UNSET)
    body = RunCreationRequest(
        application_id=application_id,
        # Always: another version is another price.
        version_number=number,
        items=[_item_request(item) for item in items],
        custom_metadata=_or_unset(_all_metadata(options)),
        scheduling=times if is_scheduled else UNSET,
        callback_context=_or_unset(options.callback_context),
    )
    return _create_run._get_kwargs(body=body)


def _item_request(item: Item) -> ItemCreationRequest:
    return ItemCreationRequest(
        external_id=item.reference,
        custom_metadata=_or_unset(item.metadata),
        input_artifacts=[
            InputArtifactCreationRequest(
                name=artifact.name,
                download_url=artifact.download_url,
                metadata=dict(artifact.metadata),
            )
            for artifact in item.artifacts
        ],
    )


def _all_metadata(options: RunOptions) -> Mapping[str, Any] | None:
    if options.sdk_metadata is None:
        return options.metadata
    return {**(options.metadata or {}), RESERVED_KEY: dict(options.sdk_metadata)}


def _or_unset(metadata: Mapping[str, Any] | None) -> Any:
    return UNSET if metadata is None else dict(metadata)


def _paging(page: PageRequest, names: SortFields) -> dict[str, Any]:
    sort = translated(page.sort, names)
    return {"page": page.number, "page_size": page.size, "sort": sort or UNSET}
