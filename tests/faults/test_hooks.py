"""Hooks, options for some requests only, and the instrumentation of others."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import evolve
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support import signed_in

from aignostics_async import (
    Client,
    ConfigurationError,
    Hooks,
    Limits,
    NotFound,
    RequestEvent,
    RequestTimeout,
    ResponseEvent,
    Retries,
    RetryEvent,
    ServerError,
    Timeouts,
    UsageError,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator

pytestmark = pytest.mark.both_contracts

LIST = "/api/v1/runs"
RUN_ID = str(uuid.UUID(int=1))


async def test_hooks_are_told_of_requests_responses_and_retries(emulator: Emulator) -> None:
    told: list[Any] = []
    hooks = Hooks(on_request=told.append, on_response=told.append, on_retry=told.append)
    emulator.set_faults(
        {
            "operation": "list_runs",
            "status": 503,
            "times": 1,
            "headers": {"x-request-id": "r-1", "set-cookie": "a=secret"},
        },
        {"operation": "list_runs", "drop": "before", "times": 1},
    )
    async with emulator.client(evolve(IMPATIENT, hooks=hooks)) as client:
        assert [page.number async for page in client.runs.list(page_size=7).pages()] in ([1], [])
    asked, refused, first, again, lost, once_more, answered = told
    where = ("list runs", "GET", f"{urlsplit(emulator.root).path}{LIST}")
    assert (asked, again, once_more) == tuple(RequestEvent(*where, attempt) for attempt in (1, 2, 3))
    assert (refused.status, refused.attempt, refused.headers["x-request-id"]) == (503, 1, "r-1")
    assert isinstance(answered, ResponseEvent)
    assert (answered.status, answered.attempt) == (200, 3)
    assert answered.seconds > 0
    assert isinstance(first, RetryEvent)
    assert isinstance(first.error, ServerError)
    assert (first.attempt, lost.attempt) == (1, 2)
    assert (
        emulator.access_token not in f"{told} {[each.headers for each in told if hasattr(each, 'headers')]}"
    )
    assert "set-cookie" not in refused.headers


async def test_a_renewed_token_is_no_new_attempt(emulator: Emulator) -> None:
    told: list[RequestEvent] = []
    emulator.set_faults({"operation": "list_runs", "status": 401, "times": 1})
    settings = evolve(IMPATIENT, hooks=Hooks(on_request=told.append))
    async with Client(
        emulator.root, signed_in(emulator), settings=settings, contract=emulator.contract
    ) as client:
        async for _ in client.runs.list():
            break
    assert [event.attempt for event in told] == [1, 1]


@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.parametrize("failure", [RuntimeError, asyncio.CancelledError])
async def test_a_hook_that_raises_is_logged_once_and_changes_nothing(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, kind: str, failure: type[BaseException]
) -> None:
    """Nor does one in which something was cancelled, though not the request."""
    calls: list[object] = []

    def broken(event: object) -> None:
        calls.append(event)
        raise failure("no room left")

    async def broken_later(event: object) -> None:
        await asyncio.sleep(0)
        broken(event)

    hook = broken if kind == "plain" else broken_later
    async with emulator.client(evolve(IMPATIENT, hooks=Hooks(on_request=hook, on_response=hook))) as client:
        with caplog.at_level(logging.ERROR, logger="aignostics_async"):
            for _ in range(3):
                assert [each.application_id async for each in client.applications.list()]
    assert len(calls) == 6
    assert [record.getMessage().split(";")[0] for record in caplog.records if "hook" in record.msg] == [
        "the hook on_request failed",
        "the hook on_response failed",
    ]
    assert "no room left" in caplog.text


async def test_an_async_hook_is_awaited_and_holds_no_connection(emulator: Emulator) -> None:
    """With one connection for all, a hook that sends a request of its own would wait for itself."""
    told: list[str] = []

    async def ship(event: RequestEvent | ResponseEvent) -> None:
        if event.operation != "list runs":
            async for _ in client.runs.list():
                break
        told.append(f"{type(event).__name__} of {event.operation}")

    settings = evolve(
        IMPATIENT, hooks=Hooks(on_request=ship, on_response=ship), limits=Limits(api_requests=1)
    )
    async with emulator.client(settings) as client:
        assert [each.application_id async for each in client.applications.list()]
    assert [each for each in told if "applications" in each] == [
        "RequestEvent of list applications",
        "ResponseEvent of list applications",
    ]
    assert told.count("RequestEvent of list runs") == 2


def test_a_hook_is_a_function() -> None:
    with pytest.raises(ConfigurationError, match="on_retry takes a function"):
        Hooks(on_retry="log")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"hooks takes Hooks"):
        evolve(IMPATIENT, hooks=print)  # type: ignore[arg-type]


async def test_options_for_some_requests_only(emulator: Emulator) -> None:
    path = f"{LIST}/{RUN_ID}"
    told: list[RetryEvent] = []
    async with emulator.client() as client:
        once = client.with_options(retries=Retries(attempts=1))
        emulator.set_faults({"path": path, "status": 503})
        with pytest.raises(ServerError):
            await once.run(RUN_ID).details()
        assert len(emulator.requests()) == 1
        observed = client.with_options(hooks=Hooks(on_retry=told.append))
        with pytest.raises(ServerError):
            await observed.runs.get(RUN_ID)
        assert len(told) == IMPATIENT.retries.attempts - 1
        emulator.set_faults({"path": path, "delay_s": 0.5})
        with pytest.raises(RequestTimeout):
            await once.with_options(timeouts=Timeouts(read=0.05)).run(RUN_ID).details()
        emulator.set_faults()
        with pytest.raises(NotFound):
            await client.run(RUN_ID).details()


async def test_a_client_with_options_lives_as_long_as_the_first(emulator: Emulator) -> None:
    client = emulator.client()
    other = client.with_options(retries=Retries(attempts=1))
    with pytest.raises(UsageError, match="not open"):
        await other.runs.get(RUN_ID)
    with pytest.raises(UsageError, match="enter that one"):
        async with other:
            pass
    async with client:
        assert [each async for each in other.applications.list()]
    with pytest.raises(UsageError, match="closed"):
        await other.runs.get(RUN_ID)


async def test_the_instrumentation_of_httpx_sees_every_request_and_no_secret(emulator: Emulator) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    emulator.set_faults({"operation": "list_runs", "status": 503, "times": 1})
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        with provider.get_tracer("test").start_as_current_span("job") as job:
            async with emulator.client() as client:
                async for _ in client.runs.list():
                    break
    finally:
        HTTPXClientInstrumentor().uninstrument()
    spans = [span for span in exporter.get_finished_spans() if span.name != "job"]
    assert [(span.attributes or {}).get("http.status_code") for span in spans] == [503, 200]
    assert {span.parent and span.parent.span_id for span in spans} == {job.get_span_context().span_id}
    assert emulator.access_token not in "".join(span.to_json() for span in spans)
