"""Changes of custom metadata, request by request: checksums, conflicts, and what the SDK keeps for itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any, cast

import pytest
from answers_1_8 import ITEM, ITEMS, ROOT, RUN, RUN_ID
from pytest_httpx import HTTPXMock

from aignostics_async import (
    Client,
    Item,
    NotFound,
    NotInContract,
    PreconditionFailed,
    Retries,
    Settings,
    UsageError,
)

OWN = {"aignostics_async": {"attempt": "1"}}
RUN_PATH = f"{ROOT}/api/v1/runs/{RUN_ID}"
CHANGED = {"status_code": 412, "json": {"detail": "it was changed"}}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(
        ROOT, "token", contract="1.8", settings=Settings(retries=Retries(initial_wait=0.001))
    ) as client:
        yield client


def read(httpx_mock: HTTPXMock, metadata: Any, checksum: str | None = "c1") -> None:
    """Answer a reading of the run."""
    body = {**RUN, "custom_metadata": metadata, "custom_metadata_checksum": checksum}
    httpx_mock.add_response(method="GET", url=RUN_PATH, json=body)


def written(httpx_mock: HTTPXMock, **answer: Any) -> None:
    """Answer a PUT of the run's metadata."""
    answer = answer or {"json": {"custom_metadata_checksum": "c2"}}
    httpx_mock.add_response(method="PUT", url=f"{RUN_PATH}/custom-metadata", **answer)


def sent(httpx_mock: HTTPXMock) -> list[Any]:
    return [json.loads(request.content) for request in httpx_mock.get_requests(method="PUT")]


async def test_what_the_sdk_keeps_is_hidden_and_kept(client: Client, httpx_mock: HTTPXMock) -> None:
    read(httpx_mock, {"case": "7", **OWN})
    written(httpx_mock)
    run = client.run(RUN_ID)
    details = await run.details()
    assert (details.metadata, details.sdk_metadata) == ({"case": "7"}, OWN["aignostics_async"])
    assert "attempt" not in repr(details)
    await run.set_metadata({"case": "8"}, read=details)
    assert sent(httpx_mock) == [{"custom_metadata": {"case": "8", **OWN}, "custom_metadata_checksum": "c1"}]


@pytest.mark.parametrize(
    ("stored", "checksum"), [(None, None), ({"a": 1}, "c1")], ids=["the first write", "a later one"]
)
async def test_the_checksum_of_what_was_read_is_always_sent(
    client: Client, httpx_mock: HTTPXMock, stored: Any, checksum: str | None
) -> None:
    read(httpx_mock, stored, checksum)
    written(httpx_mock)
    await client.run(RUN_ID).set_metadata({})
    assert sent(httpx_mock) == [{"custom_metadata": {}, "custom_metadata_checksum": checksum}]


async def test_a_change_of_somebody_else_is_a_conflict(client: Client, httpx_mock: HTTPXMock) -> None:
    read(httpx_mock, {"a": 1})
    written(httpx_mock, **CHANGED)
    with pytest.raises(PreconditionFailed) as refused:
        await client.run(RUN_ID).set_metadata({"a": 2})
    assert refused.value.attempt == 1
    assert len(sent(httpx_mock)) == 1, "nothing is looked at, and nothing written over it"


async def test_a_function_is_applied_again_to_what_somebody_else_wrote(
    client: Client, httpx_mock: HTTPXMock
) -> None:
    read(httpx_mock, {"n": 1, **OWN}, "c1")
    written(httpx_mock, **CHANGED)
    read(httpx_mock, {"n": 5, **OWN}, "c5")
    written(httpx_mock)
    changed = await client.run(RUN_ID).update_metadata(lambda now: {**now, "n": now["n"] + 1})
    assert changed == {"n": 6}
    assert sent(httpx_mock)[-1] == {"custom_metadata": {"n": 6, **OWN}, "custom_metadata_checksum": "c5"}


async def test_who_is_always_too_slow_is_told(
    client: Client, httpx_mock: HTTPXMock, monkeypatch: Any
) -> None:
    monkeypatch.setattr("aignostics_async.resources._metadata._ATTEMPTS", 3)
    for _ in range(3):
        read(httpx_mock, {"n": 1})
        written(httpx_mock, **CHANGED)
    with pytest.raises(PreconditionFailed):
        await client.run(RUN_ID).update_metadata(lambda now: {**now, "n": 2})


@pytest.mark.parametrize("ours", [True, False])
async def test_a_412_after_a_repeated_put_is_looked_at(
    client: Client, httpx_mock: HTTPXMock, ours: bool
) -> None:
    """The first PUT may have been carried out, and its answer lost."""
    read(httpx_mock, {"n": 1})
    written(httpx_mock, status_code=503)
    written(httpx_mock, **CHANGED)
    read(httpx_mock, {"n": [2]} if ours else {"n": 3}, "c2")
    setting = client.run(RUN_ID).set_metadata({"n": (2,)})
    if ours:
        await setting
    else:
        with pytest.raises(PreconditionFailed) as refused:
            await setting
        assert refused.value.attempt == 2


async def test_an_equal_value_of_somebody_else_is_no_success(client: Client, httpx_mock: HTTPXMock) -> None:
    """Both count from 1 to 2: the one who was refused at once has to count from there."""
    read(httpx_mock, {"n": 1})
    written(httpx_mock, **CHANGED)
    read(httpx_mock, {"n": 2}, "c2")
    written(httpx_mock)
    assert await client.run(RUN_ID).update_metadata(lambda now: {"n": now["n"] + 1}) == {"n": 3}


