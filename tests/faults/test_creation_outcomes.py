"""Every status and failure of POST /v1/runs, on a real server, against the table in docs/contract.md."""

from __future__ import annotations

import asyncio
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from support import METADATA, count

from aignostics_async import (
    AignosticsError,
    APIStatusError,
    ConnectionFailed,
    Hooks,
    InputArtifact,
    InvalidSubmission,
    Item,
    LoginRequired,
    QuotaExceeded,
    RequestEvent,
    SubmissionUnknown,
    TokenEndpointUnavailable,
    UsageError,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.errors import status_error_class
from aignostics_async.submission._outcome import CreationOutcome, creation_outcome

pytestmark = pytest.mark.both_contracts

RUNS = "/api/v1/runs"
RUN_ID = str(uuid.UUID(int=1))
ITEM = Item("a", artifacts=[InputArtifact("slide", "http://127.0.0.1:9/a.tiff", METADATA)])
API: dict[str, Any] = {"body": {"detail": "the server's own words"}}
GATEWAY: dict[str, Any] = {"body": "Jwt is missing", "headers": {"content-type": "text/plain; charset=utf-8"}}
EMPTY: dict[str, Any] = {}
PAGE: dict[str, Any] = {"body": "<html>no</html>"}
UNDEFINED: dict[str, Any] = {**PAGE, "headers": {"content-type": "text/html; charset=undefined"}}
OTHER_JSON: dict[str, Any] = {"body": {"message": "Forbidden"}}

LISTED = {
    400: CreationOutcome.REFUSED,
    401: CreationOutcome.UNAUTHORIZED,
    402: CreationOutcome.STOP,
    403: CreationOutcome.STOP,
    404: CreationOutcome.STOP,
    413: CreationOutcome.REFUSED,
    422: CreationOutcome.REFUSED,
    429: CreationOutcome.LATER,
}
UNLISTED = [
    307,
    405,
    406,
    408,
    409,
    410,
    412,
    415,
    418,
    421,
    423,
    425,
    428,
    431,
    451,
    500,
    501,
    502,
    503,
    504,
]


async def create(emulator: Emulator, answer: dict[str, Any]) -> AignosticsError:
    """Return what `create` raises where the server answers so; the request was sent once."""
    emulator.set_faults({"operation": "create_run", **answer})
    async with emulator.client() as client:
        with pytest.raises(AignosticsError) as caught:
            await client.runs.create("he-tme:v1.0.0", [ITEM])
    assert count(emulator, operation="create_run") == 1
    return caught.value


@pytest.mark.parametrize("status", LISTED)
async def test_the_apis_own_no_is_raised_as_it_is(emulator: Emulator, status: int) -> None:
    error = await create(emulator, {"status": status, **API})
    assert type(error) is status_error_class(status)
    assert isinstance(error, APIStatusError)
    assert error.detail == "the server's own words"
    assert creation_outcome(error) is LISTED[status]


@pytest.mark.parametrize("answer", [GATEWAY, EMPTY], ids=["plain text", "no body"])
@pytest.mark.parametrize("status", LISTED)
async def test_a_gateway_is_believed_about_the_token_only(
    emulator: Emulator, status: int, answer: dict[str, Any]
) -> None:
    error = await create(emulator, {"status": status, **answer})
    if status in (401, 403):
        assert creation_outcome(error) is LISTED[status]
    else:
        assert isinstance(error, SubmissionUnknown)


@pytest.mark.parametrize(
    "answer", [PAGE, UNDEFINED, OTHER_JSON], ids=["a page", "no charset", "another's JSON"]
)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429])
async def test_a_no_of_somebody_else_proves_nothing(
    emulator: Emulator, status: int, answer: dict[str, Any]
) -> None:
    error = await create(emulator, {"status": status, **answer})
    assert isinstance(error, SubmissionUnknown)
    assert str(status) in error.reason


@pytest.mark.parametrize("status", UNLISTED)
async def test_a_status_that_is_not_listed_proves_nothing(emulator: Emulator, status: int) -> None:
    assert isinstance(await create(emulator, {"status": status, **API}), SubmissionUnknown)


async def test_a_deadline_that_ends_while_the_reply_is_awaited(emulator: Emulator) -> None:
    deadline = asyncio.timeout(None)

    def end(event: RequestEvent) -> None:
        if event.method == "POST":
            deadline.reschedule(0)

    async with emulator.client(evolve(IMPATIENT, hooks=Hooks(on_request=end))) as client:
        with pytest.raises(TimeoutError) as caught:
            async with deadline:
                await client.runs.create("he-tme:v1.0.0", [ITEM])
    # Early releases of Python 3.11 tell it as the context.
    cause = caught.value.__cause__ or caught.value.__context__
    assert cause is not None
    (note,) = cause.__notes__
    assert "a run of 1 item with he-tme:v1.0.0, requested at" in note
    assert "may exist and be billed" in note
    assert ("submission='" in note) is (emulator.contract == "1.8")


async def test_a_quota_is_told_in_the_servers_words(emulator: Emulator) -> None:
    body = {"detail": "slides per month: 480 of 500 are used"}
    error = await create(emulator, {"status": 402, "body": body})
    assert isinstance(error, QuotaExceeded)
    assert body["detail"] in str(error)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, CreationOutcome.CREATED),
        (InvalidSubmission([]), CreationOutcome.REFUSED),
        (LoginRequired("sign in"), CreationOutcome.STOP),
        (UsageError("closed"), CreationOutcome.STOP),
        (TokenEndpointUnavailable("down"), CreationOutcome.NOT_SENT),
        (ConnectionFailed("", method="POST", path="/", request_sent=False), CreationOutcome.NOT_SENT),
        (ConnectionFailed("", method="POST", path="/", request_sent=True), CreationOutcome.UNKNOWN),
        (AignosticsError("something new"), CreationOutcome.UNKNOWN),
    ],
)
def test_failures_without_an_answer(error: AignosticsError | None, outcome: CreationOutcome) -> None:
    assert creation_outcome(error) is outcome


def test_the_page_says_what_the_code_does(root: Path) -> None:
    """Each row of the table that begins with a status names the outcome that the code gives it."""
    text = (root / "docs/contract.md").read_text(encoding="utf-8")
    section = text.partition("## What POST /v1/runs came to")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:\d{3}(?:, )?)+)[^|]*\| `(\w+)` \|", section, re.MULTILINE)
    told = {
        int(status): outcome
        for statuses, outcome in rows
        for status in statuses.split(", ")
        if outcome not in ("CREATED", "UNKNOWN")
    }
    by_api = {
        status: creation_outcome(
            status_error_class(status)(status, method="POST", path="/", answered_by="api")
        )
        for status in range(300, 600)
    }
    listed = {status: outcome for status, outcome in by_api.items() if outcome != CreationOutcome.UNKNOWN}
    assert told == listed
    assert {outcome.value for outcome in CreationOutcome} == set(re.findall(r"`([A-Z_]+)` \|", section))
