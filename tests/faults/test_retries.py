"""What is tried again and what never is, counted by the server."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from email.utils import formatdate

import pytest
from raw_server import Peer, raw_server
from support import count, details, signed_in

from aignostics_async import (
    APIStatusError,
    Client,
    Conflict,
    ConnectionFailed,
    InputArtifact,
    InvalidResponse,
    Item,
    RequestTimeout,
    Retries,
    ServerError,
    Settings,
    StaticToken,
    SubmissionUnknown,
    Timeouts,
    Token,
    TooManyRequests,
    Unauthorized,
)
from aignostics_async._http import _api_pool
from aignostics_async.emulator.process import IMPATIENT, Emulator

pytestmark = pytest.mark.both_contracts

RUN_ID = str(uuid.UUID(int=1))
RUN = f"/api/v1/runs/{RUN_ID}"


def item(reference: str = "a") -> Item:
    metadata = {
        "checksum_base64_crc32c": "AAAAAA==",
        "width": 1,
        "height": 1,
        "width_mpp": 0.5,
        "height_mpp": 0.5,
    }
    return Item(reference, artifacts=[InputArtifact("slide", "http://127.0.0.1:9/a.tiff", metadata)])


async def listed(client: Client) -> bool:
    return "he-tme" in [each.application_id async for each in client.applications.list()]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520])
async def test_a_read_is_repeated_until_it_works(emulator: Emulator, status: int) -> None:
    emulator.set_faults({"operation": "list_applications", "status": status, "times": 2})
    async with emulator.client() as client:
        assert await listed(client)
    assert count(emulator, operation="list_applications") == 3


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_read_is_repeated_after_a_broken_connection(emulator: Emulator, drop: str) -> None:
    emulator.set_faults({"operation": "list_applications", "drop": drop, "times": 2})
    async with emulator.client() as client:
        assert await listed(client)
    assert count(emulator, operation="list_applications") == 3


async def test_retries_end(emulator: Emulator) -> None:
    emulator.set_faults({"operation": "list_applications", "status": 503})
    async with emulator.client() as client:
        with pytest.raises(ServerError) as caught:
            await listed(client)
    assert caught.value.status == 503
    assert count(emulator, operation="list_applications") == IMPATIENT.retries.attempts


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_honoured(emulator: Emulator, form: str) -> None:
    # A date has whole seconds, so two of them are at least one.
    value = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
    limited = {"status": 429, "headers": {"Retry-After": value}, "times": 1}
    emulator.set_faults({"operation": "list_applications", **limited})
    begin = time.monotonic()
    async with emulator.client() as client:
        assert await listed(client)
    assert time.monotonic() - begin >= 0.9, "the policy alone would have waited some milliseconds"


async def test_a_retry_after_beyond_the_limit_is_the_caller_s(emulator: Emulator) -> None:
    emulator.set_faults({"operation": "list_applications", "status": 429, "headers": {"Retry-After": "3600"}})
    async with emulator.client() as client:
        with pytest.raises(TooManyRequests) as caught:
            await listed(client)
    assert caught.value.retry_after == 3600
    assert count(emulator, operation="list_applications") == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
async def test_what_will_not_pass_is_asked_once(emulator: Emulator, status: int) -> None:
    emulator.set_faults({"operation": "get_run", "status": status, "body": {"detail": "of the API"}})
    async with emulator.client() as client:
        with pytest.raises(APIStatusError):
            await client.runs.get(RUN_ID)
    assert count(emulator, operation="get_run") == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"drop": "before"}, {"drop": "after"}])
async def test_a_post_is_sent_once(emulator: Emulator, fault: dict[str, object]) -> None:
    emulator.set_faults({"operation": "cancel_run", **fault})
    async with emulator.client() as client:
        with pytest.raises((APIStatusError, ConnectionFailed)):
            await client.run(RUN_ID).cancel()
    assert count(emulator, operation="cancel_run") == 1


async def test_a_delete_is_repeated(emulator: Emulator) -> None:
    emulator.set_faults(
        {"operation": "delete_results", "status": 503, "times": 1},
        {"operation": "delete_results", "status": 204},
    )
    async with emulator.client() as client:
        await client.run(RUN_ID).delete_results()
    assert count(emulator, operation="delete_results") == 2


async def test_a_delete_that_was_done_unheard_is_done(emulator: Emulator) -> None:
    """The reply is lost, and the repeated request is told that the results are gone."""
    emulator.set_faults(
        {"operation": "delete_results", "drop": "before", "times": 1},
        {"operation": "delete_results", "status": 410, "body": {"detail": "deleted already"}},
    )
    async with emulator.client() as client:
        await client.run(RUN_ID).delete_results()
    assert count(emulator, operation="delete_results") == 2


@pytest.mark.parametrize("status", ["CANCELED_USER", "CANCELED_SYSTEM"])
async def test_a_run_that_is_cancelled_already_may_be_cancelled(emulator: Emulator, status: str) -> None:
    emulator.set_faults(
        {"operation": "cancel_run", "status": 409},
        {"operation": "get_run", "status": 200, "body": details(status)},
    )
    async with emulator.client() as client:
        assert await client.run(RUN_ID).cancel() is False
    assert count(emulator, operation="cancel_run") == 1


@pytest.mark.parametrize("status", ["COMPLETED", "REJECTED", "RUNNING", "SOMETHING"])
async def test_another_run_that_can_t_be_cancelled_is_a_conflict(emulator: Emulator, status: str) -> None:
    emulator.set_faults(
        {"operation": "cancel_run", "status": 409},
        {"operation": "get_run", "status": 200, "body": details(status)},
    )
    async with emulator.client() as client:
        with pytest.raises(Conflict):
            await client.run(RUN_ID).cancel()


async def test_a_post_that_never_left_is_tried_again() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        root = f"http://127.0.0.1:{closed.getsockname()[1]}"
        tries = 0

        class Counting(StaticToken):
            async def get_token(self, *, rejected: Token | None = None) -> Token:
                nonlocal tries
                tries += 1
                return await super().get_token(rejected=rejected)

        async with Client(root, Counting("token"), settings=IMPATIENT) as client:
            with pytest.raises(ConnectionFailed) as caught:
                await client.run(RUN_ID).cancel()
    assert not caught.value.request_sent
    assert "check address and network" in str(caught.value)
    assert tries == IMPATIENT.retries.attempts


async def test_a_post_never_meets_a_connection_that_the_server_closes() -> None:
    """The server takes one request per connection and closes it on the next, as idle timeouts do."""
    asked: list[bytes] = []
    served: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        await reader.read(1)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Client(root, "token", settings=IMPATIENT) as client:
            assert not await listed(client)
            await client.run(RUN_ID).cancel()
            assert not await listed(client)
        await asyncio.gather(*filter(None, served))
    assert asked == [b"GET", b"POST", b"GET"]


async def test_a_slow_answer_is_a_timeout(emulator: Emulator) -> None:
    emulator.set_faults({"operation": "list_applications", "delay_s": 5})
    settings = Settings(timeouts=Timeouts(read=0.2), retries=Retries(attempts=1))
    async with emulator.client(settings) as client:
        with pytest.raises(RequestTimeout, match="may have been received") as caught:
            await listed(client)
    assert caught.value.request_sent


@pytest.mark.parametrize("part", ["header", "body"])
async def test_an_answer_that_drips_is_not_waited_for(part: str) -> None:
    """A byte every 50 ms is in time for a timeout between two bytes, and would never end."""

    def serve(peer: Peer) -> None:
        peer.read_request()
        peer.write(b"HTTP/1.1 201 Created\r\n")
        if part == "body":
            peer.write(b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        peer.drip_for_ever(b"a", every=0.05)

    settings = Settings(timeouts=Timeouts(connect=0.1, read=0.2, write=0.1), retries=Retries(attempts=1))
    with raw_server(serve) as server:
        root = server.url.partition("/body")[0]
        async with asyncio.timeout(60), Client(root, "token", settings=settings) as client:
            with pytest.raises(RequestTimeout, match="only drips") as caught:
                await client.run(RUN_ID).cancel()
    assert caught.value.request_sent


async def test_an_answer_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_api_pool, "MAX_BODY", 100_000)

    def serve(peer: Peer) -> None:
        peer.read_request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while not peer.over.is_set():
            peer.write(b" " * 100_000)

    with raw_server(serve) as server:
        root = server.url.partition("/body")[0]
        async with asyncio.timeout(60), Client(root, "token", settings=IMPATIENT) as client:
            with pytest.raises(InvalidResponse, match="no JSON"):
                await client.runs.get(RUN_ID)


async def test_a_401_leads_to_one_refresh_and_one_repetition(emulator: Emulator) -> None:
    emulator.set_faults({"path": "/api/.*", "status": 401, "times": 1})
    source = signed_in(emulator)
    async with Client(emulator.root, source, settings=IMPATIENT, contract=emulator.contract) as client:
        assert await listed(client)
    asked = [each["operation"] or each["path"] for each in emulator.requests()]
    assert asked == ["/oauth/token", "list_applications"] * 2


async def test_a_401_that_stays_is_unauthorized(emulator: Emulator) -> None:
    async with Client(emulator.root, "wrong", settings=IMPATIENT, contract=emulator.contract) as client:
        with pytest.raises(Unauthorized, match="Sign in again"):
            await listed(client)
    assert count(emulator, operation="list_applications") == 1


async def test_a_post_is_repeated_once_after_a_401(emulator: Emulator) -> None:
    emulator.set_faults({"path": "/api/v1/runs", "status": 401, "times": 1})
    source = signed_in(emulator)
    async with Client(emulator.root, source, settings=IMPATIENT, contract=emulator.contract) as client:
        await client.runs.create("he-tme:v1.0.0", [item()])
    assert count(emulator, operation="create_run") == 2


@pytest.mark.parametrize(
    ("fault", "created"),
    [
        ({"drop": "after"}, True),
        ({"drop": "before"}, False),
        ({"status": 500}, False),
        ({"status": 502, "body": "<html>bad gateway</html>"}, False),
        ({"status": 409}, False),
        ({"status": 307, "headers": {"Location": "/elsewhere"}}, False),
        ({"status": 200, "body": {"application_run_id": RUN_ID}}, False),
        ({"status": 201, "body": "<html>"}, False),
        ({"status": 201, "body": {}}, False),
        ({"status": 201, "body": {"application_run_id": "Application run id"}}, False),
    ],
)
async def test_a_lost_reply_is_told_and_found(
    emulator: Emulator, fault: dict[str, object], created: bool
) -> None:
    """A POST whose reply is lost is never repeated; find tells whether the run exists."""
    reference = f"case-{uuid.uuid4()}"
    emulator.set_faults({"operation": "create_run", **fault})
    async with emulator.client() as client:
        with pytest.raises(SubmissionUnknown) as caught:
            await client.runs.create("he-tme:v1.0.0", [item(reference), item("other")])
        assert count(emulator, operation="create_run") == 1
        lost = caught.value
        assert set(lost.references) == {reference, "other"}
        assert lost.application_version_id == "he-tme:v1.0.0"
        emulator.set_faults()
        found = await client.runs.find(references=lost.references, since=lost.sent_at)
        assert bool(found) == created
        assert len(found.exact) == created
        part = await client.runs.find(references=[reference], since=lost.sent_at)
        assert not part.exact


async def test_a_run_that_cant_be_read_is_possible(emulator: Emulator) -> None:
    references = [f"case-{uuid.uuid4()}" for _ in range(7)]
    async with emulator.client() as client:
        run = await client.runs.create("he-tme:v1.0.0", [item(each) for each in references])
        emulator.set_faults({"operation": "list_results", "status": 404})
        found = await client.runs.find(references=references, application_version="he-tme:v1.0.0")
        assert [each.run_id for each in found.possible if each.run_id == run.id] == [run.id]
        assert not found.exact
        emulator.set_faults()
        more = await client.runs.find(references=[*references, "more"], application_version="he-tme:v1.0.0")
        assert run.id in [each.run_id for each in more.possible], "it shows a part of the set"
