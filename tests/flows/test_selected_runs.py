"""Runs by organization, items by reference, cancelling by filter, and documents, under contract 1.8."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import run_here

from aignostics_async import (
    ChecksumMissing,
    Client,
    ConnectionFailed,
    InputArtifact,
    InvalidItems,
    InvalidResponse,
    Item,
    NotFound,
    NotInContract,
    RunDetails,
    SubmissionUnknown,
    UsageError,
)
from aignostics_async.emulator.process import Emulator

VERSION = "he-tme:v1.1.0"
RUNNING = [[0, None, "RUNNING"]]


@pytest.fixture(autouse=True)
def newest(emulator: Emulator) -> None:
    emulator.reset(contract="1.8", clock_rate=0)


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Client]:
    async with emulator.client() as client:
        yield client


def command(emulator: Emulator, *words: str | Path) -> Any:
    return run_here(words, emulator.environment)


# Items and runs


def test_a_run_by_one_of_its_references(emulator: Emulator) -> None:
    run_id, _ = emulator.script({"items": ["case-1", "case-2"]}, {"items": ["case-3"]})
    listed = command(emulator, "runs", "list", "--reference", "case-1", "--json")
    assert [run["run_id"] for run in json.loads(listed.stdout)] == [run_id]
    assert "runs list --reference" in command(emulator, "runs", "find", "case-1").stderr


@pytest.mark.both_contracts
async def test_an_item_by_its_reference(emulator: Emulator, contract: str) -> None:
    (run_id,) = emulator.script({"items": ["a/b", "a"], "steps": [[0, "a", "ERROR_USER"]]})
    async with emulator.client(contract=contract) as client:
        run = client.run(run_id)
        assert (await run.item("a")).status == "ERROR_USER"
        assert (await run.item("a/b")).reference == "a/b"
        with pytest.raises(NotFound, match="there is no item 'c'"):
            await run.item("c")


async def test_runs_of_an_organization(client: Client, emulator: Emulator) -> None:
    (run_id,) = emulator.script({"items": ["a"]})
    emulator.set_faults()
    assert [run.run_id async for run in client.runs.list(organization="emulator")] == [run_id]
    assert await client.runs.list(organization="another").to_list() == []
    assert "for_organization=emulator" in emulator.requests()[0]["query"]
    async with emulator.client(contract="1.0") as older:
        with pytest.raises(NotInContract, match="listing runs by organization"):
            await older.runs.list(organization="emulator").to_list()


def test_the_command_lists_the_runs_of_an_organization(emulator: Emulator) -> None:
    emulator.script({"items": ["a"]})
    for organization, number in (("emulator", 1), ("another", 0)):
        listed = command(emulator, "runs", "list", "--organization", organization, "--json")
        assert len(json.loads(listed.stdout)) == number


# Cancelling by filter


def runs(emulator: Emulator) -> dict[str, str]:
    """Make runs that differ in what they can be selected by, and return their ids."""
    scripts = {
        "old": {"items": ["a"], "steps": RUNNING, "after_s": -7200},
        "study": {"items": ["a"], "steps": RUNNING, "custom_metadata": {"study": {"name": "x", "no": 7}}},
        "other": {"items": ["b"], "steps": RUNNING, "custom_metadata": {"study": {"name": "y"}}},
        "newer": {"items": ["b"], "steps": RUNNING, "application_version_id": "he-tme:v1.1.0"},
        "over": {"items": ["a"], "steps": [[0, "a", "SUCCEEDED"], [0, None, "COMPLETED"]]},
    }
    return dict(zip(scripts, emulator.script(*scripts.values()), strict=True))


SELECTIONS: list[tuple[dict[str, Any], set[str]]] = [
    ({"application_id": "he-tme"}, {"newer"}),
    ({"application_version": "test-app:0.0.2"}, {"old", "study", "other"}),
    ({"reference": "a"}, {"old", "study"}),
    ({"metadata": {"study": {"name": "x"}}}, {"study"}),
    ({"metadata": {"study": {"name": "x", "no": 7}}, "reference": "a"}, {"study"}),
    ({"reference": "b", "application_id": "test-app"}, {"other"}),
    ({"since": timedelta(hours=1)}, {"study", "other", "newer"}),
    ({"reference": "none"}, set()),
]


@pytest.mark.parametrize(("selection", "names"), SELECTIONS)
@pytest.mark.parametrize("obeys", [True, False], ids=["filters", "ignores filters"])
async def test_what_matches_is_cancelled_and_nothing_else(
    client: Client, emulator: Emulator, selection: dict[str, Any], names: set[str], *, obeys: bool
) -> None:
    made = runs(emulator)
    if not obeys:
        everything = await list_as_json(client, emulator)
        emulator.set_faults({"operation": "list_runs", "status": 200, "body": everything})
    if "since" in selection:
        moment = datetime.fromtimestamp(emulator.now(), UTC) - selection["since"]
        selection = {**selection, "since": moment}
    seen: list[set[str]] = []

    def look(found: Sequence[RunDetails]) -> bool:
        seen.append({run.run_id for run in found})
        return True

    cancelled = await client.runs.cancel_matching(look, **selection)
    assert set(cancelled) == {made[name] for name in names}
    assert seen == ([set(cancelled)] if names else [])
    emulator.set_faults()
    ended = {run.run_id async for run in client.runs.list() if run.status == "CANCELED_USER"}
    assert ended == set(cancelled)


async def test_a_truth_value_is_no_number(client: Client, emulator: Emulator) -> None:
    """They are equal in Python, and a server may ignore the filter."""
    (run_id,) = emulator.script({"items": ["a"], "steps": RUNNING})
    await client.run(run_id).set_metadata({"urgent": True})
    emulator.set_conditions(filters_metadata=False)
    assert await client.runs.cancel_matching(lambda _runs: True, metadata={"urgent": 1}) == ()


async def test_a_submission_is_found_whatever_the_clock_said(client: Client, emulator: Emulator) -> None:
    emulator.set_faults({"operation": "create_run", "times": 1, "drop": "after"})
    size = {"width": 1, "height": 1, "width_mpp": 0.5, "height_mpp": 0.5}
    artifact = InputArtifact(
        "slide", "http://127.0.0.1:9/a.tiff", {"checksum_base64_crc32c": "AAAAAA==", **size}
    )
    with pytest.raises(SubmissionUnknown) as lost:
        await client.runs.create("he-tme:v1.0.0", [Item("a", artifacts=[artifact])])
    tomorrow = lost.value.sent_at + timedelta(days=1)
    found = await client.runs.find(references=["a"], since=tomorrow, submission=lost.value.submission)
    assert len(found.exact) == 1


async def list_as_json(client: Client, emulator: Emulator) -> list[Any]:
    """Return what the listing of all runs answers."""
    from line_1_8 import Asker

    assert client.contract == "1.8"
    listed: list[Any] = Asker(emulator).get("/runs", page_size=100)
    return listed


@pytest.mark.parametrize("answer", [False, None, "no"])
async def test_nothing_is_cancelled_without_a_yes(client: Client, emulator: Emulator, answer: Any) -> None:
    runs(emulator)
    assert await client.runs.cancel_matching(lambda _runs: answer, reference="a") == ()
    assert {run.status async for run in client.runs.list()} == {"RUNNING", "COMPLETED"}


async def agree(_runs: Sequence[RunDetails]) -> bool:
    return True


async def test_without_a_filter_or_a_plain_look_nothing_is_asked(client: Client, emulator: Emulator) -> None:
    emulator.set_faults()
    with pytest.raises(UsageError, match="nothing selects the runs to cancel"):
        await client.runs.cancel_matching(lambda _runs: True)
    with pytest.raises(UsageError, match="must be a plain function"):
        await client.runs.cancel_matching(agree, reference="a")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="not None"):
        await client.runs.cancel_matching(None, reference="a")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="aware time"):
        await client.runs.cancel_matching(lambda _runs: True, since=datetime(2026, 1, 1))  # noqa: DTZ001
    assert emulator.requests() == []


async def test_a_run_that_cant_be_cancelled_does_not_stop_the_others(
    client: Client, emulator: Emulator
) -> None:
    made = runs(emulator)
    emulator.set_faults(
        {"path": f".*/{made['old']}/cancel", "status": 403, "body": {"detail": "no"}},
        {"path": f".*/{made['study']}/cancel", "status": 409, "body": {"detail": "it is over"}},
        {"path": f".*/runs/{made['study']}", "answer": "conflict", "skip": 1},
    )
    with pytest.raises(ExceptionGroup, match="1 runs could not be cancelled"):
        await client.runs.cancel_matching(lambda _runs: True, application_id="test-app")
    emulator.set_faults()
    assert (await client.runs.get(made["other"])).status == "CANCELED_USER"


def test_the_commands_select_by_metadata(emulator: Emulator) -> None:
    made = runs(emulator)
    chosen = ["--metadata", "study.name=x", "--metadata", "study.no=7"]
    listed = command(emulator, "runs", "list", *chosen, "--json")
    assert [each["run_id"] for each in json.loads(listed.stdout)] == [made["study"]]
    done = command(emulator, "runs", "cancel-matching", *chosen, "--yes", "--json")
    assert json.loads(done.stdout)["cancelled"] == [made["study"]]


def test_the_command_shows_and_asks(emulator: Emulator) -> None:
    made = runs(emulator)
    refused = command(emulator, "runs", "cancel-matching", "--reference", "a")
    assert refused.returncode == 2
    assert made["old"] in refused.stderr
    assert made["other"] not in refused.stderr
    assert "2 runs will be cancelled; pass --yes" in refused.stderr
    done = command(emulator, "runs", "cancel-matching", "--reference", "a", "--yes", "--json")
    assert set(json.loads(done.stdout)["cancelled"]) == {made["old"], made["study"]}
    again = command(emulator, "runs", "cancel-matching", "--reference", "a", "--yes")
    assert again.stdout == "0 runs cancelled\n"


# Documents


async def test_documents_are_listed_and_downloaded(client: Client, tmp_path: Path) -> None:
    documents = await client.applications.documents("he-tme:1.1.0")
    assert [each.name for each in documents] == ["release-notes.md", "instructions-for-use.txt"]
    assert documents[0].mime_type == "text/markdown"
    assert documents[0].updated_at.tzinfo is not None
    path = await client.applications.download_document(VERSION, documents[0].name, tmp_path / "new")
    assert path == tmp_path / "new/release-notes.md"
    assert path.read_text(encoding="utf-8").startswith(f"{VERSION}, release-notes.md")


@pytest.mark.parametrize(
    ("headers", "allowed", "error"),
    [
        ({"x-goog-hash": "crc32c=AAAAAA=="}, False, "CRC32C"),
        ({}, False, "the storage gave no checksum"),
        ({}, True, None),
    ],
)
async def test_a_document_is_compared_with_the_storage_s_checksum(
    client: Client,
    emulator: Emulator,
    tmp_path: Path,
    headers: dict[str, str],
    *,
    allowed: bool,
    error: str | None,
) -> None:
    (tmp_path / "release-notes.md").write_text("of last week")
    emulator.set_faults({"path": "/storage/.*", "status": 200, "body": "text", "headers": headers})
    fetching = client.applications.download_document(
        VERSION, "release-notes.md", tmp_path, allow_unverified=allowed
    )
    if error is None:
        assert (await fetching).read_text() == "text"
        return
    with pytest.raises(Exception, match=error) as caught:
        await fetching
    assert isinstance(caught.value, ChecksumMissing) is (not headers)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["of last week"]


async def test_documents_that_are_not_there_or_cant_be_read(
    client: Client, emulator: Emulator, tmp_path: Path
) -> None:
    folder = tmp_path / "docs"
    with pytest.raises(NotFound):
        await client.applications.documents("he-tme:v9.9.9")
    with pytest.raises(NotFound):
        await client.applications.download_document(VERSION, "none.pdf", folder)
    emulator.set_faults({"operation": "list_documents", "status": 200, "body": [{"name": "half"}]})
    with pytest.raises(InvalidItems):
        await client.applications.documents(VERSION)
    emulator.set_faults({"operation": "get_document_content", "status": 200, "body": "PLANTED"})
    with pytest.raises(InvalidResponse, match="the address of the file was expected"):
        await client.applications.download_document(VERSION, "release-notes.md", folder)
    async with emulator.client(contract="1.0") as older:
        with pytest.raises(NotInContract, match="documents of versions"):
            await older.applications.documents(VERSION)
        with pytest.raises(NotInContract, match="documents of versions"):
            await older.applications.download_document(VERSION, "release-notes.md", folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    "location", ["https://[name@host/file", "https://xn--/file", "https://[::1", "file:///a"]
)
async def test_a_document_is_never_at_what_is_no_url(
    client: Client, emulator: Emulator, tmp_path: Path, location: str
) -> None:
    fault = {"operation": "get_document_content", "status": 307, "headers": {"location": location}}
    emulator.set_faults(fault)
    with pytest.raises((InvalidResponse, ConnectionFailed)):
        await client.applications.download_document(VERSION, "release-notes.md", tmp_path)


async def test_the_name_of_a_document_stays_in_the_folder(
    client: Client, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.set_faults(
        {
            "method": "GET",
            "path": ".*/documents/.*/content",
            "status": 307,
            "headers": {"location": f"{emulator.api_root}/storage/any"},
        },
        {"path": "/storage/any", "status": 200, "body": "text"},
    )
    path = await client.applications.download_document(
        VERSION, "../../up.md", tmp_path / "docs", allow_unverified=True
    )
    assert path.parent == tmp_path / "docs"


def test_the_command_lists_and_downloads_documents(emulator: Emulator, tmp_path: Path) -> None:
    assert "release-notes.md" in command(emulator, "documents", VERSION).stdout
    listed = json.loads(command(emulator, "documents", VERSION, "--json").stdout)
    assert [each["name"] for each in listed] == ["release-notes.md", "instructions-for-use.txt"]
    done = command(emulator, "documents", VERSION, "--download", tmp_path / "docs")
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == sorted(
        each["name"] for each in listed
    )
    assert str(tmp_path / "docs/release-notes.md") in done.stdout
    assert command(emulator, "documents", VERSION, "none.pdf", "--download", tmp_path).returncode == 7
    assert command(emulator, "documents", VERSION, "release-notes.md").returncode == 2