async def test_metadata_of_an_item(client: Client, httpx_mock: HTTPXMock) -> None:
    item = {
        **ITEM,
        "external_id": "case 7",
        "custom_metadata": {"a": 1, **OWN},
        "custom_metadata_checksum": "i1",
    }
    httpx_mock.add_response(method="GET", json=[item])
    httpx_mock.add_response(
        method="PUT",
        url=f"{RUN_PATH}/items/case%207/custom-metadata",
        json={"custom_metadata_checksum": "i2"},
        is_reusable=True,
    )
    run = client.run(RUN_ID)
    (found,) = await run.results().to_list()
    assert found.metadata == {"a": 1}
    await run.set_item_metadata("case 7", {"a": 2}, read=found)
    httpx_mock.add_response(method="GET", json=[item])
    await run.update_item_metadata("case 7", lambda now: {**now, "b": 3})
    assert [each["custom_metadata"] for each in sent(httpx_mock)] == [
        {"a": 2, **OWN},
        {"a": 1, "b": 3, **OWN},
    ]
    assert {each["custom_metadata_checksum"] for each in sent(httpx_mock)} == {"i1"}
    httpx_mock.add_response(method="GET", json=[])
    with pytest.raises(NotFound, match="there is no item 'other'"):
        await run.set_item_metadata("other", {})


@pytest.mark.parametrize("reference", ["case/7", "..", ""])
async def test_a_reference_that_no_path_can_name_is_refused(client: Client, reference: str) -> None:
    with pytest.raises(UsageError, match=r"slash|no reference"):
        await client.run(RUN_ID).set_item_metadata(reference, {})


async def test_the_key_of_the_sdk_is_refused_everywhere(client: Client) -> None:
    run, mine = client.run(RUN_ID), {"aignostics_async": 1}
    for refused in (
        run.set_metadata(mine),
        run.set_item_metadata("a", mine),
        client.runs.create("he-tme:v1.1.0", ITEMS, metadata=mine),
        client.runs.create("he-tme:v1.1.0", [Item("a", metadata=mine)]),
    ):
        with pytest.raises(UsageError, match="the SDK's own"):
            await refused
    for listing in (client.runs.list, run.results):
        with pytest.raises(UsageError, match="the SDK's own"):
            listing(metadata=mine)


async def test_a_function_that_returns_nothing_removes_nothing(client: Client, httpx_mock: HTTPXMock) -> None:
    read(httpx_mock, {"a": 1})
    with pytest.raises(UsageError, match="returns the new metadata"):
        await client.run(RUN_ID).update_metadata(lambda now: now.update(a=2))  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("change", [None, {"a": 2}], ids=["nothing", "the metadata themselves"])
async def test_what_is_no_function_is_refused_before_a_request(client: Client, change: Any) -> None:
    run = client.run(RUN_ID)
    for call in (run.update_metadata(change), run.update_item_metadata("a", change)):
        with pytest.raises(UsageError, match=f"not {type(change).__name__}; a mapping goes to set_metadata"):
            await call


async def test_a_snapshot_of_another_run_is_refused(client: Client, httpx_mock: HTTPXMock) -> None:
    read(httpx_mock, None, None)
    details = await client.run(RUN_ID).details()
    with pytest.raises(UsageError, match="details of run"):
        await client.run(RUN_ID.replace("1", "2")).set_metadata({}, read=details)


async def test_nested_mappings_of_any_kind_are_written(client: Client, httpx_mock: HTTPXMock) -> None:
    read(httpx_mock, None)
    written(httpx_mock)
    await client.run(RUN_ID).set_metadata(MappingProxyType({"block": MappingProxyType({"stain": "HE"})}))
    assert sent(httpx_mock)[0]["custom_metadata"] == {"block": {"stain": "HE"}}


async def test_none_removes_nothing_and_names_no_item(client: Client) -> None:
    """The reference of a change of the run itself is None, and must not lead to the run's metadata."""
    run, nothing = client.run(RUN_ID), cast("Any", None)
    with pytest.raises(UsageError, match="mapping"):
        await run.set_metadata(nothing)
    with pytest.raises(UsageError, match="no reference"):
        await run.set_item_metadata(nothing, {"block": "A1"})
    with pytest.raises(UsageError, match="no reference"):
        await run.update_item_metadata(nothing, dict)


async def test_the_older_contract_has_no_metadata() -> None:
    async with Client(ROOT, "token", contract="1.0") as older:
        run = older.run(RUN_ID)
        for changing in (
            run.set_metadata({}),
            run.update_metadata(dict),
            run.set_item_metadata("a", {}),
            run.update_item_metadata("a", dict),
            run.results(metadata={"a": 1}).to_list(),
        ):
            with pytest.raises(NotInContract, match="metadata of runs and items"):
                await changing


async def test_items_are_filtered_by_their_metadata(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=[ITEM])
    await client.run(RUN_ID).results(metadata={"case": "7"}, sort="-metadata").to_list()
    (request,) = httpx_mock.get_requests()
    assert request.url.params["custom_metadata"] == '$.case ? (@ == "7")'
    assert request.url.params["sort"] == "-custom_metadata"
