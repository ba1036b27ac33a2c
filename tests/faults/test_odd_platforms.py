"""One run for each chunk on platforms whose clocks, listings and answers contradict each other."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from job import intent, job_database, submitter
from odd_platform import EPOCH, VERSION, OddPlatform, Reply, StoredRun, created, odd_platform
from support import METADATA

from aignostics_async import (
    AignosticsError,
    APIStatusError,
    BadRequest,
    CallableToken,
    Client,
    Forbidden,
    InputArtifact,
    InvalidResponse,
    Item,
    JobStopped,
    NotFound,
    QuotaExceeded,
    SubmissionUnknown,
    Timeouts,
    TooManyRequests,
    UnprocessableRequest,
)
from aignostics_async.bulk.database import _commands, _run_commands
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.database._states import IntentState
from aignostics_async.bulk.reconciliation._platform import PlatformClient
from aignostics_async.bulk.reconciliation._protocol import AttemptResult
from aignostics_async.bulk.reconciliation._submitter import Submitter
from aignostics_async.emulator.process import IMPATIENT

HOUR = 3600.0
REFERENCES = ("a", "b")
OTHER = "00000000-0000-0000-0001-000000000001"
"""A run that was there before the chunk was sealed."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with job_database(tmp_path / "job", *REFERENCES) as database:
        await database.write(
            _run_commands.record_runs([ObservedRun(OTHER, EPOCH - 5, "RUNNING", "he-tme:v1")])
        )
        await database.write(_commands.seal([1, 2]))
        yield database


async def live(
    platform: OddPlatform, database: Database, folder: Path, **changes: Any
) -> AttemptResult | None:
    """Work on the chunk as one process does, until its end or the process's."""
    view = Timeouts(read=5)
    async with platform.client() as plain:
        client = plain.with_options(timeouts=view) if changes.pop("has_options", False) else plain
        worker = await submitter(client, database, folder, platform.clock, VERSION)
        worker = evolve(worker, since=EPOCH, **changes)
        return await worker.reconcile(await intent(database))


async def live_until_settled(platform: OddPlatform, database: Database, folder: Path) -> IntentState:
    """Work on the chunk, and again after each stop, until its state needs no process."""
    for life in range(6):
        await live(platform, database, folder, has_options=life % 2 == 1)
        if (state := (await intent(database)).state) not in (IntentState.SEALED, IntentState.UNKNOWN):
            return state
    raise AssertionError("it never ends")


TURNS = itertools.count()


def alternating(now: float) -> float:
    return now + 2 * HOUR * (next(TURNS) % 2)


def stepping(now: float) -> float:
    return now if now < 20 else now + 2 * HOUR


def set_back(now: float) -> float:
    return now if now < 20 else now - 2 * HOUR


DATES: dict[str, Callable[[float], float | str | None]] = {
    "honest": lambda now: now,
    "alternating": alternating,
    "stepping": stepping,
    "set back": set_back,
    "frozen": lambda _now: 0.0,
    "missing": lambda _now: None,
    "no date": lambda _now: "yesterday",
}


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.sampled(test=10, fast=4)
@pytest.mark.parametrize("killed", ["never", "before", "after", "asleep and after"])
@pytest.mark.parametrize("late", [90.0, 280.0])
@pytest.mark.parametrize("date", DATES)
async def test_no_date_makes_a_chunk_be_paid_twice(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, date: str, late: float, killed: str
) -> None:
    """The answer of the first request is lost, and its run comes late."""
    lost = Reply()
    async with odd_platform(
        date=DATES[date], late=lambda: late, on_post=lambda number, _id: lost if number == 0 else None
    ) as platform:
        platform.clock.now = 10.0
        if killed != "never":

            async def dies(
                _self: Submitter, _intent: int, items: Sequence[Item], *_: object
            ) -> AttemptResult:
                if killed == "asleep and after":
                    platform.clock.now += 5 * HOUR
                if killed != "before":
                    await _self.platform.create(items)
                raise Killed

            with monkeypatch.context() as patch, pytest.raises(Killed):
                patch.setattr(Submitter, "create", dies)
                await live(platform, database, tmp_path)
            platform.clock.now += 5.0
        state = await live_until_settled(platform, database, tmp_path)
    assert platform.committed(*REFERENCES) <= 1, "it was paid once"
    assert state in (IntentState.CREATED, IntentState.AMBIGUOUS)
    if date in ("honest", "missing", "no date", "stepping"):
        assert (platform.committed(*REFERENCES), state) == (1, IntentState.CREATED)


