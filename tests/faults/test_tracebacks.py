"""No secret in anything that a tool shows of a traceback, whichever call fails and however."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve
from leak_detector import SECRETS
from rich.pretty import pretty_repr
from shown_variables import shown
from support import METADATA, artifact, pretend, result, signed_in

from aignostics_async import (
    Applications,
    Client,
    InputArtifact,
    Item,
    Retries,
    Run,
    Runs,
    Slide,
    Timeouts,
)
from aignostics_async._core._secret import SecretText
from aignostics_async.emulator.process import IMPATIENT, Emulator

VERSION = "he-tme:v1.0.0"
URL = "https://bucket.example.com/slide.tiff?X-Amz-Signature=PLANTED" + "PLANTED" * 20
SETTINGS = evolve(IMPATIENT, retries=Retries(attempts=1), timeouts=Timeouts(read=0.5))


@define
class Case:
    """What the operations need."""

    client: Client
    emulator: Emulator
    run_id: str
    slide: Path
    folder: Path

    async def list_applications(self) -> object:
        return await self.client.applications.list().to_list()

    async def list_runs(self) -> object:
        return await self.client.runs.list().to_list()

    async def version(self) -> object:
        return await self.client.applications.version(VERSION)

    async def details(self) -> object:
        return await self.client.run(self.run_id).details()

    async def results(self) -> object:
        return await self.client.run(self.run_id).results().to_list()

    async def cancel(self) -> object:
        return await self.client.run(self.run_id).cancel()

    async def delete(self) -> object:
        await self.client.run(self.run_id).delete_results()
        return None

    async def watch(self) -> object:
        return [change async for change in self.client.run(self.run_id).watch()]

    async def wait(self) -> object:
        return await self.client.run(self.run_id).wait()

    async def find(self) -> object:
        return await self.client.runs.find(references=["a"])

    async def create(self) -> object:
        item = Item("a", artifacts=[InputArtifact("slide", URL, METADATA)])
        return await self.client.runs.create(VERSION, [item])

    async def submit(self) -> object:
        items = [Item("a", slide=Slide(self.slide))]
        return await self.client.runs.submit(VERSION, items, store=self.emulator.store_url)

    async def download(self) -> object:
        report = await self.client.run(self.run_id).download(self.folder)
        report.raise_for_failures()
        return report

    async def completed(self) -> object:
        async with self.client.download_as_completed([self.run_id], self.folder) as items:
            done = [item async for item in items]
        for each in done:
            for file in each.files:
                if file.error is not None:
                    raise file.error
        return done


class NewCase(Case):
    """What contract 1.8 has beyond 1.0."""

    async def me(self) -> object:
        return await self.client.me()

    async def health(self) -> object:
        return await self.client.health()

    async def get(self) -> object:
        return await self.client.runs.get(self.run_id)

    async def item(self) -> object:
        return await self.client.run(self.run_id).item("a")

    async def artifact_url(self) -> object:
        return await self.client.run(self.run_id).artifact_url(self.run_id, self.run_id)

    async def set_metadata(self) -> object:
        await self.client.run(self.run_id).set_metadata({"a": 1})
        return None

    async def update_metadata(self) -> object:
        return await self.client.run(self.run_id).update_metadata(lambda _: {"a": 1})

    async def set_item_metadata(self) -> object:
        await self.client.run(self.run_id).set_item_metadata("a", {"a": 1})
        return None

    async def update_item_metadata(self) -> object:
        return await self.client.run(self.run_id).update_item_metadata("a", lambda _: {"a": 1})

    async def cancel_matching(self) -> object:
        return await self.client.runs.cancel_matching(lambda _: True, reference="a")

    async def documents(self) -> object:
        return await self.client.applications.documents(VERSION)

    async def download_document(self) -> object:
        return await self.client.applications.download_document(VERSION, "a", self.folder)


CASES = {"1.0": Case, "1.8": NewCase}


def operations(case: type[Case]) -> list[str]:
    named = (name for each in reversed(case.__mro__) for name in vars(each) if not name.startswith("_"))
    return [name for name in dict.fromkeys(named) if asyncio.iscoroutinefunction(getattr(case, name))]


OPERATIONS = [(contract, name) for contract, case in CASES.items() for name in operations(case)]
STATUSES = {
    str(status): {"status": status, "body": {"detail": "no"}} for status in (401, 403, 409, 422, 429, 500)
}
TROUBLES: dict[str, dict[str, Any]] = {
    **STATUSES, "cut": {"drop": "after"}, "timeout": {"delay_s": 60}, "cancelled": {"delay_s": 60}
}  # fmt: skip
ALL = [(*operation, trouble) for operation, trouble in itertools.product(OPERATIONS, TROUBLES)]


def missing(emulator: Emulator) -> str:
    """Return the URL of no object; a variable of the test would show it."""
    return f"{emulator.api_root}/no-object?X-Amz-Signature=PLANTED"


async def failure(
    contract: str, name: str, trouble: str, emulator: Emulator, slide: Path, folder: Path
) -> BaseException | None:
    """Return what an operation raises in trouble; None if it succeeds in spite of it."""
    prepared = name in ("submit", "create")
    where = {"operation": "create_run"} if prepared else {"path": ".*/(api/.*|health)"}
    run_id = "00000000-0000-0000-0000-000000000001"
    # The answers that are pretended are those of 1.0.
    outputs = name in ("download", "completed") and contract == "1.0"
    if outputs:
        run_id = pretend(emulator, result("a", artifact("output", missing(emulator), b"bytes")))
        if trouble.isdecimal():
            outputs = False  # the storage knows no such object
    root = emulator.api_roots[contract]
    async with Client(root, signed_in(emulator), settings=SETTINGS, contract=contract) as client:
        if prepared:
            await client.with_options(timeouts=Timeouts()).applications.list().to_list()
        if not outputs and (contract == "1.8" or name not in ("download", "completed")):
            emulator.set_faults({**where, **TROUBLES[trouble]})
        case = CASES[contract](client, emulator, run_id, slide, folder)
        call: Callable[[], Awaitable[object]] = getattr(case, name)
        try:
            async with asyncio.timeout(0.2 if trouble == "cancelled" else 2):  # a watcher would go on
                await call()
        except BaseException as error:  # noqa: BLE001 - whatever comes is searched
            return error
    return None


def leaks(error: BaseException) -> list[str]:
    """Return where a secret is shown; the test's own frames are left out."""
    return sorted({place for place, text in shown(error) if SECRETS.search(text)})


