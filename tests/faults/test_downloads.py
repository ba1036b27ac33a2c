"""What a storage can do to a download, on real sockets."""

from __future__ import annotations

import logging
import os
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hostile_server import Ask, Reply, engine_of, hostile
from support import Answer, Storage, artifact, details, pretend, result, storage

from aignostics_async import (
    ChecksumMismatch,
    ChecksumMissing,
    DownloadReport,
    FileStatus,
    Limits,
    LocalFileChanged,
    TransferError,
    TransferInterrupted,
    UnsafePath,
    UrlRefused,
    checksum_bytes,
)
from aignostics_async._core._file_fingerprint import Fingerprint
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.transfer._ranges import Span
from aignostics_async.transfer._upload import _Put, put_file
from aignostics_async.transfer.files._partial_file import part_path, record_path
from aignostics_async.transfer.files._resume_record import Record

pytestmark = pytest.mark.both_contracts

BODY = bytes(range(256)) * 5000


@pytest.fixture
async def place() -> AsyncIterator[Storage]:
    async with storage() as server:
        yield server


async def download(emulator: Emulator, folder: Path, *results: dict[str, Any]) -> DownloadReport:
    run_id = pretend(emulator, *results)
    async with emulator.client() as client:
        return await client.run(run_id).download(folder)


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_names_of_the_server_s_never_leave_the_folder(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    """References and artifact names that are paths land inside, on names that every system takes."""
    url = place.url("/a", Answer(b"x"))
    hostile = ["../../x", "/etc/passwd", "..", "C:\\Windows\\x", "a/../../../b", "\0", "con"]
    hostile += ["x" * 300, "a:b", "症例/スライド"]
    results = [result(name, artifact(f"../{name}:y", url, b"x", media_type="image/png")) for name in hostile]
    folder = tmp_path / "deep" / "results"
    report = await download(emulator, folder, *results)
    report.raise_for_failures()
    assert len(files_in(folder)) == len(hostile)
    assert files_in(tmp_path) == [f"deep/results/{name}" for name in files_in(folder)]
    for name in files_in(folder):
        assert len(Path(name).parts) == 2
        assert not set(name) & set('<>:"\\|?*\0')


async def test_names_that_would_collide_stay_apart(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    names = ["a/b", "a:b", "A_b", "a_b"]
    results = []
    for name in names:
        body = name.encode()
        first = artifact("x:y", place.url(f"/{name}/1".replace(":", ""), Answer(body)), body)
        second = artifact("x/y", place.url(f"/{name}/2".replace(":", ""), Answer(body * 2)), body * 2)
        results.append(result(name, first, second))
    report = await download(emulator, tmp_path, *results)
    report.raise_for_failures()
    assert len(files_in(tmp_path)) == 8
    for name in names:
        assert sorted(file.path.read_bytes() for file in report.of(name)) == [
            name.encode(),
            name.encode() * 2,
        ]


async def test_a_link_in_the_folder_is_not_followed_out_of_it(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "results"
    outside.mkdir()
    folder.mkdir()
    (folder / "case").symlink_to(outside)
    item = artifact("a", place.url("/a", Answer(b"x")), b"x")
    report = await download(emulator, folder, result("case", item), result("good", item))
    assert files_in(outside) == []
    assert [type(file.error) for file in report.files] == [UnsafePath, type(None)]


async def test_artifacts_that_are_listed_late_are_not_lost(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    early, late = (artifact(name, place.url(f"/{name}", Answer(b"x")), b"x") for name in ("early", "late"))
    item = result("case", early)
    run_id = pretend(emulator)
    run, listed = ({"operation": name, "status": 200} for name in ("get_run", "list_results"))
    emulator.set_faults(
        {**run, "body": details("RUNNING"), "times": 1},
        {**run, "body": details()},
        {**listed, "body": [item], "times": 1},
        {**listed, "body": [{**item, "output_artifacts": [early, late]}]},
    )
    async with emulator.client() as client:
        report = await client.run(run_id).download(tmp_path)
    report.raise_for_failures()
    assert files_in(tmp_path) == ["case/early.bin", "case/late.bin"]


async def test_what_stands_in_a_file_s_place_is_that_file_s_failure(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    (tmp_path / "case" / "folder.bin").mkdir(parents=True)
    (tmp_path / "case" / "loop.bin").symlink_to("loop.bin")
    items = [artifact(name, place.url(f"/{name}", Answer(b"x")), b"x") for name in ("folder", "loop", "good")]
    report = await download(emulator, tmp_path, result("case", *items))
    assert [file.status for file in report.files] == ["FAILED", "FAILED", "VERIFIED"]
    assert all(isinstance(file.error, TransferError) for file in report.files[:2])


async def test_what_was_left_a_month_ago_is_cleared(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    (tmp_path / "case").mkdir()
    stale, fresh = tmp_path / "case" / "b.bin", tmp_path / "case" / "c.bin"
    for target in (stale, fresh):
        part_path(target).write_bytes(b"half")
        record_path(target).write_bytes(Record(None, 4, '"1"', (Span(0, 4),)).to_bytes())
    os.utime(record_path(stale), (0, 0))
    await download(emulator, tmp_path, result("case", artifact("a", place.url("/a", Answer(b"x")), b"x")))
    assert files_in(tmp_path) == ["case/.c.bin.part", "case/.c.bin.part.json", "case/a.bin"], (
        "it may be taken up again"
    )


async def test_wrong_bytes_are_fetched_once_more_and_never_kept(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    flipped = b"\1" + BODY[1:]
    once = artifact("once", place.url("/once", Answer(flipped), Answer(BODY)), BODY)
    always = artifact("always", place.url("/always", Answer(flipped)), BODY)
    report = await download(emulator, tmp_path, result("case", once, always))
    good, bad = report.files
    assert good.status is FileStatus.VERIFIED
    assert bad.status is FileStatus.FAILED
    assert isinstance(bad.error, ChecksumMismatch)
    assert files_in(tmp_path) == ["case/once.bin"]
    assert [path for _, path, _ in place.requests].count("/always?signature=PLANTED") == 2
    with pytest.raises(ExceptionGroup):
        report.raise_for_failures()


@pytest.mark.parametrize("cut", [0, 1, 700_000, len(BODY) - 1])
async def test_a_download_that_breaks_off_is_tried_again(
    emulator: Emulator, place: Storage, tmp_path: Path, cut: int
) -> None:
    item = artifact("a", place.url("/a", Answer(BODY, cut=cut), Answer(BODY)), BODY)
    report = await download(emulator, tmp_path, result("case", item))
    report.raise_for_failures()
    assert (tmp_path / "case" / "a.bin").read_bytes() == BODY
    assert len(place.requests) == 2


async def test_a_download_that_always_breaks_off_leaves_nothing(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    # No checksum, so the length is all there is to notice it by.
    broken = artifact("a", place.url("/a", Answer(BODY, cut=1000)))
    whole = artifact("b", place.url("/b", Answer(BODY)), BODY)
    report = await download(emulator, tmp_path, result("case", broken, whole))
    assert isinstance(report.files[0].error, TransferInterrupted)
    assert report.files[1].status is FileStatus.VERIFIED, "its neighbour is not touched"
    assert files_in(tmp_path) == ["case/b.bin"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_storage_in_trouble_is_asked_again(
    emulator: Emulator, place: Storage, tmp_path: Path, status: int
) -> None:
    item = artifact("a", place.url("/a", Answer(status=status), Answer(b"x")), b"x")
    report = await download(emulator, tmp_path, result("case", item))
    report.raise_for_failures()
    assert len(place.requests) == 2


async def test_a_refused_url_is_one_typed_outcome(emulator: Emulator, place: Storage, tmp_path: Path) -> None:
    item = artifact("a", place.url("/a", Answer(b"<Code>AccessDenied</Code>", status=403)), b"x")
    report = await download(emulator, tmp_path, result("case", item))
    error = report.files[0].error
    assert isinstance(error, UrlRefused)
    assert error.status == 403
    assert "AccessDenied" in str(error)
    assert "PLANTED" not in str(error)


async def test_without_a_checksum_a_file_is_unverified_and_told(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    bare = artifact("bare", place.url("/a", Answer(b"x")))
    unreadable = artifact("hex", place.url("/b", Answer(b"x")), checksum_base64_crc32c="752f9554")
    header = Answer(b"123456789", headers={"x-goog-hash": "crc32c=4waSgw==,md5=x"})
    by_header = artifact("header", place.url("/c", header))
    report = await download(emulator, tmp_path, result("case", bare, unreadable, by_header))
    assert [file.status for file in report.files] == ["UNVERIFIED", "UNVERIFIED", "VERIFIED"]
    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failures()
    assert {type(error) for error in caught.value.exceptions} == {ChecksumMissing}
    report.raise_for_failures(allow_unverified=True)


async def test_what_is_there_already_is_not_downloaded_again(
    emulator: Emulator, place: Storage, tmp_path: Path
) -> None:
    item = result("case", artifact("a", place.url("/a", Answer(BODY)), BODY))
    await download(emulator, tmp_path, item)
    target = tmp_path / "case" / "a.bin"
    again = await download(emulator, tmp_path, item)
    assert again.files[0].status is FileStatus.PRESENT
    assert len(place.requests) == 1
    target.write_bytes(b"damaged")
    third = await download(emulator, tmp_path, item)
    assert third.files[0].status is FileStatus.VERIFIED
    assert target.read_bytes() == BODY


async def test_storage_sees_no_token_and_no_cookie(
    emulator: Emulator, place: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    baked = Answer(b"x", headers={"Set-Cookie": "session=1; Path=/"})
    items = [artifact(name, place.url(f"/{name}", baked), b"x") for name in "abc"]
    run_id = pretend(emulator, result("case", *items))
    one_by_one = evolve(IMPATIENT, limits=Limits(transfers=1))
    async with emulator.client(one_by_one) as client:
        report = await client.run(run_id).download(tmp_path)
    report.raise_for_failures()
    assert len(place.requests) == 3
    for _, _, headers in place.requests:
        assert "authorization" not in headers
        assert "cookie" not in headers
        assert headers["accept-encoding"] == "identity"
    assert "PLANTED" not in caplog.text
    assert emulator.access_token not in caplog.text


@pytest.mark.one_contract("1.0")  # under the other one a refused URL is asked for again, elsewhere
async def test_a_url_with_a_user_name_is_refused(emulator: Emulator, tmp_path: Path) -> None:
    for url in ("http://user:PLANTED@127.0.0.1:9/a", "ftp://127.0.0.1/a?PLANTED", "PLANTED"):
        report = await download(emulator, tmp_path, result("case", artifact("a", url, b"x")))
        error = report.files[0].error
        assert isinstance(error, UrlRefused)
        assert "PLANTED" not in str(error)


async def test_memory_is_flat(emulator: Emulator, tmp_path: Path) -> None:
    """96 MiB go up and come down again through another process, with 4 MiB of memory per connection."""
    source = tmp_path / "big"
    source.write_bytes(bytes(96 * 1024 * 1024))
    async with emulator.client() as client:
        store = client.store(emulator.store_url)
        await store.put("small", Path(__file__))  # so that imports and pools don't count
        tracemalloc.start()
        stored = await store.put("big", source)
        _, up = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        item = artifact("a", await store.presign_get(stored.uri, 600), checksum_base64_crc32c=stored.crc32c)
        run_id = pretend(emulator, result("case", item))
        await client.run(run_id).details()
        tracemalloc.start()
        report = await client.run(run_id).download(tmp_path)
        _, down = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    report.raise_for_failures()
    assert report.files[0].size == 96 * 1024 * 1024
    assert up < 8 * 1024 * 1024
    assert down < (8 * 4 + 4) * 1024 * 1024


async def test_a_folder_that_cant_be_written(emulator: Emulator, place: Storage, tmp_path: Path) -> None:
    (tmp_path / "case").write_text("a file in the folder's place")
    item = artifact("a", place.url("/a", Answer(b"x")), b"x")
    report = await download(emulator, tmp_path, result("case", item), result("good", item))
    error = report.files[0].error
    assert isinstance(error, TransferError)
    assert (error.name, "can't be written" in str(error)) == ("case/a", True)
    assert report.files[1].status is FileStatus.VERIFIED


@pytest.mark.parametrize("change", ["bytes", "time set back", "end", "name"])
async def test_a_file_that_changes_while_it_is_sent(tmp_path: Path, change: str) -> None:
    source = tmp_path / "slide.tiff"
    source.write_bytes(BODY)
    made = source.stat().st_mtime_ns

    def meddle(_ask: Ask) -> Reply:
        # The file is sent and its answer is not yet: the last moment in which a change counts.
        if change in ("bytes", "time set back"):
            with source.open("r+b") as file:
                file.write(b"changed")
            if change == "time set back":
                os.utime(source, ns=(made, made))
        elif change == "end":
            os.truncate(source, 100)
        else:
            source.with_name("new").write_bytes(BODY)
            source.with_name("new").replace(source)
        return Reply()

    with hostile(b"", meddle) as place:
        async with engine_of() as engine:
            with pytest.raises(LocalFileChanged, match="submit it again once it is complete"):
                await put_file(engine, place.url, source, name="slide.tiff")
    assert len(place.asks) == 1


async def test_a_file_that_is_linked_while_it_is_sent_is_the_same(tmp_path: Path) -> None:
    source = tmp_path / "slide.tiff"
    source.write_bytes(BODY)

    def link(_ask: Ask) -> Reply:
        (tmp_path / "backup").hardlink_to(source)
        return Reply()

    with hostile(b"", link) as place:
        async with engine_of() as engine:
            sent = await put_file(engine, place.url, source, name="slide.tiff")
    assert sent.crc32c == checksum_bytes(BODY).wire


async def test_a_file_that_is_shorter_than_it_was(tmp_path: Path) -> None:
    """It shrinks between two tries; what was announced can't be sent."""
    source = tmp_path / "slide.tiff"
    source.write_bytes(BODY)
    with hostile(b"") as place:
        async with engine_of() as engine:
            before = evolve(Fingerprint.of(source), size=len(BODY) + 1)
            put = _Put(engine, place.url, source, "slide.tiff", before)
            with pytest.raises(LocalFileChanged):
                await engine.run(put.send)
