"""What `runs.submit` records of the slides that it had analysed, and what it warns of."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from slide_files import make_old, write_tiff

from aignostics_async import (
    Client,
    Fault,
    Item,
    QuotaExceeded,
    Slide,
    SubmissionUnknown,
)
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts

VERSION = "he-tme:v1.1.0"
CREATE = {"operation": "create_run", "times": 1}


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Client]:
    async with emulator.client() as client:
        yield client


@pytest.fixture
def billing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of an index that no other test has written."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "aignostics-async" / "billing"


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return make_old(write_tiff(tmp_path / "Jane Doe.tiff"))


@pytest.fixture
def renamed(slide: Path, tmp_path: Path) -> Path:
    path = Path(shutil.copy(slide, tmp_path / "other.tiff"))
    return make_old(path)


async def submit(client: Client, emulator: Emulator, path: Path, **metadata: object) -> tuple[str, list[str]]:
    """Submit one slide; return the run, and what was warned of."""
    warnings: list[Fault] = []
    run = await client.runs.submit(
        VERSION,
        [Item(path.stem, slide=Slide(path, metadata=metadata))],
        store=emulator.store_url,
        identifying="allow",
        warn=warnings.append,
    )
    return run.id, [warning.problem for warning in warnings]


def again(run_id: str) -> str:
    return f"the same slide was analysed with this version already, in run {run_id}; it is billed again"


async def test_a_slide_is_recognized_under_another_name(
    client: Client, emulator: Emulator, billing: Path, slide: Path, renamed: Path
) -> None:
    first, warnings = await submit(client, emulator, slide)
    assert warnings == []
    assert (await submit(client, emulator, renamed))[1] == [again(first)]


async def test_another_analysis_of_it_is_not_warned_of(
    client: Client, emulator: Emulator, billing: Path, slide: Path
) -> None:
    await submit(client, emulator, slide)
    assert (await submit(client, emulator, slide, staining_method="IHC"))[1] == []


async def test_a_run_without_results_is_not_warned_of(
    client: Client, emulator: Emulator, billing: Path, slide: Path
) -> None:
    run_id, _ = await submit(client, emulator, slide)
    await client.run(run_id).wait()
    await client.run(run_id).delete_results()
    assert (await submit(client, emulator, slide))[1] == []


async def test_an_earlier_run_that_cannot_be_read_costs_no_submission(
    client: Client, emulator: Emulator, billing: Path, slide: Path
) -> None:
    await submit(client, emulator, slide)
    emulator.set_faults({"operation": "get_run", "status": 403, "body": {"detail": "not today"}})
    told = (await submit(client, emulator, slide))[1]
    assert len(told) == 2, "before and after the upload"
    assert all("an earlier run can't be read" in each for each in told)


@pytest.mark.parametrize("drop", ["after", "before"])
async def test_a_lost_reply_is_looked_up(
    client: Client, emulator: Emulator, billing: Path, slide: Path, renamed: Path, drop: str
) -> None:
    emulator.set_faults({**CREATE, "drop": drop})
    with pytest.raises(SubmissionUnknown):
        await submit(client, emulator, slide)
    created = [run.run_id async for run in client.runs.list()]
    assert len(created) == (drop == "after")
    assert (await submit(client, emulator, renamed))[1] == [again(run_id) for run_id in created]


async def test_a_refused_request_is_not_recorded(
    client: Client, emulator: Emulator, billing: Path, slide: Path
) -> None:
    emulator.set_faults({**CREATE, "answer": "quota_exceeded"})
    with pytest.raises(QuotaExceeded):
        await submit(client, emulator, slide)
    with sqlite3.connect(billing / "index.sqlite3") as index:
        assert index.execute("SELECT count(*) FROM billed").fetchone() == (0,)
    index.close()


async def test_the_index_names_no_slide(
    client: Client, emulator: Emulator, billing: Path, slide: Path
) -> None:
    run_id, _ = await submit(client, emulator, slide)
    files = [path for path in billing.iterdir() if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    kept = b"".join(path.read_bytes() for path in files)
    assert run_id.encode() in kept
    assert not [word for word in (b"Jane", b"Doe", b"tiff", b"he-tme", b"unknown-") if word in kept]


def _no_folder(billing: Path) -> None:
    state = billing.parent.parent
    state.write_text("a file where the state folder would be")


def _garbage(billing: Path) -> None:
    billing.mkdir(parents=True)
    (billing / "index.sqlite3").write_bytes(b"damaged" * 1000)


@pytest.mark.parametrize("damage", [_no_folder, _garbage])
async def test_an_index_that_cannot_be_used_costs_no_submission(
    client: Client,
    emulator: Emulator,
    billing: Path,
    slide: Path,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], None],
) -> None:
    damage(billing)
    with caplog.at_level(logging.WARNING, "aignostics_async"):
        run_id, warnings = await submit(client, emulator, slide)
    assert (await client.runs.get(run_id)).run_id == run_id
    assert warnings == []
    assert caplog.text.count("the index of billed slides can't be") == 1
