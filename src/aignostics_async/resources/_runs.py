"""The collection of runs: listing, finding, creating, submitting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from .._config import Uploads
from .._core._arguments import check_function, check_kind
from .._core._misuse import explains_misuse
from .._core._pager import MAX_PAGE_SIZE, Pager, PageRequest
from .._identifiers import as_aware, as_filter, as_future, as_texts, as_version_id
from .._inputs import Item, as_items
from ..contracts._protocol import RunFilter, RunOptions, refuse_reserved_key
from ..models import ApplicationVersion
from ._cancelling import RunMatcher, cancel_all
from ._health import refuse_if_down
from ._run import Run

if TYPE_CHECKING:
    from .._session import Session
    from ..models import Fault, RunDetails
    from ..storage import Store, StoreAddress
    from ..submission import FoundRuns
    from ..transfer.progress._events import Progress
    from ._applications import Applications


@explains_misuse("runs are listed with `async for run in client.runs.list():`")
class Runs:
    """The runs of the caller: listing, finding, creating and cancelling them.

        run = await client.runs.submit("he-tme:v1.0.0", [Item("a", slide="a.svs")], store="s3://slides")

    `client.runs` is the instance of a client. Its async methods, and the pager of `list` when it is iterated,
    raise UsageError if the client is not open.
    """

    def __init__(self, session: Session, applications: Applications) -> None:
        self._session = session
        self._applications = applications

    def list(
        self,
        *,
        application_id: str | None = None,
        application_version: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        organization: str | None = None,
        sort: str | Sequence[str] = "-triggered_at",
        page_size: int = MAX_PAGE_SIZE,
    ) -> Pager[RunDetails]:
        """Return a pager of the caller's runs; sends no request until it is iterated.

            async for run in client.runs.list(application_id="he-tme"):
                print(run.run_id, run.status)

        A run must match every filter that is passed; by default there are none:

        - `application_id` is the part of a version id before the colon, and `application_version` a version
          id such as `"he-tme:v1.2.3"`.
        - `reference` selects the runs with an item of this reference.
        - `metadata` selects the runs whose metadata have all values of a mapping, which may be nested: texts,
          numbers, booleans and None.
        - `organization`, the id of an organization, lists all of its runs in place of the caller's own; only
          administrators may do so.

        `sort` is one or several of `triggered_at`, `triggered_by`, `application_version_id`, `status` and,
        under contract 1.8, `run_id`, `metadata`, `terminated_at` and `termination_reason`, each with a
        leading `-` for descending order; by default `-triggered_at`, the newest first. Costs one request per
        page of `page_size` runs, from 5 to 100 and by default 100.

        Raises UsageError for an empty filter, an invalid version id, `metadata` that are no mapping or have
        the SDK's own key, a `sort` that is not text, or another `page_size`. Iterating raises NotInContract
        for `reference`, `metadata` or `organization` under contract 1.0; UsageError for another field in
        `sort`, and under 1.8 for `metadata` that are empty, too long (1,000 characters as a query) or have
        other values; and the errors that `Pager` names.
        """
        version = None if application_version is None else as_version_id(application_version)
        refuse_reserved_key(metadata)
        filters = RunFilter(
            application_id=as_filter(application_id, "application_id"),
            application_version=version,
            reference=as_filter(reference, "reference"),
            metadata=metadata,
            organization=as_filter(organization, "organization"),
        )
        return self._list(filters, sort, page_size)

    async def get(self, run_id: str) -> RunDetails:
        """Return the current details of a run.

            details = await client.runs.get("0b5c1f8e-6f0e-4c55-9d1f-7a3f1f2f9a10")

        Costs one request. Raises NotFound if the caller has no such run, UsageError for an id that is not a
        UUID, and the errors of requests that `Pager` names.
        """
        return await self._session.bridge.get_run(run_id)

    async def find(
        self,
        *,
        references: Iterable[str] = (),
        application_version: ApplicationVersion | str | None = None,
        since: datetime | None = None,
        submission: str | None = None,
    ) -> FoundRuns:
        """Find the runs whose items have exactly these references, such as one whose reply was lost.

            try:
                run = await client.runs.create(version, items)
            except SubmissionUnknown as lost:
                found = await client.runs.find(
                    references=lost.references, since=lost.sent_at, submission=lost.submission
                )
                if found.exact:
                    run = client.run(found.exact[0].run_id)

        `FoundRuns.exact` are the runs whose items have exactly this set of references. `FoundRuns.possible`
        are runs of which nothing could be read, or only a part, which matches; search again later before you
        send anything. An empty result holds only for the moment, because a request in flight may still create
        its run.

        `submission` is that of a `SubmissionUnknown`, and None by default. The SDK stores it in the metadata
        of the run, so `exact` is then the run that this very request has created. A run without it, whose
        metadata may be written later or were overwritten, is possible if its items match, or if no references
        are passed.

        `application_version`, an `ApplicationVersion` or its id, limits the search to one version, and
        `since`, a datetime with a time zone, to runs from ten minutes before that time on (for clock skew);
        by default all runs are searched. Under contract 1.8 a run that is found costs a few requests.
        Otherwise the search costs one request per hundred runs, and about one for each run whose items are
        compared: all of them, and with `submission` only those without one.

        Raises UsageError without references and `submission`, for `references` that are not several texts, an
        empty `submission`, an invalid version id or a `since` without time zone; NotInContract for a
        `submission` under contract 1.0; InvalidItems if an entry that can't be read may be the run; and the
        errors of requests that `Pager` names. Under contract 1.0 NotFound may mean that there are no runs.
        """
        from ..submission._find import find_runs
        from ..submission._marks import mark_filter

        version_id = (
            application_version.application_version_id
            if isinstance(application_version, ApplicationVersion)
            else application_version
        )
        version_id = None if version_id is None else as_version_id(version_id)
        wanted = frozenset(as_texts(references, "references"))
        submission = as_filter(submission, "submission")

        async def find(oldest: datetime | None, **among: Any) -> FoundRuns:
            runs = self._list(RunFilter(application_version=version_id, **among))
            return await find_runs(
                runs, lambda run_id: self._handle(run_id).results(), wanted, oldest, submission
            )

        if submission is not None:
            found = await find(None, metadata=mark_filter(attempt=submission))
        elif wanted and self._session.bridge.facts.has_metadata:
            found = await find(since, reference=min(wanted))
        else:
            return await find(since)
        # A replica may show a run before its items and its metadata, so only the listing of all runs proves
        # absence.
        return found if found.exact else await find(since)

    def _list(
        self, filters: RunFilter, sort: str | Sequence[str] = "-triggered_at", page_size: int = MAX_PAGE_SIZE
    ) -> Pager[RunDetails]:
        return Pager(
            "list runs",
            lambda page: self._session.bridge.list_runs(page, filters),
            PageRequest.first(sort, page_size),
            key=lambda run: run.run_id,
        )

    async def cancel_matching(
        self,
        look: Callable[[Sequence[RunDetails]], bool],
        *,
        application_id: str | None = None,
        application_version: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        since: datetime | None = None,
    ) -> tuple[str, ...]:
        """Cancel the caller's runs that match and are not final, if a function agrees, and return their ids.

            def look(runs):
                print([run.run_id for run in runs])
                return input("cancel these? ") == "yes"

            await client.runs.cancel_matching(look, application_version="he-tme:v1.2.3")

        `look` is called once, in the event loop, with a list of the `RunDetails` of the runs that match, and
        nothing is cancelled unless it returns True; it is not called if there are none. A run must match
        every filter that is passed, and at least one is needed. Filters are those of `list`; `since`, a
        datetime with a time zone, selects the runs that were submitted at that time or later. The client
        compares each run with the filters, too, in case the server ignores one.

        Returns a tuple of the ids of the runs that were cancelled by this call, in the order of the list;
        empty if there are none. A run that has ended in the meantime is no error. Costs the listing, one
        request per run for a `reference`, and one or two per run that is cancelled.

        Raises UsageError without a filter, for a `since` without time zone or a `look` that is no plain
        function, and what `list`, its iteration, `Run.item` for a `reference`, and `look` raise; then nothing
        was cancelled. At the end one ExceptionGroup has an AignosticsError for each run that could not be
        cancelled. Another exception of a token source of your own is raised at once, and may come after runs
        were cancelled.
        """
        check_function(look, "look")
        version = None if application_version is None else as_version_id(application_version)
        selection: dict[str, Any] = {
            "application_id": application_id,
            "application_version": version,
            "reference": reference,
            "metadata": metadata,
        }
        matcher = RunMatcher(RunFilter(**selection), as_aware(since, "since"), self._handle)
        matcher.check()
        listing = self.list(**selection)
        found = [run async for run in listing if await matcher.takes(run)]
        if not found or look(found) is not True:
            return ()
        return await cancel_all([self._handle(run.run_id) for run in found])

    async def create(
        self,
        application_version: ApplicationVersion | str,
        items: Iterable[Item],
        *,
        metadata: Mapping[str, Any] | None = None,
        due_date: datetime | None = None,
        deadline: datetime | None = None,
        callback_context: Mapping[str, Any] | None = None,
    ) -> Run:
        """Create a run from items that have URLs already, with one POST.

            artifact = InputArtifact("slide", url, metadata)
            run = await client.runs.create("he-tme:v1.0.0", [Item("case-7", artifacts=[artifact])])

        All items are checked before the POST. It is repeated only if no connection was made, or once after a
        401. A version id instead of an `ApplicationVersion` costs one more request, before that. If the call
        is cancelled while it waits for the reply, as a timeout does, the run may exist and be billed: a note
        on the CancelledError, which is the cause of a TimeoutError, says how to look with `find`.

        The options are None by default. `metadata` are JSON values that the platform keeps with the run and
        finds it by. `due_date` is when the results are wanted: the platform orders its work by it. At
        `deadline` the platform cancels a run that is not complete, and nobody can change the deadline of a
        run. Both are datetimes with time zone, in the future. `callback_context`, a mapping of at most 1024
        bytes of JSON, comes back in the platform's events about the run. Contract 1.0 has none of these, nor
        metadata of items: NotInContract is raised before anything is sent.

        Raises UsageError for `items` that are not several of `Item`, an invalid version id, a time without
        zone or in the past, metadata or a context that is not JSON, metadata with the SDK's own key, or a
        context that is too long; NotFound for an unknown version id; InvalidSubmission with all faults of all
        items, one with a `slide` among them; and SubmissionUnknown if the run may exist because the reply was
        lost or proves nothing. Any other error means that no run was created: an APIStatusError such as
        QuotaExceeded if the API refused, ConnectionFailed if no connection was made, AuthenticationError if
        there is no usable token. docs/contract.md lists every case.
        """
        given = as_items(items)
        options = self._options(given, metadata, due_date, deadline, callback_context)
        run_id = await self._create(await self._version(application_version), given, options)
        return self._handle(run_id, new=True)

    async def submit(
        self,
        application_version: ApplicationVersion | str,
        items: Iterable[Item],
        *,
        store: Store | StoreAddress | str,
        uploads: Uploads | None = None,
        progress: Progress | None = None,
        identifying: str | Mapping[str, str] | None = None,
        pack: bool = False,
        decode: bool = False,
        references: Literal["given", "pseudonyms"] = "given",
        warn: Callable[[Fault], None] | None = None,
        metadata: Mapping[str, Any] | None = None,
        due_date: datetime | None = None,
        deadline: datetime | None = None,
        callback_context: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> Run:
        """Read the slides of the items, upload them, sign URLs for them, and create a run.

            run = await client.runs.submit(version, [Item("a", slide=Slide("a.svs"))], store="s3://bucket")

        `store` is a store or its address, such as `"platform"` for the organization's own bucket; see
        `Client.store`. All slides are read and all metadata is checked before anything is uploaded. Slides
        are read in processes of their own, which cost their start, some 0.3 s, and end before the first
        upload; one that crashes its reader is a fault like any other. Each file is read once more while it is
        sent, and compared with what the store reports about it (docs/how-to/stores.md). When every file is
        uploaded and unchanged since it was read, URLs are signed for `Settings.url_lifetime` (7 days) and the
        run is created, as by `create`.

        - `uploads` names the objects, and lets an interrupted submission find what it has sent; `Uploads()`,
          the default, uses new names.
        - `progress` is called in the event loop with a `TransferEvent` for each step; None, the default, for
          no callback. An exception that it raises stops the uploads and is raised, and no run is created.
        - `identifying` is the policy for slides that may identify a person, by an image of their label or by
          their headers: `"warn"`, `"refuse"`, `"allow"`, or a mapping from `label`, `macro`, `patient`,
          `case` and `name` to one of them; by default `patient` is refused, and the others are warned of.
        - `pack=True` sends slides of several files as a zip, listed by the version or not (False by default).
        - `decode=True` decodes every pixel first, which takes minutes for a large slide (False by default).
        - `references="pseudonyms"` keeps references on this machine, and names of files, except those that a
          format of several files has inside. Each item gets a random reference, the same one whenever it is
          sent again; `pseudonyms.csv` in the user's state folder, which only its owner can read, has the
          slide of each. The default is `"given"`.
        - `warn` is called in the event loop with a `Fault` for each warning about a slide; by default
          warnings are logged. What it raises is raised, and no run is created. A slide that this user has
          already had analysed, by `submit` or in a bulk job and under any name, is sent nevertheless, and a
          warning names its run, which costs a few requests.
        - `metadata`, `due_date`, `deadline` and `callback_context` are those of `create`; UsageError is
          raised, too, if the deadline has passed when everything is uploaded.
        - `force=True` skips the request for the platform's health. Without it, under contract 1.8,
          PlatformDown is raised before any slide is read if the platform is DOWN.

        Raises InvalidSubmission with all faults of all items and slides; ConfigurationError for an
        unsupported store, credentials that expire within six days (or `Settings.url_lifetime`, if that is
        less), pseudonyms that can't be kept, or if no process can be started to read slides or 20 in a row
        are lost; NotInContract for the store `platform` under contract 1.0; UsageError for an invalid
        `uploads`, `identifying` or `references`, or a callback that is no plain function; TransferError, or
        another error of the store, for the first file that could not be sent, after all others were tried,
        with notes about the rest; LocalFileChanged for a file that changed since it was read; MissingExtra
        without the `slides` extra; and what `create` raises. What was uploaded stays in the store.
        """
        from ..storage._addresses import open_store
        from ..submission._billing import SubmissionBilling
        from ..submission._billing_index import BillingScope
        from ..submission._prepare import prepare_items

        try:
            given, place = as_items(items), open_store(store, self._session)
        finally:
            del store  # its address may hold a password, and tracebacks show the variables of this frame
        uploads = Uploads() if uploads is None else uploads
        check_kind(uploads, Uploads, "uploads")
        options = self._options(given, metadata, due_date, deadline, callback_context)
        if not force:
            await refuse_if_down(self._session, advice="force=True submits all the same")
        version = await self._version(application_version)
        scope = BillingScope(
            api_root=self._session.api_root,
            application_version=version.application_version_id,
            organization=(await self._session.claims()).organization,
        )
        billing = SubmissionBilling(scope, self._session.bridge)
        ready = await prepare_items(
            version,
            given,
            place,
            settings=self._session.settings,
            uploads=uploads,
            billing=billing,
            progress=progress,
            identifying=identifying,
            pack=pack,
            decode=decode,
            references=references,
            warn=warn,
        )
        run_id = await billing.record(lambda: self._create(version, ready, options))
        return self._handle(run_id, new=True)

    def _options(
        self,
        items: Sequence[Item],
        metadata: Mapping[str, Any] | None,
        due_date: datetime | None,
        deadline: datetime | None,
        callback_context: Mapping[str, Any] | None,
    ) -> RunOptions:
        """Return what a request says beside its items; raises UsageError for what it can't say."""
        options = RunOptions(
            metadata=metadata,
            due_date=as_future(due_date, "due_date"),
            deadline=as_future(deadline, "deadline"),
            callback_context=callback_context,
        )
        self._session.bridge.facts.check_request(items, options)
        return options

    async def _create(self, version: ApplicationVersion, items: Sequence[Item], options: RunOptions) -> str:
        from ..submission._create import create_run

        session, limits = self._session, self._session.settings.limits
        return await create_run(session.bridge, version, items, limits.items_per_run, options=options)

    async def _version(self, version: ApplicationVersion | str) -> ApplicationVersion:
        if isinstance(version, ApplicationVersion):
            return version
        return await self._applications.version(version)

    def _handle(self, run_id: str, *, new: bool = False) -> Run:
        return Run(run_id, self._session, new=new)
