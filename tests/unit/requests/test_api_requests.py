"""Single requests of the API pool, against a mocked transport."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from pytest_httpx import HTTPXMock

from aignostics_async import (
    Client,
    InputArtifact,
    Item,
    SubmissionUnknown,
    Token,
    Unauthorized,
    UnprocessableRequest,
)
from aignostics_async._internals import create_run_once

ROOT = "http://127.0.0.1:9"
RUN_ID = "00000000-0000-0000-0000-000000000001"
VERSION = {
    "application_version_id": "a:v1.0.0",
    "application_id": "a",
    "version": "v1.0.0",
    "changelog": "",
    "created_at": "2026-01-01T00:00:00Z",
    "input_artifacts": [{"name": "slide", "mime_type": "image/tiff", "metadata_schema": {}}],
    "output_artifacts": [],
}
ITEMS = [Item("case-7", artifacts=[InputArtifact("slide", "https://127.0.0.1/a.tiff", {})])]


class NewTokens:
    """Gives another token whenever one was rejected."""

    def __init__(self) -> None:
        self._texts: Iterator[int] = count()
        self._token = Token("token-0")

    async def get_token(self, *, rejected: Token | None = None) -> Token:
        if rejected is not None:
            self._token = Token(f"token-{next(self._texts)}")
        return self._token


@pytest.mark.parametrize(("once", "requests"), [(True, 1), (False, 2)])
async def test_a_post_for_a_job_is_not_repeated_after_a_401(
    httpx_mock: HTTPXMock, once: bool, requests: int
) -> None:
    httpx_mock.add_response(method="GET", json=[VERSION])
    httpx_mock.add_response(method="POST", status_code=401, json={"detail": "expired"}, is_reusable=True)
    async with Client(ROOT, NewTokens()) as client:
        version = await client.applications.version("a:v1.0.0")
        with pytest.raises((Unauthorized, SubmissionUnknown)):
            if once:
                await create_run_once(client, version, ITEMS)
            else:
                await client.runs.create(version, ITEMS)
    assert len(httpx_mock.get_requests(method="POST")) == requests


async def test_faults_of_a_request_are_told_up_to_a_length(httpx_mock: HTTPXMock) -> None:
    faults = [{"loc": ["body", number], "msg": "field required"} for number in range(1000)]
    httpx_mock.add_response(status_code=422, json={"detail": faults})
    async with Client(ROOT, "token") as client:
        with pytest.raises(UnprocessableRequest) as caught:
            await client.run(RUN_ID).details()
    assert caught.value.detail.startswith("body.0: field required; body.1: field required")
    assert len(caught.value.detail) == 2000


async def test_the_number_of_a_version_has_no_v(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="GET", json=[VERSION])
    async with Client(ROOT, "token") as client:
        version = await client.applications.version("a:v1.0.0")
    assert (version.application_version_id, version.version) == ("a:v1.0.0", "1.0.0")


async def test_a_token_stays_with_the_origin_of_the_api(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": "http://127.0.0.2:9/api/v1/runs"})
    async with Client(ROOT, "secret-token") as client:
        with pytest.raises(Exception, match="302"):
            await client.runs.list().first()
    (request,) = httpx_mock.get_requests()
    assert request.url.host == "127.0.0.1"
    assert request.headers["Authorization"] == "Bearer secret-token"
