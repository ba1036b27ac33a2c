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
        """Give the caller's runs, the newest first, one request per page of `page_size` (5 to 100)."""
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
        """Return a run as it stands now; raises NotFound unless it is one of the caller's."""
        return await self._session.bridge.get_run(run_id)

    async def find(
        self,
        *,
        references: Iterable[str],
        application_version: ApplicationVersion | str | None = None,
        since: datetime | None = None,
    ) -> FoundRuns:
        """Tell which runs have exactly these references: whether a submission of unknown fate arrived.

        `exact` are the runs with this very set of references; `possible` are runs whose results can't be
        read yet, or show a part of the set so far: look again later before sending anything. "Nothing" is
        true of the moment: a request that is still on its way may arrive minutes later.

        Costs one listing, back to `since` (an aware time, less ten minutes for clocks that differ) or to
        the first run there is, and about one request per run in it. Raises InvalidItems if a run can't be
        read that may be the one.
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
        """Create a run from items that have URLs already, with one POST that is never repeated.

        Everything that can be known is checked first. Raises InvalidSubmission with all faults, before
        anything is sent; SubmissionUnknown when the reply was lost, so that the run may exist. Cancelling
        the call while it waits for the reply leaves the same doubt. Given a version id instead of a
        version, it costs one request more.
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

        `store` is a store, or the address of one, such as `s3://bucket/prefix`. All slides are read and all
        metadata is checked before the first byte is uploaded; each file is read once more while it is sent,
        its CRC32C taken in the same pass and compared with the store's. `uploads` says how the objects are
        named, and lets an interrupted submission find what it has sent. URLs are signed when every file has
        arrived, for `Settings.url_lifetime`. Nothing is created unless every file arrived, and is unchanged
        since it was read.

        `identifying` says what to do about slides that may identify a person, by a picture of their label or
        by their headers: `"warn"`, `"refuse"`, `"allow"`, or a mapping from `label`, `macro`, `patient` and
        `case` to one of them. `warn` is called with each thing that a person should know about a slide; by
        default it is logged. With `pack`, slides of several files are sent as one zip to a version that does
        not say that it takes one.

        Raises InvalidSubmission with all faults of all items, SlideError never alone; TransferError for
        the first file that could not be sent, when all others are; and what `create` raises. Needs the
        `slides` extra.
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