async def test_a_date_that_stands_still_proves_no_silence_and_ends_with_a_person(
    database: Database, tmp_path: Path
) -> None:
    """As the answers of a cache have: nothing tells how old the listing is."""
    async with odd_platform(
        date=DATES["frozen"], creates=lambda _number: False, on_post=lambda _number, _id: Reply()
    ) as platform:
        state = await live_until_settled(platform, database, tmp_path)
        assert (state, platform.posts) == (IntentState.AMBIGUOUS, 1)
        assert "do not advance" in ((await intent(database)).reason or "")
        assert platform.clock.now < HOUR


def shuffled(seed: int) -> Callable[[list[StoredRun]], list[StoredRun]]:
    return lambda runs: Random(seed).sample(runs, len(runs))


def as_iso(offset: float, zone: bool = True) -> Callable[[float], str]:
    def told(at: float) -> str:
        moment = datetime.fromtimestamp(EPOCH + at, UTC) + timedelta(seconds=offset)
        return moment.isoformat() if zone else moment.replace(tzinfo=None).isoformat()

    return told


LISTINGS: dict[str, dict[str, Any]] = {
    "oldest first": {"order": lambda runs: runs[::-1]},
    "in no order": {"order": shuffled(1)},
    "rows twice": {"order": lambda runs: [run for run in runs for _ in range(2)]},
    "first page twice": {"order": lambda runs: runs[:100] + runs},
    "hours behind": {"triggered": as_iso(-14 * HOUR)},
    "in the future": {"triggered": as_iso(400 * 24 * HOUR)},
    "without zone": {"triggered": as_iso(0, zone=False)},
    "two clocks": {"triggered": lambda at: as_iso(-2 * HOUR * (int(at) % 2))(at)},
    "stale replicas in turn": {"lag": lambda: 25.0 * (next(TURNS) % 2)},
}


@pytest.mark.sampled(test=9, fast=3)
@pytest.mark.parametrize("others", [0, 250])
@pytest.mark.parametrize("listing", LISTINGS)
async def test_no_listing_makes_a_chunk_be_paid_twice(
    database: Database, tmp_path: Path, listing: str, others: int
) -> None:
    """250 runs of others, of before and of after, are between the run and the ends of the listing."""
    async with odd_platform(
        late=lambda: 40.0, on_post=lambda number, _id: Reply() if number == 0 else None, **LISTINGS[listing]
    ) as platform:
        for number in range(others):
            at = 15.0 + number / 10 if number % 2 else -30 * 24 * HOUR + number
            platform.runs.append(StoredRun(f"00000000-0000-0000-0001-{number:012}", ["x"], at))
        platform.clock.now = 10.0
        state = await live_until_settled(platform, database, tmp_path)
        assert await live(platform, database, tmp_path) is None, "nothing is left to do"
    assert (state, platform.committed(*REFERENCES), platform.posts) == (IntentState.CREATED, 1, 1)


@pytest.mark.parametrize("every", [2, 3, 5, 10**6])
async def test_pages_of_replicas_that_are_far_apart_hide_no_run(every: int) -> None:
    """Others create runs so fast that a stale page begins 150 runs after the end of a fresh one."""
    turns = itertools.count(1)
    async with odd_platform(lag=lambda: 0.0 if next(turns) % every else 25.0) as platform:
        platform.clock.now = 200.0
        for number in range(1200):
            run = StoredRun(f"00000000-0000-0000-0002-{number:012}", ["x"], number / 6)
            platform.runs.append(run)
        async with platform.client() as client:
            found = await PlatformClient(client, VERSION, platform.clock).runs(EPOCH)
    assert {run.run_id for run in found} == {run.run_id for run in platform.runs}


async def test_pages_that_never_meet_are_no_listing() -> None:
    turns = itertools.count()
    async with odd_platform(lag=lambda: 0.0 if next(turns) == 0 else 100.0) as platform:
        platform.clock.now = 200.0
        for number in range(1200):
            run = StoredRun(f"00000000-0000-0000-0002-{number:012}", ["x"], number / 6)
            platform.runs.append(run)
        async with platform.client() as client:
            with pytest.raises(InvalidResponse, match="do not follow each other"):
                await PlatformClient(client, VERSION, platform.clock).runs(EPOCH)
    assert next(turns) < 40


