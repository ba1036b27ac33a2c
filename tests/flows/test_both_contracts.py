"""A run made under either contract is the same through both façades, but for what docs/contract.md lists."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest
from rounds import sizes

from aignostics_async import (
    AignosticsError,
    Client,
    Conflict,
    InputArtifact,
    Item,
    ItemResult,
    OutputArtifact,
    Run,
    RunDetails,
    Slide,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator

REFERENCES = ["case/7", "a+b", "Müller ß", "x y", "日本", "%2F", "a&b=c", "..", "?", "#1", "ÅÅ", "e\u0301"]
METADATA = {"checksum_base64_crc32c": "AAAAAA==", **dict.fromkeys(("width", "height"), 1)}
METADATA |= dict.fromkeys(("width_mpp", "height_mpp"), 0.5)
ARTIFACTS = [InputArtifact("slide", "https://example.com/slide.tiff", METADATA)]
ENDS = ["COMPLETED", "COMPLETED_WITH_ERROR", "CANCELED_USER", "CANCELED_SYSTEM", "RUNNING", "RECEIVED"]
ITEM_ENDS = ["SUCCEEDED", "ERROR_USER", "ERROR_SYSTEM", "PENDING"]
MODELS = {model.__name__: model for model in (RunDetails, ItemResult, OutputArtifact)}


def documented(root: Path) -> set[tuple[str, str]]:
    """Return the fields that may differ, by the table of the documentation."""
    text = (root / "docs/contract.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^## What is read differently\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^\| `(\w+)\.(\w+)` \|", table, re.MULTILINE))


def differences(ours: Any, theirs: Any) -> Iterator[tuple[str, str]]:
    """Give the fields in which two snapshots differ; artifacts are compared one by one."""
    for field in attrs.fields(type(ours)):
        one, other = getattr(ours, field.name), getattr(theirs, field.name)
        if field.name == "output_artifacts" and len(one) == len(other):
            for pair in zip(one, other, strict=True):
                yield from differences(*pair)
        elif field.name == "download_url" and one and other:
            pass  # each listing signs another one
        elif one != other:
            yield type(ours).__name__, field.name


async def all_differences(clients: dict[str, Client], run_ids: list[str]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for run_id in run_ids:
        details = [await client.runs.get(run_id) for client in clients.values()]
        items = [await client.run(run_id).results(sort="item_id").to_list() for client in clients.values()]
        found.update(differences(*details))
        assert len(items[0]) == len(items[1])
        for pair in zip(*items, strict=True):
            found.update(differences(*pair))
    return found


def script(random: Random) -> dict[str, Any]:
    """Return a run with random items, each and itself in a random state."""
    references = random.sample(REFERENCES, random.randint(1, 6))
    end = random.choice(ENDS)
    moved = [] if end == "RECEIVED" else references
    final = end.startswith("COMPLETED")
    ends = ITEM_ENDS[: 1 if end == "COMPLETED" else 3 if final else 4]
    steps: list[tuple[int, str | None, str]] = [(0, None, "RUNNING")] if moved else []
    steps += [(0, each, status) for each in moved if (status := random.choice(ends)) != "PENDING"]
    if end == "COMPLETED_WITH_ERROR":
        steps[1] = (0, steps[1][1], "ERROR_USER")
    steps += [(0, None, end)] if end not in ("RUNNING", "RECEIVED") else []
    return {"items": references, "steps": steps, "after_s": -1}


async def made(client: Client, random: Random) -> Run:
    """Make a run of items that can't be fetched, and cancel it or wait for its end."""
    items = [Item(each, artifacts=ARTIFACTS) for each in random.sample(REFERENCES, random.randint(1, 3))]
    run = await client.runs.create("he-tme:v1.0.0", items)
    if random.random() < 0.5:
        with suppress(Conflict):  # it may have ended before
            await run.cancel()
    async for _ in run.watch():
        pass
    return run


