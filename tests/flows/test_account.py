"""Who the caller is, and whether the platform is well: `client.me`, `client.health`, and `whoami`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import run_here
from pytest_httpx import HTTPXMock

from aignostics_async import (
    Client,
    ConnectionFailed,
    Health,
    HealthStatus,
    InvalidResponse,
    Item,
    Me,
    NotInContract,
    Organization,
    PlatformDown,
    RequestTimeout,
    Settings,
    Slide,
    Unauthorized,
    UsageError,
    User,
)
from aignostics_async.bulk import JobPlan, Sources, run_preflight
from aignostics_async.emulator.process import Emulator

VERSION = "he-tme:v1.1.0"
ME = Me(
    User("emulator|developer", "developer@emulator.example", "Emulated Developer"),
    Organization("emulator", "emulator", "Emulated Pathology", "gs://emulator-bucket"),
)


@pytest.fixture(autouse=True)
def newest(emulator: Emulator) -> None:
    emulator.reset(contract="1.8")


def answer_me(emulator: Emulator, body: Any, **action: Any) -> None:
    emulator.set_faults({"operation": "get_me", "status": 200, "body": body, **action})


def me_of(**organization: Any) -> dict[str, Any]:
    """Return an answer of `/v1/me` whose keys are marked, with other fields of the organization."""
    return {
        "user": {"id": "auth0|7"},
        "organization": {
            "id": "org_7",
            "aignostics_bucket_hmac_access_key_id": "PLANTED",
            "aignostics_bucket_hmac_secret_access_key": "PLANTED",
            "aignostics_bucket_name": "lab",
            "aignostics_bucket_protocol": "gs",
            "aignostics_logfire_token": "PLANTED",
            "aignostics_sentry_dsn": "PLANTED",
            **organization,
        },
    }


async def test_who_the_caller_is(emulator: Emulator) -> None:
    async with emulator.client() as client:
        assert await client.me() == ME


@pytest.mark.parametrize("field", ["aignostics_bucket_name", "aignostics_bucket_protocol"])
async def test_what_the_platform_does_not_tell_is_none(emulator: Emulator, field: str) -> None:
    answer_me(emulator, me_of(**{field: None, "name": None}))
    async with emulator.client() as client:
        assert await client.me() == Me(User("auth0|7"), Organization("org_7"))


@pytest.mark.parametrize(
    "body",
    [
        {**me_of(), "user": None},
        {**me_of(), "user": {"id": 7, "name": "PLANTED"}},
        me_of(aignostics_bucket_hmac_secret_access_key=["PLANTED"]),
        {"organization": "PLANTED"},
        "PLANTED",
        ["PLANTED"],
    ],
)
async def test_an_account_that_cant_be_read_shows_no_key(emulator: Emulator, body: Any) -> None:
    """The leak detector looks for what is planted: in the error, its frames and the log."""
    answer_me(emulator, body)
    async with emulator.client() as client:
        with pytest.raises(InvalidResponse, match="get me") as caught:
            await client.me()
        assert caught.value.excerpt == ""


async def test_under_the_reference_there_is_neither(emulator: Emulator) -> None:
    async with emulator.client(contract="1.0") as client:
        with pytest.raises(NotInContract, match=r"contract 1\.0.* does not offer the user of a token"):
            await client.me()
        with pytest.raises(UsageError, match=r"contract 1\.0.* does not offer the health of a deployment"):
            await client.health()


@pytest.mark.parametrize("status", ["UP", "DEGRADED", "DOWN"])
async def test_the_platform_says_how_it_is(emulator: Emulator, status: str) -> None:
    emulator.set_conditions(health=status)
    async with emulator.client() as client:
        health = await client.health()
    assert health.status == status == HealthStatus(status)
    assert health.date is not None
    (asked,) = [each for each in emulator.requests() if each["path"].endswith("/health")]
    assert not asked["authorized"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"status": 404, "body": {"detail": "Not Found"}}, HealthStatus.UNKNOWN),
        ({"status": 200, "body": "<html>"}, HealthStatus.UNKNOWN),
        ({"status": 200, "body": {"status": 1}}, HealthStatus.UNKNOWN),
        ({"status": 200, "body": {"status": "down"}}, HealthStatus.DOWN),
        ({"status": 503, "body": {"status": "DOWN"}}, HealthStatus.DOWN),
        ({"status": 200, "body": {"status": "TIRED"}}, HealthStatus("TIRED")),
    ],
)
async def test_whatever_says_nothing_is_unknown(
    emulator: Emulator, answer: dict[str, Any], status: HealthStatus
) -> None:
    emulator.set_faults({"path": ".*/health", **answer})
    async with emulator.client() as client:
        assert (await client.health()).status == status


async def test_no_answer_is_an_error_and_sends_once(emulator: Emulator) -> None:
    emulator.set_faults({"path": ".*/health", "drop": "before"})
    async with emulator.client() as client:
        with pytest.raises(ConnectionFailed, match="gave no answer"):
            await client.health()
        assert Health(HealthStatus.UP).date is None


async def test_an_answer_that_drips_for_ever_is_left(
    httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aignostics_async._http._document._PATIENCE", 0.01)

    async def answer(_request: Any) -> Any:
        await asyncio.Event().wait()

    httpx_mock.add_callback(answer, url="https://platform.example/health")
    async with Client("https://platform.example", "token", contract="1.8") as client:
        with pytest.raises(RequestTimeout, match="too slow"):
            await client.health()


def whoami(emulator: Emulator, *arguments: str, **variables: str) -> tuple[int, Any, str]:
    done = run_here(["whoami", "--json", *arguments], {**emulator.environment, **variables})
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


def test_whoami_tells_the_organization(emulator: Emulator) -> None:
    status, told, _ = whoami(emulator)
    assert status == 0
    assert told["organization"] == "emulator"
    assert told["organization_name"] == "Emulated Pathology"
    assert told["email"] == "developer@emulator.example"
    assert "emulator-" not in json.dumps(told)
    assert "Emulated Pathology" in run_here(["whoami"], emulator.environment).stdout


def test_whoami_without_an_answer_tells_the_rest(emulator: Emulator) -> None:
    emulator.set_faults({"operation": "get_me", "status": 404, "body": {"detail": "Not Found"}})
    status, told, words = whoami(emulator)
    assert (status, "organization_name" in told) == (0, False)
    assert "the platform does not say who this is" in words
    older = {"AIGNOSTICS_API_ROOT": emulator.api_roots["1.0"], "AIGNOSTICS_CONTRACT": "1.0"}
    status, told, words = whoami(emulator, **older)
    assert (status, words) == (0, "")
    assert told["api_root"] == emulator.api_roots["1.0"]


def test_whoami_with_a_token_that_is_refused(emulator: Emulator) -> None:
    status, told, words = whoami(emulator, AIGNOSTICS_ACCESS_TOKEN="nobody")
    assert (status, told) == (5, None)
    assert Unauthorized.__name__ in words


async def test_a_closed_client_asks_nobody(emulator: Emulator) -> None:
    client = emulator.client(Settings())
    for asking in (client.me, client.health):
        with pytest.raises(UsageError):
            await asking()


# When the platform is down


def items(slide: Slide) -> list[Item]:
    return [Item("case-7", slide=slide)]


def posts(emulator: Emulator) -> int:
    return sum(asked["method"] in ("POST", "PUT") for asked in emulator.requests())


async def test_nothing_is_submitted_to_a_platform_that_is_down(emulator: Emulator, slide: Slide) -> None:
    emulator.set_conditions(health="DOWN")
    async with emulator.client() as client:
        with pytest.raises(PlatformDown, match="wait until it is up; force=True"):
            await client.runs.submit(VERSION, items(slide), store=emulator.store_url)
        assert posts(emulator) == 0
        run = await client.runs.submit(VERSION, items(slide), store=emulator.store_url, force=True)
        assert run.is_new


@pytest.mark.parametrize("contract", ["1.0", "1.8"])
async def test_a_platform_that_says_nothing_is_no_reason(
    emulator: Emulator, slide: Slide, contract: str
) -> None:
    emulator.set_faults({"path": ".*/health", "drop": "before"})
    async with emulator.client(contract=contract) as client:
        run = await client.runs.submit(VERSION, items(slide), store=emulator.store_url)
        assert run.is_new


def test_the_command_submits_to_it_by_force_alone(emulator: Emulator, slide: Slide) -> None:
    emulator.set_conditions(health="DOWN")
    words: list[str | Path] = ["submit", VERSION, slide.path, "--store", emulator.store_url]
    refused = run_here(words, emulator.environment)
    assert refused.returncode == 1
    assert "--force submits all the same" in refused.stderr
    assert run_here([*words, "--force"], emulator.environment).returncode == 0


async def test_a_plan_warns_of_a_platform_that_is_down(emulator: Emulator, slide: Slide) -> None:
    emulator.set_conditions(health="DOWN")
    async with emulator.client() as client:
        plan = JobPlan(api_root=client.api_root, application_version=VERSION, store=emulator.store_url)
        report = await run_preflight(plan, Sources(places=[str(slide.path)]), client)
    assert report.is_clear
    assert [each.problem for each in report.warnings if each.kind == "platform"] == [
        "the platform says that it is DOWN"
    ]