@pytest.mark.parametrize("ignored", [{"page": 1}, {"page_size": 100}, {"page": 1, "page_size": 120}], ids=str)
async def test_pages_that_are_not_those_asked_for_end_the_listing(ignored: dict[str, int]) -> None:
    """Each is full, and the next one would be asked for for ever."""
    asked = itertools.count()
    async with odd_platform(lag=lambda: 0.0 * next(asked), **ignored) as platform:
        for number in range(120):
            run = StoredRun(f"00000000-0000-0000-0002-{number:012}", ["x"], number / 6)
            platform.runs.append(run)
        platform.clock.now = 200.0
        async with asyncio.timeout(60), platform.client() as client:
            with pytest.raises(InvalidResponse, match="do not follow each other"):
                await PlatformClient(client, VERSION, platform.clock).runs(EPOCH)
    assert next(asked) < 60


@pytest.mark.parametrize("count", [49, 50, 51, 120])
async def test_pages_whose_size_is_ignored_are_no_listing(count: int) -> None:
    async with odd_platform(page_size=50) as platform:
        for number in range(count):
            run = StoredRun(f"00000000-0000-0000-0002-{number:012}", ["x"], number / 6)
            platform.runs.append(run)
        platform.clock.now = 200.0
        async with platform.client() as client:
            listing = PlatformClient(client, VERSION, platform.clock).runs(EPOCH)
            if count > 50:
                with pytest.raises(InvalidResponse, match="size of its pages was ignored"):
                    await listing
            else:
                assert len(await listing) == count


JSON = "Content-Type: application/json"
DETAIL = '{"detail": "the server\'s own words"}'


def told(status: int, body: str | bytes = DETAIL, *headers: str) -> Callable[[str], Reply]:
    return lambda _run_id: Reply.of(status, body, *(headers or (JSON,)))


# What the answer is, and the POSTs that a job sends before it ends by itself, or stops for a person. The run
# is created where the answer may mean so.
CREATING: dict[str, Callable[[str], Reply]] = {
    "201 without a body": told(201, ""),
    "201 and no JSON": told(201, "<html>"),
    "201 cut off": lambda run_id: Reply(created(run_id).content[:-8]),
    "201 and a list": told(201, "[]"),
    "201 and null": told(201, '{"application_run_id": null}'),
    "201 and no UUID": told(201, '{"application_run_id": "run 7"}'),
    "201 and deep JSON": told(201, "[" * 100_000),
    "201 and no text": told(201, b"\xff\xfe\x00"),
    "201 of another run": told(201, f'{{"application_run_id": "{OTHER}"}}'),
    "201 encoded wrongly": told(201, DETAIL, JSON, "Content-Encoding: gzip"),
    "200": lambda run_id: Reply(created(run_id).content.replace(b"201", b"200", 1)),
    "202": lambda run_id: Reply(created(run_id).content.replace(b"201", b"202", 1)),
    "204": told(204, ""),
    "303": told(303, "", "Location: /api/v1/runs/7"),
    "308": told(308, "", "Location: /api/v1/elsewhere"),
    "401 as a page": told(401, "<html>", "Content-Type: text/html"),
    "402 in plain text": told(402, "no money", "Content-Type: text/plain"),
    "403 as a page": told(403, "<html>", "Content-Type: text/html"),
    "408": told(408),
    "409": told(409),
    "421": told(421),
    "425": told(425),
    "429 in plain text": told(429, "slow down", "Content-Type: text/plain", "Retry-After: 5"),
    "499": told(499),
    "500": told(500),
    "502 in plain text": told(502, "bad gateway", "Content-Type: text/plain"),
    "503 in plain text": told(503, "unavailable", "Content-Type: text/plain", "Retry-After: 1"),
    "504": told(504),
    "599": told(599),
    "nothing": lambda _run_id: Reply(),
    "no HTTP": lambda _run_id: Reply(b"\x00\x01 what?\r\n\r\n"),
}


@pytest.mark.sampled(test=10, fast=4)
@pytest.mark.parametrize("creates", [True, False], ids=["created", "not created"])
@pytest.mark.parametrize("answer", CREATING)
async def test_an_answer_that_proves_nothing_is_looked_into_and_asked_for_twice(
    database: Database, tmp_path: Path, answer: str, creates: bool
) -> None:
    async with odd_platform(
        late=lambda: 30.0,
        creates=lambda _number: creates,
        on_post=lambda _n, run_id: CREATING[answer](run_id),
    ) as platform:
        platform.runs.append(StoredRun(OTHER, ["x"], -5.0))
        platform.clock.now = 10.0
        stopped = await live(platform, database, tmp_path)
        state = (await intent(database)).state
    if creates:
        assert (state, platform.posts, stopped) == (IntentState.CREATED, 1, None)
    else:
        assert (state, platform.posts) == (IntentState.SEALED, 2), "a person decides about a third one"
        assert stopped is not None
        assert stopped.reason
    assert platform.committed(*REFERENCES) == int(creates)


