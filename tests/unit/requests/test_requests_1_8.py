"""The façade under contract 1.8, request by request, against a mocked transport."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from answers_1_8 import ARTIFACT, ITEM, ITEMS, OLD_RUN, ROOT, RUN, RUN_ID, VERSION
from pytest_httpx import HTTPXMock

from aignostics_async import (
    APIStatusError,
    Client,
    ConnectionFailed,
    InvalidItems,
    InvalidResponse,
    Item,
    ItemStatus,
    NotFound,
    NotInContract,
    RunStatus,
    UnprocessableRequest,
    UsageError,
)
from aignostics_async._core._pager import PageRequest
from aignostics_async.emulator.process import IMPATIENT

PARAMETERS = {"page": "1", "page_size": "100", "sort": "-submitted_at"}
NO_ROUTE: dict[str, Any] = {"status_code": 404, "json": {"detail": "Not Found"}}


def client(contract: str = "1.8") -> Client:
    return Client(ROOT, "token", contract=contract, settings=IMPATIENT)


async def test_a_run_says_what_its_body_says(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=RUN)
    async with client() as session:
        run = await session.runs.get(RUN_ID)
    assert run.application_version_id == "he-tme:v1.1.0"
    assert run.status == RunStatus.RUNNING
    assert run.statistics is not None
    assert run.statistics.total == 2
    assert run.metadata == {"case": "7"}
    assert (run.due_date, run.deadline) == (datetime(2026, 1, 2, tzinfo=UTC), None)
    assert run.organization_id is None


async def test_runs_are_filtered_in_the_words_of_the_contract(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=[RUN], is_reusable=True)
    async with client() as session:
        await session.runs.list(
            application_version="he-tme:v1.1.0", reference="case/7", metadata={"case": "7"}, sort="status"
        ).to_list()
        other = await session.runs.list(application_id="other", application_version="he-tme:v1.1.0").to_list()
    (request,) = httpx_mock.get_requests()
    assert dict(request.url.params) == {
        "application_id": "he-tme",
        "application_version": "1.1.0",
        "external_id": "case/7",
        "custom_metadata": '$.case ? (@ == "7")',
        "page": "1",
        "page_size": "100",
        "sort": "state",
    }
    assert other == []


async def test_a_404_of_the_api_is_an_empty_listing_of_runs(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404, json={"detail": "Run not found"})
    httpx_mock.add_response(**NO_ROUTE)
    httpx_mock.add_response(status_code=404, text="no healthy upstream", is_reusable=True)
    async with client() as session:
        assert await session.runs.list().to_list() == []
        for kind in (NotFound, APIStatusError):
            with pytest.raises(kind) as caught:
                await session.runs.list().to_list()
            assert type(caught.value) is kind


async def test_who_watches_all_runs_takes_a_404_of_the_api_for_none(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404, json={"detail": "Run not found"})
    httpx_mock.add_response(status_code=404, text="no healthy upstream", is_reusable=True)
    async with client() as session:
        bridge, first = session._session.bridge, PageRequest.first((), 100)
        assert (await bridge.list_runs_again(first, {})).items == ()
        with pytest.raises(APIStatusError, match="proves nothing"):
            await bridge.list_runs_again(first, {})


async def test_a_run_whose_items_are_not_listed_yet_is_not_absent(httpx_mock: HTTPXMock) -> None:
    """A lagging replica answers the filter by reference with nothing; the listing of all runs tells."""
    httpx_mock.add_response(
        json=[], url=f"{ROOT}/api/v1/runs", match_params={**PARAMETERS, "external_id": "case/7"}
    )
    httpx_mock.add_response(json=[RUN], url=f"{ROOT}/api/v1/runs", match_params=PARAMETERS)
    httpx_mock.add_response(json=[], url=re.compile(r".*/items\b.*"))
    async with client() as session:
        found = await session.runs.find(references=["case/7"])
    assert [run.run_id for run in found.possible] == [RUN_ID]


async def test_a_run_with_the_references_is_found_by_the_filter(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(
        json=[RUN], url=f"{ROOT}/api/v1/runs", match_params={**PARAMETERS, "external_id": "case/7"}
    )
    httpx_mock.add_response(json=[ITEM], url=re.compile(r".*/items\b.*"))
    async with client() as session:
        found = await session.runs.find(references=["case/7"])
    assert [run.run_id for run in found.exact] == [RUN_ID]


async def test_only_artifacts_that_had_a_file_are_listed(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=[ITEM])
    async with client() as session:
        (item,) = await session.run(RUN_ID).results().to_list()
    assert (item.reference, item.run_id, item.status) == ("case/7", RUN_ID, ItemStatus.SUCCEEDED)
    kept, deleted = item.output_artifacts
    assert (kept.artifact_id, kept.is_available) == (ARTIFACT["output_artifact_id"], True)
    assert (deleted.is_available, deleted.deleted_by) == (False, "USER")


async def test_artifacts_are_read_in_any_case(httpx_mock: HTTPXMock) -> None:
    artifacts = [{**ARTIFACT, "output": output} for output in ("available", "None", "deleted_by_system")]
    httpx_mock.add_response(json=[{**ITEM, "output_artifacts": artifacts}])
    async with client() as session:
        (item,) = await session.run(RUN_ID).results().to_list()
    assert [(each.is_available, each.deleted_by) for each in item.output_artifacts] == [
        (True, None),
        (False, "SYSTEM"),
    ]


async def test_a_page_that_is_filtered_here_is_not_taken_for_the_last_one(httpx_mock: HTTPXMock) -> None:
    error = {**ITEM, "termination_reason": "USER_ERROR", "output_artifacts": []}
    pages = [
        [
            {**(ITEM if n % 2 else error), "item_id": f"00000000-0000-0000-0000-{100 * page + n:012d}"}
            for n in range(size)
        ]
        for page, size in ((1, 100), (2, 3))
    ]
    for page in pages:
        httpx_mock.add_response(json=page)
    async with client() as session:
        statuses = ["ERROR_USER", "ERROR_SYSTEM"]
        found = [page async for page in session.run(RUN_ID).results(statuses=statuses).pages()]
    assert [(len(page.items), page.left_out, page.size) for page in found] == [(50, 50, 100), (2, 1, 3)]
    assert {request.url.params["state"] for request in httpx_mock.get_requests()} == {"TERMINATED"}
    assert "termination_reason" not in httpx_mock.get_requests()[0].url.params


async def test_versions_are_listed_and_each_is_read(httpx_mock: HTTPXMock) -> None:
    listed = [
        {"number": number, "released_at": "2026-01-01T00:00:00Z"} for number in ("1.1.0", "1.10.0", "1.2.0")
    ]
    application = {
        "application_id": "he-tme",
        "name": "",
        "regulatory_classes": [],
        "description": "",
        "versions": listed,
    }
    httpx_mock.add_response(url=f"{ROOT}/api/v1/applications/he-tme", json=application, is_reusable=True)
    for number in ("1.1.0", "1.10.0"):
        url = f"{ROOT}/api/v1/applications/he-tme/versions/{number}"
        httpx_mock.add_response(url=url, json={**VERSION, "version_number": number}, is_reusable=True)
    url = f"{ROOT}/api/v1/applications/he-tme/versions/1.2.0"
    httpx_mock.add_response(url=url, status_code=404, json={"detail": "gone"})
    async with client() as session:
        versions = await session.applications.versions("he-tme", sort="-version").to_list()
        one = await session.applications.versions("he-tme", version="v1.1.0").to_list()
        none = await session.applications.versions("he-tme", version="9.9.9").to_list()
    assert [each.application_version_id for each in versions] == ["he-tme:v1.10.0", "he-tme:v1.1.0"]
    assert (len(one), none) == (1, [])


async def test_another_version_than_the_wanted_one_is_refused(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={**VERSION, "version_number": "2.0.0"})
    async with client() as session:
        with pytest.raises(InvalidResponse, match=r"it is version '2\.0\.0'"):
            await session.applications.version("he-tme:v1.1.0")


async def test_a_run_is_created_with_all_that_was_given(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="GET", json=VERSION)
    httpx_mock.add_response(method="POST", status_code=201, json={"run_id": RUN_ID})
    due = datetime(2999, 1, 2, tzinfo=UTC)
    async with client() as session:
        item = Item("case/7", artifacts=ITEMS[0].artifacts, metadata={"case": 7})
        run = await session.runs.create("he-tme:v1.1.0", [item], metadata={"a": [1]}, due_date=due)
    assert run.id == RUN_ID
    (request,) = httpx_mock.get_requests(method="POST")
    sent = json.loads(request.content)
    mark = sent["custom_metadata"].pop("aignostics_async")
    assert mark.keys() == {"attempt", "holder"}, "and nothing of who or what it is"
    assert sent == {
        "application_id": "he-tme",
        "version_number": "1.1.0",
        "custom_metadata": {"a": [1]},
        "scheduling": {"due_date": "2999-01-02T00:00:00+00:00"},
        "items": [
            {
                "external_id": "case/7",
                "custom_metadata": {"case": 7},
                "input_artifacts": [
                    {"name": "slide", "download_url": "https://127.0.0.1/a.tiff", "metadata": {}}
                ],
            }
        ],
    }


# The user


async def test_an_organization_needs_an_id_alone(httpx_mock: HTTPXMock) -> None:
    user = {"id": "me", "email": None, "name": None}
    httpx_mock.add_response(json={"user": user, "organization": {"id": "lab", "name": "Lab"}})
    httpx_mock.add_response(json={"user": user, "organization": {"name": "Lab"}})
    async with client() as session:
        me = await session.me()
        assert (me.organization.organization_id, me.organization.name) == ("lab", "Lab")
        with pytest.raises(InvalidResponse, match="id is no text"):
            await session.me()


# The file of an artifact


async def artifact_url(httpx_mock: HTTPXMock, **response: Any) -> str | None:
    httpx_mock.add_response(**response)
    async with client() as session:
        return await session.run(RUN_ID).artifact_url(ITEM["item_id"], ARTIFACT["output_artifact_id"])  # type: ignore[arg-type]


async def test_the_address_of_a_file_is_where_the_endpoint_redirects(httpx_mock: HTTPXMock) -> None:
    signed = "https://storage.example.com/a?X-Goog-Signature=x"
    assert await artifact_url(httpx_mock, status_code=307, headers={"Location": signed}) == signed
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("/files/a?X-Goog-Signature=x", f"{ROOT}/files/a?X-Goog-Signature=x"),
        ("//storage.example.com/a?X-Goog-Signature=x", "http://storage.example.com/a?X-Goog-Signature=x"),
        ("HTTPS://storage.example.com/a", "HTTPS://storage.example.com/a"),
    ],
)
async def test_the_address_of_a_file_may_be_relative(
    httpx_mock: HTTPXMock, location: str, address: str
) -> None:
    assert await artifact_url(httpx_mock, status_code=307, headers={"Location": location}) == address


@pytest.mark.parametrize("location", ["javascript:x", "http:\\\\127.0.0.1\\a", "http://[::1/a"])
async def test_a_redirect_to_what_is_no_url_is_an_error_of_ours(httpx_mock: HTTPXMock, location: str) -> None:
    """httpx reads the Location although it does not follow it."""
    httpx_mock.add_response(status_code=307, headers={"Location": location}, is_reusable=True)
    async with client() as session:
        with pytest.raises(ConnectionFailed):
            await session.run(RUN_ID).artifact_url(ITEM["item_id"], ARTIFACT["output_artifact_id"])  # type: ignore[arg-type]


async def test_metadata_are_written_also_if_the_response_is_empty(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=RUN)
    httpx_mock.add_response(status_code=204)
    async with client() as session:
        await session.run(RUN_ID).set_metadata({"a": 1})


async def test_a_deleted_file_has_no_address(httpx_mock: HTTPXMock) -> None:
    assert await artifact_url(httpx_mock, status_code=410, json={"detail": "gone"}) is None


async def test_an_address_that_is_none_of_the_web_shows_in_no_variable(httpx_mock: HTTPXMock) -> None:
    """The leak detector looks at the variables of the traceback."""
    with pytest.raises(InvalidResponse, match="something else came"):
        await artifact_url(httpx_mock, status_code=307, headers={"location": "ftp://127.0.0.1/a?PLANTED"})


async def test_nothing_of_a_file_that_comes_instead_is_kept(httpx_mock: HTTPXMock) -> None:
    taken = 0

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            nonlocal taken
            while True:
                taken += 1
                yield b"x" * 65536

    with pytest.raises(InvalidResponse, match="something else came") as caught:
        await artifact_url(httpx_mock, stream=Endless())
    assert taken <= 3
    assert "xxx" not in str(caught.value)


# The wrong contract

OLD_APPLICATION = {"application_id": "a", "name": "A", "regulatory_classes": [], "description": ""}


@pytest.mark.parametrize(("contract", "body"), [("1.0", RUN), ("1.8", OLD_RUN)])
async def test_entries_of_the_other_contract_are_told(
    httpx_mock: HTTPXMock, contract: str, body: object
) -> None:
    other = {"1.0": "1.8", "1.8": "1.0"}[contract]
    httpx_mock.add_response(json=body)
    httpx_mock.add_response(json=[body])
    async with client(contract) as session:
        with pytest.raises(InvalidResponse, match=f"AIGNOSTICS_CONTRACT={other}"):
            await session.runs.get(RUN_ID)
        with pytest.raises(InvalidItems, match=f"AIGNOSTICS_CONTRACT={other}"):
            await session.runs.list().to_list()


@pytest.mark.parametrize(("contract", "body"), [("1.0", OLD_RUN), ("1.8", RUN)])
async def test_another_run_than_the_requested_one_ends_a_wait(
    httpx_mock: HTTPXMock, contract: str, body: object
) -> None:
    httpx_mock.add_response(json=body, is_reusable=True)
    async with client(contract) as session:
        with pytest.raises(InvalidResponse, match=f"it is run {RUN_ID}"):
            await session.run(str(UUID(int=7))).wait()


@pytest.mark.parametrize("contract", ["1.0", "1.8"])
async def test_paths_of_the_other_contract_are_told(httpx_mock: HTTPXMock, contract: str) -> None:
    httpx_mock.add_response(**NO_ROUTE, is_reusable=True)
    async with client(contract) as session:
        with pytest.raises(NotFound, match="AIGNOSTICS_CONTRACT="):
            await session.run(RUN_ID).results().to_list()
        with pytest.raises(NotFound, match="AIGNOSTICS_CONTRACT="):
            await session.applications.versions("a").to_list()


@pytest.mark.parametrize("detail", ["no such run", "Not Found"])
@pytest.mark.parametrize("contract", ["1.0", "1.8"])
async def test_a_404_of_a_path_that_each_contract_has_says_nothing_of_contracts(
    httpx_mock: HTTPXMock, contract: str, detail: str
) -> None:
    httpx_mock.add_response(status_code=404, json={"detail": detail}, is_reusable=True)
    async with client(contract) as session:
        for call in (
            session.runs.get(RUN_ID),
            session.run(RUN_ID).cancel(),
            session.applications.list().first(),
        ):
            with pytest.raises(NotFound) as caught:
                await call
            assert "CONTRACT" not in str(caught.value)


@pytest.mark.parametrize(
    ("contract", "detail"),
    [
        ("1.0", [{"loc": ["body", "items", 0, "external_id"], "msg": "Field required"}]),
        ("1.8", [{"loc": ["body", "application_version_id"], "msg": "Field required"}]),
        ("1.0", "can't sort by triggered_at"),
        ("1.8", "can't sort by submitted_at"),
    ],
)
async def test_a_422_for_unknown_fields_is_told(httpx_mock: HTTPXMock, contract: str, detail: object) -> None:
    httpx_mock.add_response(status_code=422, json={"detail": detail})
    async with client(contract) as session:
        with pytest.raises(UnprocessableRequest, match="AIGNOSTICS_CONTRACT="):
            await session.runs.list().to_list()


@pytest.mark.parametrize("contract", ["1.0", "1.8"])
async def test_an_unknown_field_to_sort_by_is_refused_with_those_there_are(contract: str) -> None:
    async with client(contract) as session:
        run, applications = session.run(RUN_ID), session.applications
        for pager, known in (
            (session.runs.list(sort="name"), "triggered_at, triggered_by, application_version_id, status"),
            (run.results(sort=["status", "-name"]), "item_id, reference, status"),
            (applications.list(sort="+names"), "application_id, name, description, regulatory_classes"),
        ):
            with pytest.raises(UsageError, match=f"nothing is sorted by 'names?'; there are {known}"):
                await pager.to_list()


async def test_a_422_that_lists_other_fields_says_nothing_of_contracts(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=422, json={"detail": "can't sort by state; there is submitted_at"})
    async with client() as session:
        with pytest.raises(UnprocessableRequest) as caught:
            await session.runs.list(sort="status").to_list()
    assert "CONTRACT" not in str(caught.value)


async def test_a_422_for_fields_of_its_own_says_nothing_of_contracts(httpx_mock: HTTPXMock) -> None:
    detail = [{"loc": ["body", "items", 0, "external_id"], "msg": "at most 255 characters"}]
    httpx_mock.add_response(status_code=422, json={"detail": detail})
    async with client() as session:
        with pytest.raises(UnprocessableRequest) as caught:
            await session.runs.list().to_list()
    assert "CONTRACT" not in str(caught.value)


@pytest.mark.parametrize("contract", ["1.0", "1.8"])
async def test_a_listing_goes_on_where_the_page_size_is_ignored(httpx_mock: HTTPXMock, contract: str) -> None:
    listed = [{**OLD_APPLICATION, "application_id": f"a{n}"} for n in range(120)]
    for page in (listed[:50], listed[50:100], listed[100:]):
        httpx_mock.add_response(json=page)
    async with client(contract) as session:
        assert len(await session.applications.list().to_list()) == 120


# What a contract lacks


async def test_what_1_0_lacks_is_refused_before_anything_is_sent() -> None:
    async with client("1.0") as session:
        with pytest.raises(NotInContract, match=r"contract 1\.0.* does not offer listing runs by reference"):
            await session.runs.list(reference="a").to_list()
        with pytest.raises(NotInContract, match="metadata"):
            await session.runs.create("a:v1.0.0", ITEMS, metadata={})
        with pytest.raises(NotInContract, match="metadata"):
            await session.runs.create("a:v1.0.0", [Item("a", metadata={})])
        with pytest.raises(NotInContract, match="due date"):
            await session.runs.create("a:v1.0.0", ITEMS, deadline=datetime(2999, 1, 1, tzinfo=UTC))
        assert await session.run(RUN_ID).results(statuses=["SKIPPED", "PROCESSING"]).to_list() == []


async def test_an_operation_of_the_other_contract_is_refused() -> None:
    from aignostics_api.api.public import list_runs
    from aignostics_api_1_8.api.public import get_me

    async with client() as session:
        with pytest.raises(UsageError, match=r"is of another contract than 1\.8"):
            await session.call(list_runs)
    async with client("1.0") as session:
        with pytest.raises(UsageError, match=r"import the operation from aignostics_api\.api\.public"):
            await session.call(get_me)
