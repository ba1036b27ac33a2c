"""The cost of a page of results from bytes to models, every attribute read, and how long it blocks the loop.

The other contestant is the stock client that openapi-python-client generates from the contract with the one
correction that it needs: `json.loads`, then `from_dict`. It is generated in the same run. Both alternate,
their results are compared, and the figures are medians of processor time, so that a busy machine changes them
little. The hold is the longest time in which no other task runs. Each contract is measured by itself.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import importlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from httpx import Response

from aignostics_async import ItemResult
from aignostics_async._core._pager import PageRequest
from aignostics_async.contracts._decoding import page_of
from aignostics_async.contracts.v1_0._decoding import item as item_1_0
from aignostics_async.contracts.v1_8._decoding import item as item_1_8
from benchmarks.figures import ROOT, Estimate, Results, parser_of, recording

Flat = list[tuple[Any, ...]]
PAGE = PageRequest(1, 100, ())
RUN_ID = str(uuid.UUID(int=1))
CONTRACTS = {"1.0": "openapi.json", "1.8": "contracts/1.8/openapi.json"}
# Of the run, of the reference, and of the error, in the words of the contract; 1.8 does not repeat the run.
NAMES = {
    "1.0": ("application_run_id", "reference", "error"),
    "1.8": ("run_id", "external_id", "error_message"),
}


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--contract", choices=list(CONTRACTS), action="append")
    arguments = parser.parse_args()
    chosen = arguments.contract or list(CONTRACTS)
    with tempfile.TemporaryDirectory() as scratch, recording("decode", arguments.json) as results:
        for contract in chosen:
            generate_stock(Path(scratch), contract)
        sys.path.insert(0, scratch)
        # What the tools of this file left on the heap is nobody's cost.
        gc.collect()
        gc.freeze()
        for contract in chosen:
            for count, rounds in ((100, arguments.rounds), (1000, max(5, arguments.rounds // 10))):
                asyncio.run(compare(results, contract, count, rounds))


def generate_stock(scratch: Path, name: str) -> None:
    """Generate the stock client of a contract as a package named after it."""
    contract = json.loads((ROOT / CONTRACTS[name]).read_text(encoding="utf-8"))
    # No UUID, so that the generator would drop the schema.
    contract["components"]["schemas"]["RunCreationResponse"]["properties"].get("application_run_id", {}).pop(
        "default", None
    )
    (scratch / "contract.json").write_text(json.dumps(contract), encoding="utf-8")
    (scratch / "settings.json").write_text(json.dumps({"post_hooks": []}), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--path", str(scratch / "contract.json"), "--config", str(scratch / "settings.json")),
        *("--output-path", str(scratch / package(name))),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)


def package(contract: str) -> str:
    return f"stock_{contract.replace('.', '_')}"


def body(contract: str, count: int) -> bytes:
    """Return a page of results with six artifacts each, as the platform sends it: 1 kB per artifact."""
    dice = random.Random(count)

    def some_uuid() -> str:
        return str(uuid.UUID(int=dice.getrandbits(128), version=4))

    def artifact(number: int, item_id: str) -> dict[str, Any]:
        query = (
            "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=signer%40project.iam.gserviceaccount.com"
            "%2F20260101%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20260101T000000Z&X-Goog-Expires=3600"
            f"&X-Goog-SignedHeaders=host&X-Goog-Signature={dice.randbytes(220).hex()}"
        )
        return {
            "download_url": f"https://storage.googleapis.com/outputs/{item_id}/{number}.geojson?{query}",
            "metadata": {
                "checksum_base64_crc32c": base64.b64encode(dice.randbytes(4)).decode(),
                "height": 40_000 + number,
                "media_type": "application/geo+json",
                "resolution_mpp": 0.25,
                "width": 60_000,
            },
            "name": f"output_{number}:cells",
            "output_artifact_id": some_uuid(),
        }

    def result(number: int) -> dict[str, Any]:
        item_id = some_uuid()
        artifacts, reference = [artifact(each, item_id) for each in range(6)], f"slides/case-{number:05}.svs"
        if contract == "1.0":
            told = {"application_run_id": RUN_ID, "error": None, "reference": reference}
            return {**told, "item_id": item_id, "output_artifacts": artifacts, "status": "SUCCEEDED"}
        ended = {"state": "TERMINATED", "termination_reason": "SUCCEEDED"}
        nothing = {"error_code": None, "error_message": None}
        outputs = [{**each, **ended, **nothing, "output": "AVAILABLE"} for each in artifacts]
        sent = {**artifact(6, item_id), "input_artifact_id": some_uuid()}
        queue = {"queue_position_org": None, "queue_position_platform": None}
        own = {"custom_metadata": {"case": number}, "custom_metadata_checksum": "abc"}
        return {
            "item_id": item_id,
            "external_id": reference,
            "input_artifacts": [sent],
            "output": "FULL",
            "output_artifacts": outputs,
            "terminated_at": "2026-01-01T00:00:00.123Z",
            **ended,
            **nothing,
            **queue,
            **own,
        }

    return json.dumps([result(number) for number in range(count)], separators=(",", ":")).encode()


async def compare(results: Results, contract: str, count: int, rounds: int) -> None:
    """Run both sides alternately, compare what they give, and print their costs."""
    content = body(contract, count)
    models = importlib.import_module(f"{package(contract)}.models")
    run_id, reference, error = NAMES[contract]
    decode = item_1_0 if contract == "1.0" else partial(item_1_8, RUN_ID)
    response = Response(200, content=content)

    async def stock() -> list[Any]:
        wires = [models.ItemResultReadResponse.from_dict(each) for each in json.loads(content)]
        for wire in wires:
            _ = (
                wire.item_id,
                getattr(wire, run_id, RUN_ID),
                getattr(wire, reference),
                getattr(wire, error),
            )
            for artifact in wire.output_artifacts:
                _ = artifact.name, artifact.output_artifact_id, artifact.metadata, artifact.download_url
        return wires

    async def ours() -> tuple[ItemResult, ...]:
        page = await page_of("list results", response, PAGE, decode)
        for result in page.items:
            _ = result.item_id, result.run_id, result.reference, result.status, result.error
            for artifact in result.output_artifacts:
                _ = artifact.name, artifact.artifact_id, artifact.metadata, artifact.download_url
        return page.items

    if flat_stock(await stock(), NAMES[contract]) != flat_ours(await ours()):
        sys.exit("the two sides give different results")
    measured = await measure({"stock": stock, "ours": ours}, rounds)
    results.row(f"contract {contract}: {count} results of 6 artifacts")
    print(f"  {len(content) / 1000:.0f} kB, {rounds} rounds, same results")
    for name, (times, holds) in measured.items():
        print(
            f"  {name:6}{statistics.median(times) * 1000:8.2f} ms; longest hold of the loop "
            f"{statistics.median(holds) * 1000:6.2f} ms, at worst {max(holds) * 1000:.2f} ms"
        )
    pairs = zip(measured["ours"][0], measured["stock"][0], strict=True)
    ratio = Estimate.of([mine / other for mine, other in pairs])
    print(f"  ours takes {ratio.median:.3f} of stock")
    results.add("CPU / stock", ratio)
    times, holds = measured["ours"]
    results.add("CPU", Estimate.of([each * 1000 for each in times]), "ms")
    results.add("longest hold of the loop", Estimate.of([each * 1000 for each in holds]), "ms")


async def measure(
    sides: dict[str, Callable[[], Awaitable[object]]], rounds: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Return durations and longest holds of each side, measured alternately."""
    measured: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            measured[name][0].append(await duration(work))
            measured[name][1].append(await longest_hold(work))
    return measured