@pytest.mark.sampled(test=2, fast=1)
@pytest.mark.parametrize(
    "retry_after",
    [
        "0",
        "5",
        "Sat, 01 Jan 2000 00:00:00 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
        "soon",
        "-7",
        "nan",
        "1e999",
        "9" * 400,
    ],
    ids=lambda value: value[:12],
)
async def test_who_asks_to_wait_is_asked_again_for_an_hour(
    database: Database, tmp_path: Path, retry_after: str
) -> None:
    async with odd_platform(
        creates=lambda _number: False,
        on_post=lambda _number, _id: Reply.of(429, DETAIL, JSON, f"Retry-After: {retry_after}"),
    ) as platform:
        with pytest.raises(JobStopped, match="the server's own words"):
            await live(platform, database, tmp_path)
        assert (await intent(database)).state is IntentState.SEALED, "nothing is lost"
        assert HOUR < platform.clock.now < 1.2 * HOUR
        assert 6 <= platform.posts <= 90


async def test_a_token_that_is_not_accepted_waits_minutes_at_most(database: Database, tmp_path: Path) -> None:
    later = "Retry-After: 86400"
    async with odd_platform(
        creates=lambda _number: False, on_post=lambda _number, _id: Reply.of(401, DETAIL, JSON, later)
    ) as platform:
        stopped = await live(platform, database, tmp_path)
        assert stopped is not None
        assert (platform.posts, platform.clock.now) == (2, 600)
        assert (await intent(database)).state is IntentState.SEALED


PROOFS: dict[str, tuple[Callable[[str], Reply], type[AignosticsError]]] = {
    "400": (told(400), BadRequest),
    "402": (told(402), QuotaExceeded),
    "403": (told(403), Forbidden),
    "403 in plain text": (told(403, "RBAC: access denied", "Content-Type: text/plain"), Forbidden),
    "404": (told(404), NotFound),
    "413": (told(413), APIStatusError),
    "422": (told(422), UnprocessableRequest),
    "429": (told(429, DETAIL, JSON, "Retry-After: 86400"), TooManyRequests),
}


async def create(platform: OddPlatform, way: str) -> str:
    """Create a run in one of the ways that Python offers, with a token that is renewed after a 401."""
    tokens = itertools.count()

    async def renew() -> str:
        return f"token-{next(tokens)}"

    async with Client(platform.origin, CallableToken(renew), settings=IMPATIENT) as plain:
        client = plain if way == "plain" else plain.with_options(timeouts=Timeouts(read=5))
        artifact = InputArtifact("slide", "http://127.0.0.1:9/slide.tiff", METADATA)
        return (await client.runs.create(VERSION, [Item("a", artifacts=[artifact])])).id


@pytest.mark.sampled(test=31, fast=10)
@pytest.mark.parametrize("way", ["plain", "with_options"])
@pytest.mark.parametrize("answer", [each for each in CREATING if each != "201 of another run"])
async def test_a_caller_is_told_that_nobody_knows(answer: str, way: str) -> None:
    """And the request is not sent again, not even with another token."""
    async with odd_platform(on_post=lambda _number, run_id: CREATING[answer](run_id)) as platform:
        with pytest.raises(SubmissionUnknown) as unknown:
            await create(platform, way)
        assert platform.posts == 1
        assert unknown.value.references == ("a",)


@pytest.mark.parametrize("way", ["plain", "with_options"])
@pytest.mark.parametrize("answer", PROOFS)
async def test_a_caller_is_told_that_nothing_was_created(answer: str, way: str) -> None:
    reply, error = PROOFS[answer]
    async with odd_platform(on_post=lambda _number, run_id: reply(run_id)) as platform:
        with pytest.raises(error) as refused:
            await create(platform, way)
        assert (platform.posts, type(refused.value)) == (1, error)


@pytest.mark.parametrize("body", [DETAIL, "Jwt is expired", ""])
async def test_a_401_of_who_knows_is_answered_with_a_newer_token(body: str) -> None:
    kind = JSON if body == DETAIL else "Content-Type: text/plain"
    refused = Reply.of(401, body, kind)
    async with odd_platform(on_post=lambda number, _id: refused if number == 0 else None) as platform:
        await create(platform, "plain")
        assert platform.posts == 2
