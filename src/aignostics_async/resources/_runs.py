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
    """The runs of the caller; reached as `client.runs`."""

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
        """Return a pager of the caller's runs, by default the newest first.

        `application_version` is a version id such as `"h-e-tme:v1.2.3"`. `sort` names fields, each with `-`
        in front for descending order. Costs one request per page of `page_size` runs, 5 to 100.
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
        """Return the current details of a run. Raises NotFound unless it is one of the caller's."""
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

        `exact` are the runs with this very set of references. `possible` are runs with results that can't be
        read yet, or that show a part of the set so far: find them again later, before sending anything. An
        empty answer is true of the moment: a request may still be in progress and create its run later.

        Costs one listing, back to `since` (an aware time, less ten minutes of clock skew) or to the first run
        there is, and about one request per run in it. Raises InvalidItems if an entry can't be read that may
        be the run.
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

        The POST is repeated only while it never left, and once after a 401.

        The items are checked first. Raises InvalidSubmission with all faults, before anything is sent;
        SubmissionUnknown if the run may exist, because the reply was lost or proves nothing; else what the
        API refused it with, such as QuotaExceeded. docs/contract.md lists every case. A call that is
        cancelled while it waits for the reply may have created the run, too: `find` tells. A version id
        instead of a version costs one request more.
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

        `store` is a store, or the address of one. All slides are read and all metadata is checked before the
        first byte is uploaded. Each file is read once more while it is sent, and what the store says about it
        is compared: see docs/how-to/stores.md. URLs are signed once every file has arrived and is unchanged
        since it was read, for `Settings.url_lifetime`; then the run is created. `uploads` names the objects,
        and lets an interrupted submission find what it has sent.

        `identifying` says what to do about slides that may identify a person, by a picture of their label or
        by their headers: `"warn"`, `"refuse"`, `"allow"`, or a mapping from `label`, `macro`, `patient` and
        `case` to one of them. `warn` is called with each remark about a slide that a person should read; by
        default it is logged. With `pack`, slides of several files are sent as one zip to a version that does
        not say that it takes one.

        `progress` is called with a `TransferEvent`, and never after the run is requested: what it raises
        stops the uploads and is raised, and no run is created.

        Raises InvalidSubmission with all faults of all items, of their slides too; TransferError for the
        first file that could not be sent, after all others have been tried, with notes about the rest; and
        what `create` raises. Needs the `slides` extra.
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
