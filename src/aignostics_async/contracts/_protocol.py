"""What every translation of a line of the contract offers, in terms of `models.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from attrs import evolve, field, frozen

from .._core._json import plain_mapping
from ..errors import NotInContract, UsageError
from ..models import RESERVED_KEY

if TYPE_CHECKING:
    from .._account_models import Me, OrganizationBucket
    from .._config import Settings
    from .._core._pager import Page, PageRequest
    from .._http._api_pool import ApiPool
    from .._http._client import Response
    from .._inputs import Item
    from ..models import Application, ApplicationVersion, Document, ItemResult, RunDetails

MAX_CALLBACK_CONTEXT = 1024
"""Bytes of a callback context as JSON."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Operation(Protocol[_P, _T_co]):
    """A module of a generated package, as `Client.call` accepts it.

        from aignostics_api_1_8.api.public import list_runs

        runs = await client.call(list_runs, page_size=10)

    `aignostics_api_1_8.api.public` has one module for each operation of contract 1.8, and
    `aignostics_api.api.public` for each of contract 1.0. Pass the module itself.
    """

    def _get_kwargs(self, *args: _P.args, **kwargs: _P.kwargs) -> dict[str, Any]: ...

    def _parse_response(self, *, client: Any, response: Response) -> _T_co: ...


@frozen
class ContractFacts:
    """What differs between the lines of the contract beyond the spelling of requests and responses."""

    line: str
    """The name of the line, such as `1.8`."""
    has_metadata: bool = False
    """Whether runs and items keep metadata of the caller's, and runs are found by it and by references."""
    has_scheduling: bool = False
    """Whether a run has a due date and a deadline."""
    has_account: bool = False
    """Whether the platform tells who the caller is, and gives a bucket to each organization."""
    has_health: bool = False
    """Whether deployments that speak it tell how they are, beside the contract."""

    def check_health(self) -> None:
        """Raise NotInContract if deployments that speak this contract do not tell how they are."""
        if not self.has_health:
            raise NotInContract("the health of a deployment", contract=self.line)

    def check_filter(self, filters: RunFilter) -> None:
        """Raise NotInContract for a filter that the contract can't express."""
        for name in ("reference", "metadata"):
            if getattr(filters, name) is not None and not self.has_metadata:
                raise NotInContract(f"listing runs by {name}", contract=self.line)
        if filters.organization is not None and not self.has_account:
            raise NotInContract("listing runs by organization", contract=self.line)

    def check_metadata(self, *given: Mapping[str, Any] | None) -> None:
        """Raise NotInContract for custom metadata that the contract has not, UsageError for the SDK's key."""
        for metadata in given:
            if metadata is not None and not self.has_metadata:
                raise NotInContract("metadata of runs and items", contract=self.line)
            refuse_reserved_key(metadata)

    def check_request(self, items: Sequence[Item], options: RunOptions) -> None:
        """Raise NotInContract for a run request that the contract can't express."""
        self.check_metadata(*(item.metadata for item in items))
        self.check_options(options)
        options.check()

    def check_options(self, options: RunOptions) -> None:
        """Raise NotInContract for what a run request says beside its items and the contract can't express."""
        self.check_metadata(options.metadata)
        if not self.has_scheduling and (options.due_date or options.deadline):
            raise NotInContract("a due date or deadline", contract=self.line)
        if not self.has_scheduling and options.callback_context is not None:
            raise NotInContract("a callback context", contract=self.line)


def refuse_reserved_key(metadata: Mapping[str, Any] | None) -> None:
    """Raise UsageError for metadata that are no mapping, or have the key of the SDK's own."""
    if metadata is not None and not isinstance(metadata, Mapping):
        raise UsageError(f"metadata are a mapping, not {type(metadata).__name__}")
    if RESERVED_KEY in (metadata or {}):
        raise UsageError(f"the key {RESERVED_KEY!r} of metadata is the SDK's own; use another one")


@frozen(kw_only=True)
class RunFilter:
    """Which runs to list; None selects all."""

    application_id: str | None = None
    application_version: str | None = None
    """A version id, such as `he-tme:v1.2.0`."""
    reference: str | None = None
    """Of one of the run's items."""
    metadata: Mapping[str, Any] | None = None
    """Values that the metadata of the run must have; may be nested."""
    organization: str | None = None
    """All runs of this organization, not only the caller's own; for administrators."""


