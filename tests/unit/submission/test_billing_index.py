"""The index of billed slides: what it recognizes, what it gives away, and what its damage costs."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from attrs import evolve

from aignostics_async import ConnectionFailed, SubmissionUnknown
from aignostics_async.submission._billing import SubmissionBilling
from aignostics_async.submission._billing_index import (
    BillingIndex,
    BillingScope,
    SlideIdentity,
    sample_files,
)

SCOPE = BillingScope(api_root="https://platform.example.com", application_version="h-e-tme:v1.2.3")
METADATA = {"width": 300, "staining_method": "H&E", "checksum_base64_crc32c": "AAAAAA=="}
CRC32C = "4waSgw=="
RUN = "0f3e9c1a-0000-4000-8000-000000000001"
SIZE = 409_600


@pytest.fixture
def index(tmp_path: Path) -> BillingIndex:
    return BillingIndex(tmp_path / "billing")


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    path = tmp_path / "Doe, Jane.svs"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    return path


def identity(path: Path | None = None, **changes: Any) -> SlideIdentity:
    sample = None if path is None else sample_files([path])
    return evolve(SlideIdentity(metadata=METADATA, sample=sample), **changes)


def recognized(index: BillingIndex, slide: SlideIdentity, scope: BillingScope = SCOPE) -> list[str]:
    return [run.run_id for run in index.find(scope, [slide])[0]]


def test_a_slide_is_recognized_under_every_name(index: BillingIndex, slide: Path, tmp_path: Path) -> None:
    index.record(SCOPE, RUN, [("case-1", identity(slide))])
    link, hard, copy = (tmp_path / name for name in ("link.svs", "hard.svs", "copy.svs"))
    link.symlink_to(slide)
    hard.hardlink_to(slide)
    shutil.copyfile(slide, copy)
    for path in (slide, link, hard, copy):
        assert recognized(index, identity(path)) == [RUN], path.name


def test_an_upload_is_recognized_by_its_checksum(index: BillingIndex) -> None:
    index.record(SCOPE, RUN, [("case-1", identity(content=(SIZE, CRC32C)))])
    assert recognized(index, identity(content=(SIZE, CRC32C))) == [RUN]
    assert recognized(index, identity(content=(SIZE + 1, CRC32C))) == []
    assert recognized(index, identity(content=(SIZE, "AAAAAA=="))) == []


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"metadata": {**METADATA, "staining_method": "IHC"}}, {}),
        ({}, {"application_version": "h-e-tme:v1.2.4"}),
        ({}, {"api_root": "https://staging.example.com"}),
        ({}, {"organization": "another"}),
    ],
)
def test_another_analysis_is_not_the_same(
    index: BillingIndex, slide: Path, changed: dict[str, Any], place: dict[str, str]
) -> None:
    own = evolve(SCOPE, organization="mine")
    index.record(own, RUN, [("case-1", identity(slide))])
    assert recognized(index, identity(slide, **changed), evolve(own, **place)) == []
    assert recognized(index, identity(slide), own) == [RUN]


@pytest.mark.parametrize("path", ["/1.8", "/behind/a/gateway"])
def test_a_root_of_each_contract_is_the_same_deployment(index: BillingIndex, slide: Path, path: str) -> None:
    index.record(SCOPE, RUN, [("case-1", identity(slide))])
    other = evolve(SCOPE, api_root=SCOPE.api_root + path)
    assert recognized(index, identity(slide), other) == [RUN]


@pytest.mark.parametrize(("kept", "asked"), [(None, "mine"), ("mine", None), (None, None)])
def test_an_organization_that_is_not_known_matches_every_one(
    index: BillingIndex, slide: Path, kept: str | None, asked: str | None
) -> None:
    index.record(evolve(SCOPE, organization=kept), RUN, [("case-1", identity(slide))])
    assert recognized(index, identity(slide), evolve(SCOPE, organization=asked)) == [RUN]


@pytest.mark.parametrize("offset", [0, SIZE // 2, SIZE - 1])
def test_a_changed_file_is_another_slide(index: BillingIndex, slide: Path, offset: int) -> None:
    index.record(SCOPE, RUN, [("case-1", identity(slide))])
    changed = bytearray(slide.read_bytes())
    changed[offset] ^= 1
    slide.write_bytes(changed)
    assert recognized(index, identity(slide)) == []


def test_it_gives_away_nothing_of_a_slide(index: BillingIndex, slide: Path, tmp_path: Path) -> None:
    index.record(SCOPE, RUN, [("case-1", identity(slide, content=(SIZE, CRC32C)))])
    folder = tmp_path / "billing"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"key", "index.sqlite3"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = b"".join(path.read_bytes() for path in files)
    secrets = ["case-1", "Jane", "svs", CRC32C, "H&E", "h-e-tme", "platform.example.com", str(SIZE)]
    assert not [secret for secret in secrets if secret.encode() in kept]
    assert RUN.encode() in kept, "the run is named, so that a person can look at it"


def test_another_user_s_key_recognizes_nothing(index: BillingIndex, slide: Path, tmp_path: Path) -> None:
    index.record(SCOPE, RUN, [("case-1", identity(slide))])
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(tmp_path / "billing" / "index.sqlite3", other)
    assert recognized(BillingIndex(other), identity(slide)) == []


def _garbage(folder: Path) -> None:
    (folder / "index.sqlite3").write_bytes(b"no database" * 1000)


def _cut(folder: Path) -> None:
    os.truncate(folder / "index.sqlite3", 5000)


def _short_key(folder: Path) -> None:
    (folder / "key").write_bytes(b"short")


def _folder(folder: Path) -> None:
    (folder / "index.sqlite3").unlink()
    (folder / "index.sqlite3").mkdir()


@pytest.mark.parametrize("damage", [_garbage, _cut, _short_key, _folder])
def test_damage_only_warns(
    index: BillingIndex,
    slide: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], None],
) -> None:
    index.record(SCOPE, RUN, [("case-1", identity(slide))])
    damage(tmp_path / "billing")
    damaged = BillingIndex(tmp_path / "billing")
    with caplog.at_level(logging.WARNING):
        assert recognized(damaged, identity(slide)) == []
        damaged.record(SCOPE, RUN, [("case-1", identity(slide))])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "index of billed slides" in caplog.text


@pytest.mark.process
def test_processes_that_begin_it_at_once_share_one_key(tmp_path: Path, slide: Path) -> None:
    code = (
        "import sys, pathlib, test_billing_index as t\n"
        "index = t.BillingIndex(pathlib.Path(sys.argv[1]))\n"
        "index.record(t.SCOPE, sys.argv[2], [('case', t.identity(pathlib.Path(sys.argv[3])))])"
    )
    folder = str(tmp_path / "billing")
    runs = [f"run-{number}" for number in range(4)]
    command = [sys.executable, "-c", code, folder]
    here = Path(__file__).parent
    processes = [subprocess.Popen([*command, run, str(slide)], cwd=here) for run in runs]
    assert [process.wait(timeout=60) for process in processes] == [0] * len(runs)
    assert sorted(recognized(BillingIndex(Path(folder)), identity(slide))) == runs


NOBODY_KNOWS = SubmissionUnknown(
    references=["a"],
    application_version_id=SCOPE.application_version,
    sent_at=datetime(2026, 1, 1, tzinfo=UTC),
    reason="the connection broke",
)
NOT_SENT = ConnectionFailed("no connection", method="POST", path="/v1/runs", request_sent=False)


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [(None, True), (asyncio.CancelledError(), True), (NOBODY_KNOWS, True), (NOT_SENT, False)],
)
async def test_a_request_is_recorded_unless_it_has_created_nothing(
    index: BillingIndex, slide: Path, error: BaseException | None, is_kept: bool
) -> None:
    billing = SubmissionBilling(SCOPE, Mock(), index)
    billing.slides = [("a", identity(slide))]

    async def create() -> str:
        (before,) = index.find(SCOPE, [identity(slide)])[0]
        assert before.is_unknown, "it is on disk before the request"
        if error is not None:
            raise error
        return RUN

    with suppress(type(error)) if error is not None else nullcontext():
        assert await billing.record(create) == RUN
    runs = index.find(SCOPE, [identity(slide)])[0]
    assert bool(runs) is is_kept
    if error is None:
        assert [run.run_id for run in runs] == [RUN]
    elif is_kept:
        assert runs[0].is_unknown