@pytest.mark.parametrize("number", sizes(10, 100))
async def test_a_run_is_the_same_through_both_facades(
    emulator: Emulator, slide: Slide, root: Path, tmp_path: Path, number: int
) -> None:
    random = Random(number)
    emulator.reset(failed_items_threshold=100)
    run_ids = emulator.script(*(script(random) for _ in range(number)))
    async with emulator.client(contract="1.0") as first, emulator.client(contract="1.8") as second:
        clients = {"1.0": first, "1.8": second}
        real: list[str] = []
        for client in clients.values():
            run_ids += [(await made(client, random)).id for _ in range(max(1, number // 10))]
            run = await client.runs.submit(
                "he-tme:v1.1.0", [Item("ä/b", slide=slide)], store=emulator.store_url
            )
            await run.wait()
            real.append(run.id)
        allowed = documented(root)
        assert {model for model, _ in allowed} <= MODELS.keys()
        assert all(field in attrs.fields_dict(MODELS[model]) for model, field in allowed)
        assert await all_differences(clients, run_ids + real) <= allowed
        await check_downloads(clients, real, tmp_path)
        await first.run(real[0]).delete_results()
        await second.run(real[1]).delete_results()
        assert await all_differences(clients, real) <= allowed
        found = [await client.runs.find(references=["ä/b"]) for client in clients.values()]
        assert {run.run_id for run in found[0].exact} == {run.run_id for run in found[1].exact} == set(real)


async def check_downloads(clients: dict[str, Client], run_ids: list[str], folder: Path) -> None:
    """Check that both façades bring the same bytes, under the same names."""
    for run_id in run_ids:
        trees = []
        for name, client in clients.items():
            target = folder / name / run_id
            (await client.run(run_id).download(target)).raise_for_failures()
            files = (path for path in target.rglob("*") if path.is_file())
            trees.append({str(path.relative_to(target)): path.read_bytes() for path in files})
        assert trees[0] == trees[1]
        assert trees[0]


async def test_without_listed_urls_files_come_from_the_endpoint(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    async with emulator.client(contract="1.8") as client:
        item = Item("a", slide=slide)
        run = await client.runs.submit("he-tme:v1.1.0", [item], store=emulator.store_url)
        emulator.set_conditions(lists_urls=False)
        report = await run.download(tmp_path)
        report.raise_for_failures()
        assert len(report.files) == 4
        asked = [request["operation"] for request in emulator.requests()]
        assert asked.count("get_artifact_file") == 4


async def test_no_runs_are_none_however_the_server_says_it(emulator: Emulator, slide: Slide) -> None:
    emulator.set_conditions(empty_runs="404")
    async with emulator.client(contract="1.8") as client:
        assert await client.runs.list().to_list() == []
        assert not await client.runs.find(references=["a"])
        run = await client.runs.submit("he-tme:v1.1.0", [Item("a", slide=slide)], store=emulator.store_url)
        assert [each.run_id async for each in client.runs.list()] == [run.id]
        assert await client.runs.list(metadata={"case": "none"}).to_list() == []


CALLS: dict[str, Callable[[Client, str], Awaitable[object]]] = {
    "the versions": lambda client, _: client.applications.versions("he-tme").to_list(),
    "a version": lambda client, _: client.applications.version("he-tme:v1.0.0"),
    "the runs": lambda client, _: client.runs.list().to_list(),
    "a search": lambda client, _: client.runs.find(references=["a"]),
    "a run": lambda client, run_id: client.runs.get(run_id),
    "a new run": lambda client, _: client.runs.create("he-tme:v1.0.0", [Item("a", artifacts=ARTIFACTS)]),
    "the results": lambda client, run_id: client.run(run_id).results().to_list(),
    "an item": lambda client, run_id: client.run(run_id).item("a"),
    "the end": lambda client, run_id: client.run(run_id).wait(),
    "the files": lambda client, run_id: client.run(run_id).download(Path("unused")),
    "a deletion": lambda client, run_id: client.run(run_id).delete_results(),
}


@pytest.mark.parametrize(("ours", "theirs"), [("1.0", "1.8"), ("1.8", "1.0")])
async def test_a_wrong_contract_is_named(emulator: Emulator, ours: str, theirs: str) -> None:
    steps = [(0, None, "RUNNING"), (0, "a", "SUCCEEDED"), (0, None, "COMPLETED")]
    (run_id,) = emulator.script({"items": ["a"], "steps": steps, "after_s": -1})
    root = emulator.api_roots[theirs]
    async with Client(root, emulator.access_token, settings=IMPATIENT, contract=ours) as client:
        for what, call in CALLS.items():
            with pytest.raises(AignosticsError) as caught:
                await call(client, run_id)
            assert f"AIGNOSTICS_CONTRACT={theirs}" in str(caught.value), what
    assert {made for _, made, _, _ in emulator.ledger()} == {run_id}
