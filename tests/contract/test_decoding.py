"""Answers that are not quite the contract's: none loses a page, none raises but an error of our tree."""

from __future__ import annotations

import uuid

import pytest
from aignostics_api.api.public import get_run
from support import details, pretend, result

from aignostics_async import (
    AignosticsError,
    APIStatusError,
    Forbidden,
    InvalidItems,
    InvalidResponse,
    ItemStatus,
    RunStatus,
    ServerError,
    UnprocessableRequest,
)
from aignostics_async.emulator.process import Emulator

RUN_ID = str(uuid.UUID(int=1))
RUNS = "/api/v1/runs"


async def test_an_unknown_enum_value_keeps_its_text(emulator: Emulator) -> None:
    run_id = pretend(emulator, result("a", status="PAUSED"), result("b"), status="ASLEEP")
    async with emulator.client() as client:
        run = client.run(run_id)
        assert (await run.details()).status == "ASLEEP"
        items = [item async for item in run.results()]
    assert [item.status for item in items] == ["PAUSED", ItemStatus.SUCCEEDED]


async def test_an_unknown_field_is_no_matter(emulator: Emulator) -> None:
    run_id = pretend(emulator, {**result("a"), "mood": {"good": True}}, result("b"))
    async with emulator.client() as client:
        assert [item.reference async for item in client.run(run_id).results()] == ["a", "b"]


async def test_lower_case_is_read(emulator: Emulator) -> None:
    run_id = pretend(emulator, result("a", status="succeeded"), status="completed_with_error")
    async with emulator.client() as client:
        run = client.run(run_id)
        assert (await run.details()).status == RunStatus.COMPLETED_WITH_ERROR
        items = [item async for item in run.results()]
    assert [item.status for item in items] == [ItemStatus.SUCCEEDED]
    assert str(items[0].status) == "succeeded"


async def test_an_item_s_error_gives_no_signed_url_away(emulator: Emulator) -> None:
    error = "could not read https://bucket.example.com/a.tiff?X-Amz-Signature=PLANTED: 403"
    run_id = pretend(emulator, {**result("a", status="ERROR_USER"), "error": error})
    async with emulator.client() as client:
        (item,) = [item async for item in client.run(run_id).results()]
    assert item.error is not None
    assert item.error.startswith("could not read https://bucket.example.com/a.tiff?")
    assert "PLANTED" not in item.error


async def test_null_metadata_and_null_url_are_read(emulator: Emulator) -> None:
    bare = {"name": "heatmap", "output_artifact_id": RUN_ID, "metadata": None, "download_url": None}
    run_id = pretend(emulator, result("a", bare), result("b"))
    async with emulator.client() as client:
        items = [item async for item in client.run(run_id).results()]
    assert [item.reference for item in items] == ["a", "b"]
    assert items[0].output_artifacts[0].metadata == {}
    assert items[0].output_artifacts[0].download_url is None


@pytest.mark.parametrize("organization", [{"organization_id": None}, {}], ids=["null", "missing"])
async def test_a_run_without_its_organization_is_read(
    emulator: Emulator, organization: dict[str, None]
) -> None:
    run = {name: value for name, value in details().items() if name != "organization_id"} | organization
    emulator.set_faults({"path": f"/api/v1/runs/{RUN_ID}", "status": 200, "body": run})
    async with emulator.client() as client:
        assert (await client.runs.get(RUN_ID)).organization_id is None


async def test_fields_that_may_be_null_may_be_missing(emulator: Emulator) -> None:
    bare = result("a", {"name": "heatmap", "output_artifact_id": RUN_ID})
    del bare["error"]
    run_id = pretend(emulator, bare, result("b"))
    async with emulator.client() as client:
        items = [item async for item in client.run(run_id).results()]
    assert [(item.reference, item.error) for item in items] == [("a", None), ("b", None)]
    assert items[0].output_artifacts[0].metadata == {}
    assert items[0].output_artifacts[0].download_url is None


@pytest.mark.parametrize("internal", [{"x": 1}, 3, "text", [[]], {"items": {}, "global_output_artifacts": 3}])
async def test_internal_fields_may_be_anything(emulator: Emulator, internal: object) -> None:
    body = {**details(), "user_payload": internal}
    emulator.set_faults({"method": "GET", "path": f"{RUNS}/.*", "status": 200, "body": body})
    async with emulator.client() as client:
        assert (await client.runs.get(RUN_ID)).status == RunStatus.COMPLETED


async def test_a_status_in_lower_case_is_asked_for_as_the_contract_writes_it(emulator: Emulator) -> None:
    run_id = pretend(emulator, result("a"))
    async with emulator.client() as client:
        [item async for item in client.run(run_id).results(statuses=[ItemStatus("succeeded"), "pending"])]
    query = emulator.requests()[-1]["query"]
    assert "status__in=SUCCEEDED" in query
    assert "status__in=PENDING" in query


