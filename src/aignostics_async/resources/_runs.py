"""The collection of runs: listing, finding, creating, submitting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from .._config import Uploads
from .._core._pager import MAX_PAGE_SIZE, Pager, PageRequest
from .._identifiers import as_texts, as_version_id
from .._inputs import Item, as_items
from ..models import ApplicationVersion
from ..storage import Store, StoreAddress, open_store
from ._run import Run

if TYPE_CHECKING:
    from .._session import Session
    from ..models import Fault, RunDetails
    from ..submission import FoundRuns
    from ..transfer._progress import Progress
    from ._applications import Applications


class Runs:
    """The runs of the caller, reached as `client.runs`."""

    def __init__(self, session: Session, applications: Applications) -> None:
        self._session = session
        self._applications = applications

    def list(
        self,
        *,
        application_id: str | None = None,
        application_version: str | None = None,
        sort: str | Sequence[str] = "-triggered_at",
        page_size: int = MAX_PAGE_SIZE,
    ) -> Pager[RunDetails]:
        """Return a pager of the caller's runs, by default the newest first; no I/O until it is iterated.

            async for run in client.runs.list(application_id="h-e-tme"):
                print(run.run_id, run.status)

        `application_version` is a version id such as `"h-e-tme:v1.2.3"`. `sort` names fields, each with a
        leading `-` for descending order. Costs one request per page of `page_size` runs, by default 100.
        Raises UsageError unless `page_size` is from 5 to 100.
        """
        version = None if application_version is None else as_version_id(application_version)
        return Pager(
            "list runs",
            lambda page: self._session.bridge.list_runs(
                page, application_id=application_id, application_version=version
            ),
            PageRequest.first(sort, page_size),
            key=lambda run: run.run_id,
        )

    async def get(self, run_id: str) -> RunDetails:
        """Return the current details of a run; costs one request.

        Raises NotFound if the caller has no such run, and UsageError for an id that is not a UUID.
        """
        return await self._session.bridge.get_run(run_id)

    async def find(
        self,
        *,
        references: Iterable[str],
        application_version: ApplicationVersion | str | None = None,
        since: datetime | None = None,
    ) -> FoundRuns:
        """Find the runs with exactly these references, such as one that a lost submission may have created.

            except SubmissionUnknown as lost:
                found = await client.runs.find(references=lost.references, since=lost.sent_at)

        `exact` are the runs with this very set of references. `possible` are runs with unreadable results, or
        with only a part of the set so far: search again later, before sending anything. An empty answer holds
        only for the moment: a request in flight may still create its run.

        Costs one listing, back to `since` (an aware time, less ten minutes of clock skew; by default the
        first run), and about one request per run in it. `application_version` limits the search to one
        version. Raises UsageError without references, and InvalidItems if an unreadable entry may be the run.
        """
        from ..submission import find_runs

        version_id = (
            application_version.application_version_id
            if isinstance(application_version, ApplicationVersion)
            else application_version
        )
        return await find_runs(
            self.list(application_version=version_id),
            lambda run_id: self._handle(run_id).results(),
            frozenset(as_texts(references, "references")),
            since,
        )

    async def create(self, application_version: ApplicationVersion | str, items: Iterable[Item]) -> Run:
        """Create a run from items that have URLs already, with one POST.

            artifact = InputArtifact("slide", url, metadata)
            run = await client.runs.create("he-tme:v1.0.0", [Item("case-7", artifacts=[artifact])])

        The items are checked first. The POST is repeated only if no connection was made, or once after a 401.
        An id in place of a version costs one more request.

        Raises InvalidSubmission with all faults before anything is sent, SubmissionUnknown if the run may
        exist because the reply was lost or proves nothing, and otherwise the API's refusal, such as
        QuotaExceeded. docs/contract.md lists every case. If the call is cancelled while it waits for the
        reply, the run may exist, too: find out with `find`.
        """
        from ..submission import create_run

        given = as_items(items)
        version = await self._version(application_version)
        run_id = await create_run(
            self._session.bridge, version, given, self._session.settings.limits.items_per_run
        )
        return self._handle(run_id, new=True)

    async def submit(
        self,
        application_version: ApplicationVersion | str,
        items: Iterable[Item],
        *,
        store: Store | StoreAddress | str,
        uploads: Uploads | None = None,
        progress: Progress | None = None,
        identifying: str | Mapping[str, str] = "warn",
        pack: bool = False,
        warn: Callable[[Fault], None] | None = None,
    ) -> Run:
        """Read the slides of the items, upload them, sign URLs for them, and create a run.

            run = await client.runs.submit(version, [Item("a", slide=Slide("a.svs"))], store="s3://bucket")

        `store` is a store, or its address. All slides are read and all metadata is checked before anything is
        uploaded. Each file is read once more while it is sent, and compared with what the store reports about
        it: see docs/how-to/stores.md. URLs are signed when every file is uploaded and unchanged since it was
        read, for `Settings.url_lifetime`; then the run is created. `uploads` names the objects, and lets an
        interrupted submission find what it has sent; by default every call uses new names.

        `identifying` is the policy for slides that may identify a person by a picture of their label or by
        their headers: `"warn"`, `"refuse"`, `"allow"`, or a mapping from `label`, `macro`, `patient` and
        `case` to one of them. `warn` is called with each warning about a slide; by default warnings are
        logged. With `pack`, slides of several files are sent as one zip even if the version does not list
        that format.

        `progress` is called with a `TransferEvent`, and never after the run is requested; an exception that
        it raises stops the uploads and is raised, and no run is created.

        Raises InvalidSubmission with all faults of all items and slides; TransferError for the first file
        that could not be sent, after all others were tried, with notes about the rest; and what `create`
        raises. Needs the `slides` extra.
        """
        from ..submission import prepare_items

        given, place = as_items(items), open_store(store, self._session)
        version = await self._version(application_version)
        ready = await prepare_items(
            version,
            given,
            place,
            settings=self._session.settings,
            uploads=uploads or Uploads(),
            progress=progress,
            identifying=identifying,
            pack=pack,
            warn=warn,
        )
        return await self.create(version, ready)

    async def _version(self, version: ApplicationVersion | str) -> ApplicationVersion:
        if isinstance(version, ApplicationVersion):
            return version
        return await self._applications.version(version)

    def _handle(self, run_id: str, *, new: bool = False) -> Run:
        return Run(run_id, self._session, new=new)