async def duration(work: Callable[[], Awaitable[object]]) -> float:
    """Return the processor time of the work without other tasks."""
    begin = time.process_time()
    given = await work()
    taken = time.process_time() - begin
    del given  # what it costs to let go of them is not meant
    return taken


async def longest_hold(work: Callable[[], Awaitable[object]]) -> float:
    """Return the longest time that another task waits during the work."""

    async def finish() -> object:
        return await work()  # kept by the task: what it costs to let go of it is not meant

    longest = 0.0
    last = time.perf_counter()
    task = asyncio.create_task(finish())
    while not task.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await task
    return longest


def flat_stock(wires: list[Any], names: tuple[str, str, str]) -> Flat:
    """Return the values of the stock models in plain types."""
    run_id, reference, error = names
    return [
        (
            *(str(wire.item_id), str(getattr(wire, run_id, RUN_ID))),
            *(getattr(wire, reference), getattr(wire, error)),
            *(
                (each.name, str(each.output_artifact_id), each.metadata.to_dict(), each.download_url)
                for each in wire.output_artifacts
            ),
        )
        for wire in wires
    ]


def flat_ours(results: tuple[ItemResult, ...]) -> Flat:
    """Return the values of our models in plain types."""
    return [
        (
            *(result.item_id, result.run_id, result.reference, result.error),
            *(
                (each.name, each.artifact_id, each.metadata, each.download_url)
                for each in result.output_artifacts
            ),
        )
        for result in results
    ]


if __name__ == "__main__":
    main()
