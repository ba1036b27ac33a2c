"""A thousand ways to get wrong bytes, and none of them accepted; and fifty downloads that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import define, evolve
from hostile_server import Ask, Hostile, Reply, engine_of, hostile, leave_holes
from support import artifact, pretend, result

from aignostics_async import ChecksumMismatch, checksum_bytes
from aignostics_async.downloads import _checksum_cache
from aignostics_async.downloads._checksum_cache import ChecksumCache
from aignostics_async.emulator.process import Emulator
from aignostics_async.transfer._download import fetch_file
from aignostics_async.transfer._engine import Engine
from aignostics_async.transfer.files._partial_file import part_path, record_path

BODY = random.Random("body").randbytes(40_000)
CRC = checksum_bytes(BODY).wire
CASES = 143  # of each of the seven kinds


def flipped(content: bytes, dice: random.Random) -> bytes:
    """Return bytes that differ in one bit."""
    changed = bytearray(content)
    changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


@define
class Case:
    """One download that may go wrong, and how often it must have been refused."""

    place: Hostile
    target: Path
    dice: random.Random
    number: int


# Each prepares one case and returns the wrong answer of the storage, if that is what is wrong.


def in_the_body(case: Case) -> Callable[[Ask], Reply | None]:
    wrong = flipped(BODY, case.dice)
    return lambda ask: case.place.whole(ask, wrong)


def in_the_resumed_prefix(case: Case) -> None:
    leave_holes(case.target, case.place, holes=1)
    content = bytearray(part_path(case.target).read_bytes())
    half = len(BODY) // 2
    content[:half] = flipped(bytes(content[:half]), case.dice)
    part_path(case.target).write_bytes(content)


def in_one_segment(case: Case) -> Callable[[Ask], Reply | None]:
    leave_holes(case.target, case.place, holes=4)
    bad = case.dice.randrange(4)

    def wrong(ask: Ask) -> Reply | None:
        reply = case.place.whole(ask)
        mine = ask.first is not None and ask.first // (len(BODY) // 4) == bad
        return evolve(reply, body=flipped(reply.body, case.dice)) if mine or ask.first is None else reply

    return wrong


def in_the_record(case: Case) -> None:
    leave_holes(case.target, case.place, holes=case.dice.randrange(1, 5))
    record_path(case.target).write_bytes(flipped(record_path(case.target).read_bytes(), case.dice))


def swapped_segments(case: Case) -> Callable[[Ask], Reply | None]:
    leave_holes(case.target, case.place, holes=4)
    step = len(BODY) // 4

    def swap(ask: Ask) -> Reply | None:
        reply = case.place.whole(ask)
        if ask.first is None or ask.first < step:
            return reply
        # Right length, right Content-Range, and the bytes of its neighbour.
        return evolve(reply, body=BODY[ask.first - step :][: len(reply.body)])

    return swap


def another_body(case: Case) -> Callable[[Ask], Reply | None]:
    other = case.dice.randbytes(len(BODY))
    return lambda ask: case.place.whole(ask, other)


@pytest.mark.parametrize(
    ("prepare", "is_mendable"),
    [
        (in_the_body, False),
        (in_the_resumed_prefix, True),
        (in_one_segment, False),
        (in_the_record, True),
        (swapped_segments, True),
        (another_body, False),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_wrong_bytes_are_never_accepted(
    prepare: Callable[[Case], Callable[[Ask], Reply | None] | None], is_mendable: bool, tmp_path: Path
) -> None:
    """What the storage gives wrong is refused, twice; what was wrong on the disk is fetched again."""
    with hostile(BODY) as place:
        async with engine_of() as engine:
            for number in range(CASES):
                target = tmp_path / str(number)
                place.fault = lambda _ask: None
                fault = prepare(Case(place, target, random.Random(number), number))
                place.fault = fault or place.fault
                place.asks.clear()
                if is_mendable:
                    fetched = await _fetch(engine, place, target)
                    assert fetched
                    assert target.read_bytes() == BODY
                else:
                    assert not await _fetch(engine, place, target)
                    assert not target.exists()
                assert not part_path(target).exists()
                assert not record_path(target).exists()


async def _fetch(engine: Engine, place: Hostile, target: Path) -> bool:
    """Return whether the file was accepted."""
    try:
        fetched = await fetch_file(engine, place.ask_url, target, name="file", expected=CRC)
    except ChecksumMismatch:
        return False
    return fetched.verified


@pytest.mark.parametrize("remembers", [True, False])
def test_bytes_that_change_between_verification_and_reuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembers: bool
) -> None:
    """Also when size and modification time are put back: what is remembered does not count any more."""
    monkeypatch.setattr(_checksum_cache, "_SETTLED", -(10**18) if remembers else 10**18)
    verified = ChecksumCache()
    for number in range(CASES):
        dice = random.Random(number)
        target = tmp_path / str(number)
        target.write_bytes(BODY)
        before = target.stat()
        assert verified.checksum(target) == checksum_bytes(BODY)
        wrong = flipped(BODY, dice)
        if number % 2:
            target.write_bytes(wrong)
        else:
            target.with_name("new").write_bytes(wrong)
            target.with_name("new").replace(target)
        for _ in range(100_000):  # until the file system's clock has ticked
            os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
            if target.stat().st_ctime_ns != before.st_ctime_ns:
                break
        assert verified.checksum(target) == checksum_bytes(wrong)


@pytest.mark.parametrize(("age", "remembered"), [(0, False), (1.9, False), (2.1, True), (100, True)])
def test_what_changed_just_now_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float, remembered: bool
) -> None:
    """One more change in the same tick of the file system's clock would not show."""
    target = tmp_path / "file"
    target.write_bytes(BODY)
    changed = target.stat().st_ctime_ns
    monkeypatch.setattr(_checksum_cache, "time", SimpleNamespace(time_ns=lambda: changed + int(age * 1e9)))
    verified = ChecksumCache()
    assert verified.checksum(target) == checksum_bytes(BODY)
    assert bool(verified._known) is remembered


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is told without reading: here the file can't be read any more."""
    monkeypatch.setattr(_checksum_cache, "_SETTLED", -1)
    verified, target = ChecksumCache(), tmp_path / "file"
    target.write_bytes(BODY)
    found = verified.checksum(target)
    monkeypatch.setattr(_checksum_cache, "read_checksum", None)
    assert verified.checksum(target) == found
    target.write_bytes(BODY + b"more")
    with pytest.raises(TypeError):
        verified.checksum(target)


