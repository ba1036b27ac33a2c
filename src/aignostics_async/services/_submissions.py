"""Submissions that go on behind the requests that started them, and after a kill."""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid
from collections.abc import Callable, Collection, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from anyio import to_thread
from attrs import evolve

from .._client import Client
from .._config import Uploads
from .._core._arguments import as_path, check_function
from .._core._backoff import Backoff
from .._core._clock import SYSTEM_CLOCK
from .._core._logging import get_logger
from .._core._tasks import is_cancelled
from .._identifiers import as_texts
from .._internals import contract_facts
from ..errors import AignosticsError, SubmissionUnknown, UsageError
from ..transfer.progress._events import Progress, TransferEvent, TransferTally
from ._journal import Submission, SubmissionJournal, SubmissionStatus
from ._public_message import public_message

if TYPE_CHECKING:
    from ..models import RunDetails
    from ..resources._run import Run

_TAG = "aignostics_async_submission"  # in the metadata of a run
_CLOCK_SKEW = timedelta(minutes=1)
_SEARCHES = 4  # while a run may still appear, after the first
_MAX_KEPT = 50  # that are over
_UNREADABLE = "a run that may be its own can't be read yet"
_log = get_logger("aignostics_async")


class Submit(Protocol):
    """An async function that submits the slides of a submission, as `BackgroundSubmissions` takes it.

        async def submit(submission, **tracking):
            items = [Item(name, slide=slides[name]) for name in submission.references]
            return await client.runs.submit(version, items, store=store, **tracking)

    It is called in the event loop, once for each submission, and again by a later process if no run of it has
    appeared. It must pass `tracking`, arguments for `Runs.submit`, on to one call of that. What it raises
    ends the submission as FAILED, except that a run whose reply was lost is looked for.
    """

    def __call__(self, submission: Submission, **tracking: Any) -> Coroutine[Any, Any, Run]:
        """Return the run."""


