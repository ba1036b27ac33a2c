"""Misuse that Python would answer with a bare TypeError says what to write instead."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from aignostics_async import Client, ConfigurationError, UsageError
from aignostics_async.bulk import BulkJob

RUN = "0b5c1f8e-6f0e-4c55-9d1f-7a3f1f2f9a10"


async def wait_for(thing: Any) -> None:
    await thing


async def iterate(thing: Any) -> None:
    async for _ in thing:
        break


async def enter(thing: Any) -> None:
    async with thing:
        pass


async def enter_plainly(thing: Any) -> None:
    with thing:
        pass


async def make_list(thing: Any) -> None:
    list(thing)


async def take(thing: Any) -> None:
    thing[0]


async def take_next(thing: Any) -> None:
    next(thing)


async def take_next_async(thing: Any) -> None:
    await anext(thing)


async def iterate_plainly(thing: Any) -> None:
    for _ in thing:
        break


async def count(thing: Any) -> None:
    len(thing)


async def look_inside(thing: Any) -> None:
    _ = 1 in thing


async def call(thing: Any) -> None:
    thing()


PLAIN = [
    wait_for, enter_plainly, make_list, iterate_plainly, take, take_next, count, look_inside, call
]  # fmt: skip
ALL = [*PLAIN, iterate, enter, take_next_async]
MAKERS: list[tuple[Callable[[Client], Any], list[Any], str]] = [
    (lambda client: client, [*PLAIN, iterate], "async with Client"),
    (lambda client: client.runs, ALL, r"client\.runs\.list\(\)"),
    (lambda client: client.applications, ALL, r"client\.applications\.list\(\)"),
    (lambda client: client.run(RUN), ALL, r"await run\.details\(\)"),
    (lambda client: client.runs.list(), [*PLAIN, enter, take_next_async], r"await pager\.to_list\(\)"),
    (lambda client: client.runs.list().pages(), [*PLAIN, enter], "async for"),
    (lambda client: aiter(client.run(RUN).results()), [*PLAIN, enter], "async for"),
    (lambda client: client.watch([RUN]), [*PLAIN, enter], "async for change in"),
    (lambda client: client.download_as_completed([RUN], "x"), [*PLAIN, iterate], "async with client"),
    (lambda _client: BulkJob.open("x"), [*PLAIN, iterate], "async with BulkJob"),
]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client("http://127.0.0.1:9", "token") as client:
        yield client


@pytest.mark.parametrize(
    ("make", "misuse", "says"),
    [
        pytest.param(make, misuse, says, id=f"{misuse.__name__} {number}")
        for number, (make, misuses, says) in enumerate(MAKERS)
        for misuse in misuses
    ],
)
async def test_a_protocol_that_an_object_lacks_is_explained(
    client: Client, make: Callable[[Client], Any], misuse: Callable[[Any], Any], says: str
) -> None:
    thing = make(client)
    with pytest.raises(UsageError, match=says):
        await misuse(thing)
    assert thing, "`if client:` is no misuse"


async def test_a_job_that_was_not_entered_says_how_to_enter_it(tmp_path: Path, client: Client) -> None:
    job = BulkJob.open(tmp_path)
    for use in (job.summary, job.states, lambda: job.run(client)):
        with pytest.raises(UsageError, match="async with BulkJob"):
            await use()
    for name in ("id", "plan", "results", "contract"):
        with pytest.raises(UsageError, match="async with BulkJob"):
            getattr(job, name)
    assert not hasattr(job, "nothing_of_this_name")


async def test_a_missing_await_is_no_list(client: Client) -> None:
    details = client.run(RUN).details()
    values: Any = details
    with pytest.raises(UsageError, match="runs takes several"):
        client.watch(values)
    with pytest.raises(UsageError, match="references takes several"):
        await client.runs.find(references=values)
    details.close()


@pytest.mark.parametrize("token", ["PLANTED\nPLANTED", "PLANTED\u00e9", b"PLANTED"])
def test_a_token_that_can_t_be_used_is_in_no_frame(token: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client("https://host", token)
    frames = [step.frame for step in caught.traceback if "aignostics_async" in str(step.path)]
    shown = [value for frame in frames for name, value in frame.f_locals.items() if name != "self"]
    assert shown
    assert "PLANTED" not in repr(shown) + str(caught.value)


async def test_credentials_in_an_address_are_not_repeated(client: Client) -> None:
    for address in ("s3://key:PLANTED@bucket/prefix", "gs://PLANTED@bucket"):
        with pytest.raises(ConfigurationError, match="is no address of a store") as caught:
            client.store(address)
        assert "PLANTED" not in str(caught.value)


def test_a_client_that_could_not_be_made_has_a_repr() -> None:
    class Named(Client):
        def __init__(self) -> None:
            made.append(self)
            super().__init__("no root", "token")

    made: list[Client] = []
    with pytest.raises(ConfigurationError):
        Named()
    assert repr(made[0]) == "Client(...)"
