"""Tasks of shared requests: their context, their errors, and their end."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from aignostics_async.watch._requests_in_flight import RequestsInFlight

TRACE: ContextVar[str] = ContextVar("trace", default="none")


class Request:
    """A request that is answered when `answered` is set."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()
        self.trace: str | None = None
        self.is_cancelled = False

    async def send(self) -> None:
        self.trace = TRACE.get()
        try:
            await self.answered.wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise


async def settle(requests: RequestsInFlight, number: int) -> None:
    for _ in range(100):
        if len(requests) == number:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"{len(requests)} requests are under way, not {number}")


async def test_a_request_runs_in_an_empty_context() -> None:
    requests, request = RequestsInFlight(lambda: None), Request()
    request.answered.set()
    token = TRACE.set("of one caller")
    try:
        requests.start(request.send())
        await settle(requests, 0)
    finally:
        TRACE.reset(token)
    assert request.trace == "none"


async def test_one_request_is_kept_the_oldest_and_the_newest_in_turn() -> None:
    ends: list[None] = []
    requests = RequestsInFlight(lambda: ends.append(None))
    for kept in (0, 3, 0):
        sent = [Request() for _ in range(4)]
        for request in sent:
            requests.start(request.send())
        await asyncio.sleep(0)  # to where they wait
        requests.cancel_all_but_one()
        await settle(requests, 1)
        assert [request.is_cancelled for request in sent] == [number != kept for number in range(4)]
        requests.cancel_all_but_one()  # a single one is kept in any case
        sent[kept].answered.set()
        await settle(requests, 0)
    assert len(ends) == 12
    requests.cancel_all_but_one()  # of none


async def test_cancelling_waits_for_the_end() -> None:
    requests, sent = RequestsInFlight(lambda: None), [Request() for _ in range(3)]
    for request in sent:
        requests.start(request.send())
    await asyncio.sleep(0)
    await requests.cancel()
    assert all(request.is_cancelled for request in sent)
    await settle(requests, 0)
    requests.raise_failure()  # a cancelled request is no failure


async def test_an_unexpected_error_is_raised_once() -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    requests = RequestsInFlight(lambda: None)
    requests.start(broken())
    await settle(requests, 0)
    with pytest.raises(ZeroDivisionError):
        requests.raise_failure()
    requests.raise_failure()