class BackgroundSubmissions:
    """Submissions that continue after the request that started them, and after a restart or a kill.

        async def submit(submission, **tracking):
            items = [Item(name, slide=slides[name]) for name in submission.references]
            return await client.runs.submit(version, items, store=store, **tracking)

        async with BackgroundSubmissions("data/submissions.json", client, submit) as submissions:
            submission = await submissions.start(["case-7"], owner=user)

    `submit` calls `Runs.submit` with an item for each of `submission.references`, passes on `tracking`, which
    holds `progress`, `uploads` and `metadata`, and returns the run. `path` is the file that keeps the
    submissions that are under way and the last 50 that are over. `on_change` is a plain function, called in
    the event loop with a `Submission` when it has changed, and for each in the file when the block is
    entered; what it raises is logged and changes nothing. `describe` returns a text for users about an error;
    `public_message` by default. At most `max_pending` (10) submissions are under way.

    Each submission becomes one run. A submission that an earlier process left is continued: its run is
    searched by its metadata under contract 1.8, and under 1.0 by its references, among the runs of that time
    that belong to no other submission. Its slides are submitted again only if no run has appeared for
    `settle` (60) seconds, and those that are in the store already are not sent again. If the reply to a
    request for a run is lost, the run is searched in the same way; if there is none, the submission has
    failed, and nothing is sent again. Submissions of the same references wait for each other.

    Creating it raises UsageError for a function of another kind. Entering it raises ConfigurationError if
    another process uses `path`, or if it can't be read or locked. Leaving cancels what is under way, for the
    next process to continue.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        client: Client,
        submit: Submit,
        *,
        on_change: Callable[[Submission], object] = lambda _submission: None,
        describe: Callable[[BaseException], str] = public_message,
        settle: float = 60.0,
        max_pending: int = 10,
    ) -> None:
        for name, function in (("on_change", on_change), ("describe", describe)):
            check_function(function, name)
        if not callable(submit):
            raise UsageError(f"submit is an async function, not {type(submit).__name__}")
        self._journal = SubmissionJournal(as_path(path, "path"))
        self._client, self._submit = client, submit
        self._on_change, self._describe = on_change, describe
        self._settle, self._max_pending = settle, max_pending
        self._clock = SYSTEM_CLOCK
        self._is_open = False
        self._submissions: dict[str, Submission] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._saving = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for submission in await to_thread.run_sync(self._journal.open):
            self._submissions[submission.id] = submission
            self._tell(submission)
            if submission.status is SubmissionStatus.PENDING:
                self._begin(submission, is_new=False)
        self._is_open = True
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self._is_open = False
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*self._writes, return_exceptions=True)
        finally:
            self._journal.close()

    @property
    def is_full(self) -> bool:
        """Whether `max_pending` (10) submissions are under way, so that `start` raises UsageError."""
        return len(self._of_status(SubmissionStatus.PENDING)) >= self._max_pending

    async def start(self, references: Iterable[str], *, owner: str | None = None) -> Submission:
        """Start a submission, and return it once it is on disk: from then on it survives a kill.

            if submissions.is_full:
                raise HTTPException(429, "too many submissions are under way; try again later")
            submission = await submissions.start(names, owner=user)

        `references` name its items; repeated ones count once. `owner` is kept in `Submission.owner`; None by
        default. Costs one write of the file, and no request. Raises UsageError without references, for a
        single text, if `is_full`, and outside of the block; and OSError if the file can't be written, and
        then nothing is started.
        """
        given = tuple(dict.fromkeys(as_texts(references, "references")))
        if not given or self.is_full:
            raise UsageError("too many submissions are under way" if given else "give references to submit")
        if not self._is_open:
            raise UsageError("use it inside `async with BackgroundSubmissions(...) as submissions:`")
        submission = Submission(id=str(uuid.uuid4()), references=given, owner=owner, began=datetime.now(UTC))
        self._submissions[submission.id] = submission
        try:
            await self._save()
        except BaseException as error:
            del self._submissions[submission.id]
            if isinstance(error, asyncio.CancelledError):
                self._write()  # what is being written has it
            raise
        self._tell(submission)
        self._begin(submission, is_new=True)
        return submission

    def _begin(self, submission: Submission, *, is_new: bool) -> None:
        # The run of one must not be taken for that of the other.
        wanted = set(submission.references)
        before = [task for ident, task in self._tasks.items() if wanted == set(self._get(ident).references)]
        task = asyncio.create_task(self._work(submission, before, is_new=is_new))
        self._tasks[submission.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(submission.id))

    async def _work(
        self, submission: Submission, before: Collection[asyncio.Task[None]], *, is_new: bool
    ) -> None:
        """Take a submission to its end."""
        if before:
            await asyncio.wait(before)
        try:
            run_id = (None if is_new else await self._find(submission)) or await self._create(submission)
        except Exception as error:  # noqa: BLE001 - a bug must not lose the submission without a word
            _log.warning("submission %s has failed", submission.id, exc_info=error)
            self._update(submission, status=SubmissionStatus.FAILED, problem=self._problem(error))
        else:
            self._update(submission, status=SubmissionStatus.CREATED, run_id=run_id, problem="")
        try:
            await self._save()
        except OSError as error:  # the next process looks for its run
            _log.warning("the end of submission %s was not saved: %s", submission.id, error)

    async def _create(self, submission: Submission) -> str:
        """Submit, and return the id of the run, also of one whose reply was lost."""
        tracking = {
            "progress": self._progress_of(submission),
            "uploads": Uploads(job=submission.id),
            "metadata": {_TAG: submission.id} if contract_facts(self._client).has_metadata else None,
        }
        try:
            return (await self._submit(submission, **tracking)).id
        except SubmissionUnknown as error:
            lost: Exception = error
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            lost = RuntimeError("submit has waited for something that was cancelled")
        if (run_id := await self._find(submission)) is None:
            raise lost
        return run_id

    async def _find(self, submission: Submission) -> str | None:
        """Return the run of a submission; None if none has appeared in time."""
        misses = failures = 0
        backoff = Backoff(1.0, 60.0)
        while misses <= _SEARCHES:
            try:
                if (run_id := await self._tagged(submission)) is not None:
                    return run_id
                found = await self._client.runs.find(references=submission.references, since=submission.began)
            except AignosticsError as error:
                # Only an answer proves that there is no run; until then nothing may be sent.
                _log.warning("submission %s: its run can't be looked for: %s", submission.id, error)
                self._update(submission, problem=self._problem(error))
                failures += 1
                await self._clock.sleep(backoff.wait(failures, random.random()))
                continue
            if ours := [run.run_id for run in found.exact if self._is_of(submission, run)]:
                return ours[0]
            may_be_ours = any(self._is_of(submission, run) for run in found.possible)
            self._update(submission, problem=_UNREADABLE if may_be_ours else "")
            misses = 0 if may_be_ours else misses + 1
            await self._clock.sleep(self._settle / _SEARCHES)
        return None

    async def _tagged(self, submission: Submission) -> str | None:
        """Return the run with the tag of a submission, whenever this machine's clock says that it began."""
        if contract_facts(self._client).has_metadata:
            async for run in self._client.runs.list(metadata={_TAG: submission.id}):
                if self._is_of(submission, run):
                    return run.run_id
        return None

    def _is_of(self, submission: Submission, run: RunDetails) -> bool:
        """Whether a run with the references of a submission is its own."""
        if contract_facts(self._client).has_metadata:
            return (run.metadata or {}).get(_TAG) == submission.id
        is_taken = any(each.run_id == run.run_id for each in self._submissions.values())
        return not is_taken and run.triggered_at >= submission.began - _CLOCK_SKEW

    def _progress_of(self, submission: Submission) -> Progress:
        tally = TransferTally()

        def report(event: TransferEvent) -> None:
            tally.add(event, time.monotonic())
            before = self._get(submission.id)
            if tally.over == tally.files or tally.total != before.size or _is_more(tally.done, before):
                self._update(submission, sent=tally.done, size=tally.total)

        return report

    def _get(self, ident: str) -> Submission:
        return self._submissions[ident]

    def _of_status(self, *statuses: SubmissionStatus) -> list[Submission]:
        return [each for each in self._submissions.values() if each.status in statuses]

    def _update(self, submission: Submission, **changes: Any) -> None:
        before = self._get(submission.id)
        after = evolve(before, **changes)
        if before.status is not after.status:
            del self._submissions[submission.id]  # those that are over are kept in the order of their ends
        self._submissions[submission.id] = after
        if after != before:
            self._tell(after)

    def _tell(self, submission: Submission) -> None:
        try:
            self._on_change(submission)
        except Exception:  # noqa: BLE001 - an observer must not break the submission that it observes
            _log.exception("on_change failed for submission %s", submission.id)

    def _problem(self, error: BaseException) -> str:
        try:
            return str(self._describe(error))
        except Exception:  # noqa: BLE001 - the submission must end in any case
            _log.exception("describe has failed")
            return public_message(error)

    async def _save(self) -> None:
        await asyncio.shield(self._write())

    def _write(self) -> asyncio.Task[None]:
        """Start to write the file. Nothing cancels it: its thread would go on, and replace a later one."""
        task = asyncio.create_task(self._write_in_turn())
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return task

    async def _write_in_turn(self) -> None:
        async with self._saving:
            over = self._of_status(SubmissionStatus.CREATED, SubmissionStatus.FAILED)
            for submission in over[:-_MAX_KEPT]:
                del self._submissions[submission.id]
            await to_thread.run_sync(self._journal.write, list(self._submissions.values()))


def _is_more(sent: int, before: Submission) -> bool:
    """Whether another hundredth of the files has been sent."""
    return before.size == 0 or (sent - before.sent) * 100 >= before.size
