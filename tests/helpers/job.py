"""Jobs for tests: a folder with a database whose items are as far as a test needs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from support import METADATA

from aignostics_async import ApplicationVersion, Client, InputArtifact, Item
from aignostics_async._core._clock import SYSTEM_CLOCK, Clock
from aignostics_async.bulk.database import _commands, _queries
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._job_folder import HighWaterMarkFile, JobFolder
from aignostics_async.bulk.database._states import IntentState, ItemState
from aignostics_async.bulk.reconciliation._platform import PlatformClient
from aignostics_async.bulk.reconciliation._quiescence import ReconciliationTimeouts
from aignostics_async.bulk.reconciliation._submitter import Submitter

VERSION = "he-tme:v1.0.0"
TIMEOUTS = ReconciliationTimeouts(quiescence=300, replica_lag=30, ambiguity=600)
_TO_STORED = (ItemState.READY, ItemState.SENDING, ItemState.STORED)


@asynccontextmanager
async def job_database(folder: Path, *references: str) -> AsyncIterator[Database]:
    """Give the database of a job whose items are uploaded."""
    directory = JobFolder(folder)
    directory.make()
    database = Database(directory.database).open()
    try:
        items = [
            _commands.NewItem(reference=each, path=each, shuffle_key=0, overrides={}) for each in references
        ]
        if await database.write(_commands.add_items(items)):
            for state in _TO_STORED:
                await database.write(_commands.move_items(range(1, len(references) + 1), state))
        yield database
    finally:
        database.close()


async def submitter(
    client: Client,
    database: Database,
    folder: Path,
    clock: Clock = SYSTEM_CLOCK,
    version: ApplicationVersion | None = None,
) -> Submitter:
    """Return a submitter whose items need no object store: the emulator ends them with an error."""
    platform = PlatformClient(client, version or await client.applications.version(VERSION), clock)

    async def prepare(intent: _queries.IntentRow) -> Sequence[Item]:
        rows = await database.read(_queries.members(intent.number))
        artifact = InputArtifact("slide", "http://127.0.0.1:9/slide.tiff", METADATA)
        return [Item(row.reference + intent.tag, artifacts=[artifact]) for row in rows]

    return Submitter(
        database=database,
        platform=platform,
        high_water_mark=HighWaterMarkFile("job", folder / "state"),
        generation=1,
        version=VERSION,
        since=0.0,
        job="job",
        timeouts=TIMEOUTS,
        prepare=prepare,
        clock=clock,
        sleep=clock.sleep,
    )


async def intent(database: Database, number: int = 1) -> _queries.IntentRow:
    """Return the current state of an intent."""
    rows = await database.read(_queries.intents_in(*IntentState))
    return next(row for row in rows if row.number == number)