@frozen(kw_only=True)
class RunOptions:
    """What a run request says beside its version and its items."""

    metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    sdk_metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    """What the SDK itself stores with the run, under its own key."""
    due_date: datetime | None = None
    deadline: datetime | None = None
    callback_context: Mapping[str, Any] | None = field(default=None, repr=False)
    """What the platform's events about the run repeat, for whoever receives them."""

    def without_past(self, now: datetime) -> RunOptions:
        """Return the options without a due date that has passed, which the platform may refuse."""
        is_past = self.due_date is not None and self.due_date <= now
        return evolve(self, due_date=None) if is_past else self

    def check(self) -> None:
        """Raise UsageError for a deadline that has passed, and for no mapping of JSON or one too long."""
        if self.deadline is not None and self.deadline <= datetime.now(UTC):
            raise UsageError(
                f"the deadline {self.deadline.isoformat()} has passed; give a later one, or none"
            )
        if self.callback_context is None:
            return
        if not isinstance(self.callback_context, Mapping):
            raise UsageError(f"callback_context is a mapping, not {type(self.callback_context).__name__}")
        try:
            # The longest form, since nobody knows in which one the platform counts.
            text = json.dumps(dict(self.callback_context), allow_nan=False, default=plain_mapping)
            json.dumps(json.loads(text), ensure_ascii=False).encode()  # raises for half a surrogate pair
            size = len(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(f"callback_context is no JSON object: {error}") from None
        if size > MAX_CALLBACK_CONTEXT:
            raise UsageError(
                f"callback_context has {size} bytes as JSON, {MAX_CALLBACK_CONTEXT} are the limit"
            )


NO_OPTIONS = RunOptions()


class Bridge(Protocol):
    """The operations of one line of the contract; each costs one request unless it says otherwise."""

    facts: ContractFacts
    api: ApiPool

    def under(self, settings: Settings) -> Bridge:
        """Return the operations over the same connections, under other timeouts, retries and hooks."""
        ...

    async def list_applications(self, page: PageRequest) -> Page[Application]:
        """Return one page of the applications."""
        ...

    async def list_application_versions(
        self, application_id: str, page: PageRequest, *, version: str | None
    ) -> Page[ApplicationVersion]:
        """Return one page of the versions of an application, or the one of a number."""
        ...

    async def get_application_version(self, application_id: str, version: str) -> ApplicationVersion:
        """Return one version by its number, such as `1.2.0`. Raises NotFound."""
        ...

    async def list_runs(self, page: PageRequest, filters: RunFilter) -> Page[RunDetails]:
        """Return one page of the caller's runs."""
        ...

    async def list_runs_again(
        self, page: PageRequest, before: dict[int, tuple[bytes, Page[RunDetails]]]
    ) -> Page[RunDetails]:
        """Return one page of the runs, and decode it only if it changed.

        `before` maps a page number to its last body and page, and is updated.
        """
        ...

    async def create_run(
        self,
        application_version_id: str,
        items: Sequence[Item],
        options: RunOptions,
        *,
        once: bool = False,
    ) -> str:
        """Send a run request and return the id of the new run; with `once`, not again after a 401."""
        ...

    async def get_run(self, run_id: str) -> RunDetails:
        """Return the details of a run. Raises NotFound."""
        ...

    async def cancel_run(self, run_id: str) -> None:
        """Cancel a run. Raises Conflict for one that is final."""
        ...

    async def delete_run_results(self, run_id: str) -> None:
        """Delete the output artifacts of a run. Raises Gone or Conflict."""
        ...

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
        """Return one page of the items of a run that match all filters; empty ones select everything."""
        ...

    async def put_run_metadata(
        self, run_id: str, metadata: Mapping[str, Any] | None, checksum: str | None
    ) -> str | None:
        """Replace all custom metadata of a run, and return their checksum.

        Raises PreconditionFailed unless `checksum` is that of the current ones; None is of no metadata, and
        the server takes it for no condition.
        """
        ...

    async def put_item_metadata(
        self, run_id: str, reference: str, metadata: Mapping[str, Any] | None, checksum: str | None
    ) -> str | None:
        """Replace all custom metadata of an item, like `put_run_metadata`.

        Raises UsageError for a reference that can't be a part of a path.
        """
        ...

    async def artifact_url(self, run_id: str, item_id: str, artifact_id: str) -> str | None:
        """Return a fresh signed URL of an output artifact, or None if the platform offers none any more."""
        ...

    async def list_documents(self, application_id: str, version: str) -> Sequence[Document]:
        """Return the documents of a version. Raises NotFound and NotInContract."""
        ...

    async def document_url(self, application_id: str, version: str, name: str) -> str:
        """Return a signed URL of a document. Raises NotFound and NotInContract."""
        ...

    async def get_me(self) -> Me:
        """Return the user and the organization of the token. Raises NotInContract."""
        ...

    async def get_bucket(self) -> OrganizationBucket:
        """Return the organization's bucket with its keys, which are secrets. Raises NotInContract."""
        ...

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a generated operation of this line, and return its generated model."""
        ...