@pytest.mark.sampled(test=18, fast=0)
@pytest.mark.parametrize(("contract", "name", "trouble"), ALL)
async def test_no_traceback_shows_a_secret(
    contract: str, name: str, trouble: str, emulator: Emulator, slide_file: Path, tmp_path: Path
) -> None:
    error = await failure(contract, name, trouble, emulator, slide_file, tmp_path)
    # A deployment whose health page fails has an unknown health.
    assert (error is None) == (name == "health" and trouble.isdecimal())
    assert error is None or leaks(error) == []


@pytest.mark.parametrize("kind", [Client, Runs, Run, Applications])
def test_every_call_is_in_the_table(kind: type) -> None:
    """`call` has a table of its own, with every operation of both contracts."""
    called = inspect.getsource(Case) + inspect.getsource(NewCase)
    names = [name for name in vars(kind) if asyncio.iscoroutinefunction(getattr(kind, name))]
    missing = [name for name in names if not name.startswith("_") and f".{name}(" not in called]
    assert missing in ([], ["call"])


def test_each_way_to_show_a_secret_is_found() -> None:
    """A leak of each kind that is planted."""

    def fail(plant: Callable[[], BaseException]) -> BaseException:
        try:
            raise plant()
        except BaseException as error:  # noqa: BLE001
            return error

    class Holder(Exception):
        pass

    def noted() -> BaseException:
        error = Holder()
        error.add_note("Bearer PLANTED")
        return error

    def held() -> BaseException:
        error = Holder()
        error.secret = [{"a": ({"b": "PLANTED"},)}]  # type: ignore[attr-defined]
        return error

    def caused() -> BaseException:
        error = Holder()
        error.__cause__ = ValueError("PLANTED")
        return error

    def grouped() -> BaseException:
        return ExceptionGroup("several", [Holder(), ExceptionGroup("more", [ValueError("PLANTED")])])

    for plant in (lambda: Holder("PLANTED"), noted, held, caused, grouped):
        assert leaks(fail(plant)), plant


def test_a_part_of_a_secret_text_is_a_secret() -> None:
    """Tools cut long texts before they show them."""
    text = SecretText("https://bucket.example.com/?sig=PLANTED" + "x" * 200)
    assert "PLANTED" not in pretty_repr({"url": text}, max_string=80)
    assert "PLANTED" not in repr([text[:80], text[10:], text[::1]])
    assert text[:5] == "https"