@pytest.mark.parametrize("status", [520, 499, 599])
async def test_a_status_that_no_standard_knows(emulator: Emulator, status: int) -> None:
    emulator.set_faults({"method": "GET", "path": f"{RUNS}/.*", "status": status, "body": "odd"})
    async with emulator.client() as client:
        with pytest.raises(APIStatusError) as caught:
            await client.runs.get(RUN_ID)
    assert caught.value.status == status
    assert isinstance(caught.value, ServerError) == (status >= 500)


@pytest.mark.parametrize("call", ["get", "list", "the door"])
async def test_a_page_of_html_with_200(emulator: Emulator, call: str) -> None:
    html = "<html>Sign in: https://login.example.com/?state=PLANTED</html>"
    emulator.set_faults({"method": "GET", "path": f"{RUNS}.*", "status": 200, "body": html})
    async with emulator.client() as client:
        with pytest.raises(InvalidResponse, match="does not fit the contract") as caught:
            if call == "get":
                await client.runs.get(RUN_ID)
            elif call == "list":
                [run async for run in client.runs.list()]
            else:
                await client.call(get_run, RUN_ID)
    assert caught.value.status == 200
    assert "Sign in" in caught.value.excerpt
    assert "PLANTED" not in str(caught.value)


@pytest.mark.parametrize("body", [None, {}, "null"])
async def test_a_202_with_any_body_or_none(emulator: Emulator, body: object) -> None:
    emulator.set_faults({"method": "POST", "path": f"{RUNS}/.*/cancel", "status": 202, "body": body})
    async with emulator.client() as client:
        await client.run(RUN_ID).cancel()


@pytest.mark.parametrize(
    "broken",
    [
        {"item_id": 3},
        {"application_run_id": None},
        {"status": None},
        {"status": 3},
        {"reference": None},
        {"output_artifacts": None},
        {"output_artifacts": {}},
        {"output_artifacts": ""},
        {"output_artifacts": [{"name": "x"}]},
        {"output_artifacts": [{"name": "x", "output_artifact_id": RUN_ID, "metadata": "none"}]},
        {"error": {"code": 3}},
        {"reference": 7},
    ],
)
async def test_one_broken_item_keeps_its_neighbours(emulator: Emulator, broken: dict[str, object]) -> None:
    run_id = pretend(emulator, result("a"), {**result("b"), **broken}, result("c"))
    given: list[str] = []
    async with emulator.client() as client:
        with pytest.raises(InvalidItems) as caught:
            async for item in client.run(run_id).results():
                given.append(item.reference)
    assert given == ["a", "c"]
    assert [entry.index for entry in caught.value.invalid] == [1]


@pytest.mark.parametrize(
    "body",
    [
        *([], {}, 3, None, "text", {"application_run_id": 3}, {**details(), "status": {}}),
        {**details(), "application_run_id": "no uuid"},
    ],
)
async def test_any_other_violation_is_one_typed_error(emulator: Emulator, body: object) -> None:
    answer = {"status": 200, "body": body if body is not None else "null"}
    emulator.set_faults({"method": "GET", "path": f"{RUNS}/.*", **answer})
    async with emulator.client() as client:
        with pytest.raises(InvalidResponse, match="get run: the response"):
            await client.runs.get(RUN_ID)


async def test_a_422_is_told_with_its_places_and_without_its_input(emulator: Emulator) -> None:
    entry = {"loc": ["body", "items", 0], "msg": "too small", "type": "v", "input": "https://h/?sig=PLANTED"}
    emulator.set_faults({"path": f"{RUNS}/.*", "status": 422, "body": {"detail": [entry]}})
    async with emulator.client() as client:
        with pytest.raises(UnprocessableRequest) as caught:
            await client.runs.get(RUN_ID)
    assert caught.value.detail == "body.items.0: too small"
    assert "PLANTED" not in str(caught.value)


@pytest.mark.parametrize("body", [{"detail": "quota"}, "quota", [1], {"detail": [3, {"loc": 3}]}, None])
async def test_error_bodies_of_any_shape(emulator: Emulator, body: object) -> None:
    headers = {"x-request-id": "req-7"}
    emulator.set_faults({"path": f"{RUNS}/.*", "status": 403, "body": body, "headers": headers})
    async with emulator.client() as client:
        with pytest.raises(Forbidden) as caught:
            await client.runs.get(RUN_ID)
    assert caught.value.request_id == "req-7"
    assert isinstance(caught.value, AignosticsError)