async def test_sixty_downloads_that_are_killed_go_on(emulator: Emulator, tmp_path: Path) -> None:
    """kill -9 in the middle: no partial file under a final name, none lost, and little is fetched twice."""
    size, count = 2 * 1024 * 1024, 60
    bodies = {f"/{number}": random.Random(number).randbytes(size) for number in range(count)}
    folder = tmp_path / "results"
    with hostile(b"") as place:
        results = [
            result(f"case {path}", artifact("a", place.origin + path, body)) for path, body in bodies.items()
        ]
        run_id = pretend(emulator, *results)
        command = [sys.executable, "-m", "aignostics_async.cli", "runs", "download", run_id, str(folder)]
        environment = {**os.environ, **emulator.environment}
        kill_after = 30
        doomed: list[subprocess.Popen[bytes]] = []

        def answer(ask: Ask) -> Reply:
            reply = place.whole(ask, bodies[ask.target])
            # From a while on every answer stops half way, so the kill meets files at all stages.
            stuck = doomed and ask.number >= kill_after
            if stuck and ask.number == kill_after + 5:
                doomed[0].send_signal(signal.SIGKILL)
            return evolve(reply, cut=len(reply.body) // 2, then="stall") if stuck else reply

        place.fault = answer
        doomed.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
        assert doomed[0].wait(60) == -signal.SIGKILL
        whole = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
        assert 0 < len(whole) < count
        for path in whole:
            assert path.read_bytes() in bodies.values()
        fetched_before = len(place.asks)
        doomed.clear()
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
        # One that was killed between its last byte and its name may need no request.
        assert len(place.asks) <= fetched_before + count - len(whole), "what is whole is not fetched again"
    there = {path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert there == set(bodies.values())
