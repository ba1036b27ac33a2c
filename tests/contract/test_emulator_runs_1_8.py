"""Runs, items and artifacts on the emulator's 1.8 side: each operation, each error, each condition."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
import requests
from line_1_8 import Asker, body_of
from support import METADATA

from aignostics_async import Item, Slide, checksum_bytes
from aignostics_async.emulator.process import Emulator

DAY = 24 * 3600


@pytest.fixture
def standing(emulator: Emulator) -> Emulator:
    """Give an emulator whose clock moves only when a test moves it."""
    emulator.reset(clock_rate=0)
    return emulator


@pytest.fixture
def ask(emulator: Emulator) -> Asker:
    return Asker(emulator)


def states(ask: Asker, run_id: str) -> tuple[str, str | None, dict[str, tuple[str, str | None]]]:
    """Return the state and reason of a run, and those of its items."""
    run = ask.get(f"/runs/{run_id}")
    items = ask.get(f"/runs/{run_id}/items")
    return (
        run["state"],
        run["termination_reason"],
        {item["external_id"]: (item["state"], item["termination_reason"]) for item in items},
    )


def references(ask: Asker, run_id: str, **query: Any) -> list[str]:
    return [item["external_id"] for item in ask.get(f"/runs/{run_id}/items", **query)]


# Creation


def test_a_created_run_shows_what_it_was_given(standing: Emulator, ask: Asker) -> None:
    scheduling = {"due_date": "2030-01-02T00:00:00Z", "deadline": "2030-01-03T00:00:00+01:00"}
    body = body_of("a", "b", custom_metadata={"study": "x"}, scheduling=scheduling)
    body["items"][0]["custom_metadata"] = {"case": 1}
    run_id = ask.post("/runs", body)["run_id"]
    run = ask.get(f"/runs/{run_id}")
    assert (run["application_id"], run["version_number"]) == ("he-tme", "1.0.0")
    assert (run["state"], run["output"], run["termination_reason"]) == ("PENDING", "NONE", None)
    assert run["scheduling"] == scheduling
    assert run["custom_metadata"] == {"study": "x"}
    assert run["statistics"]["item_count"] == run["statistics"]["item_pending_count"] == 2
    assert (run["terminated_at"], run["num_preceding_items_org"]) == (None, 0)
    first, second = ask.get(f"/runs/{run_id}/items")
    assert (first["custom_metadata"], second["custom_metadata"]) == ({"case": 1}, None)
    assert (first["queue_position_org"], second["queue_position_platform"]) == (1, 2)
    (given,) = first["input_artifacts"]
    assert (given["name"], given["metadata"]) == ("slide", METADATA)
    assert given["download_url"] == "http://127.0.0.1:9/slide.tiff"


def test_the_latest_version_is_the_default(ask: Asker, standing: Emulator) -> None:
    slide = {"checksum_base64_crc32c": "4waSgw==", "width_px": 1, "height_px": 1, "resolution_mpp": 0.5}
    artifact = {"name": "whole_slide_image", "download_url": "http://127.0.0.1:9/a", "metadata": slide}
    items = [{"external_id": "a", "input_artifacts": [artifact]}]
    run_id = ask.post("/runs", {"application_id": "test-app", "items": items})["run_id"]
    assert ask.get(f"/runs/{run_id}")["version_number"] == "0.0.2"


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"application_id": "none"}, 404, "Application not found"),
        ({"version_number": "9.9.9"}, 404, "version not found"),
        ({"items": []}, 422, "items"),
        ({"items": body_of("x" * 256)["items"]}, 422, "external_id"),
        ({"items": body_of("a", "a")["items"]}, 400, "not unique"),
        ({"items": body_of("a", metadata={"colour": "red"})["items"]}, 400, "colour"),
        ({"items": body_of("a", metadata={"width": 0})["items"]}, 400, "width"),
        ({"items": [{"external_id": "a", "input_artifacts": []}]}, 400, "input artifacts must be"),
        ({"callback_context": {"a": "x" * 1024}}, 422, "callback_context"),
        ({"scheduling": {"deadline": "tomorrow"}}, 422, "deadline"),
        ({"scheduling": {"deadline": "2030-01-01T00:00:00"}}, 422, "deadline"),
    ],
)
def test_a_wrong_request_creates_nothing(ask: Asker, change: dict[str, Any], status: int, told: str) -> None:
    answer = ask("POST", "/runs", json={**body_of(), **change})
    assert answer.status_code == status
    assert told in answer.text
    assert ask.get("/runs") == []


def test_a_quota_is_used_up_and_refuses_with_402_under_both_contracts(standing: Emulator, ask: Asker) -> None:
    standing.set_conditions(remaining_slides=3)
    ask.create("a", "b")
    answer = ask("POST", "/runs", json=body_of("c", "d"))
    assert (answer.status_code, "1 are left" in answer.json()["detail"]) == (402, True)
    reference_body = {
        "application_version_id": "he-tme:v1.0.0",
        "items": [
            {"reference": each["external_id"], "input_artifacts": each["input_artifacts"]}
            for each in body_of("c", "d")["items"]
        ],
    }
    url, headers = f"{standing.api_root}/api/v1/runs", dict(ask.session.headers)
    assert requests.post(url, json=reference_body, headers=headers, timeout=30).status_code == 402
    assert ask.create("e")
    assert len(ask.get("/runs")) == 2


def test_a_run_of_two_inputs_needs_both(ask: Asker, standing: Emulator) -> None:
    slide = {"checksum_base64_crc32c": "4waSgw==", "width_px": 1, "height_px": 1, "resolution_mpp": 0.5}
    inputs = [
        {"name": name, "download_url": f"http://127.0.0.1:9/{name}", "metadata": slide}
        for name in ("he_slide", "ihc_slide")
    ]
    body = {"application_id": "stain-pair", "items": [{"external_id": "a", "input_artifacts": inputs}]}
    run_id = ask.post("/runs", body)["run_id"]
    (item,) = ask.get(f"/runs/{run_id}/items")
    assert [each["name"] for each in item["input_artifacts"]] == ["he_slide", "ihc_slide"]
    del inputs[1]
    ask.post("/runs", body, 400)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, ""),
        ({"media_type": None, "resolution_mpp": None, "width_px": None}, ""),
        ({"specimen": {"disease": "OTHER"}}, ""),
        ({"specimen": {"disease": "LUNG_CANCER", "tissue": "COLON"}}, "specimen"),
        ({"specimen": {"disease": "COLD"}}, "specimen"),
        ({"staining_method": "IHC"}, "staining_method"),
        ({"resolution_mpp": 0.6}, "resolution_mpp"),
        ({"mpp": 0.25}, "mpp"),
    ],
)
def test_the_schema_of_the_form_of_atlas(
    standing: Emulator, ask: Asker, change: dict[str, Any], refused: str
) -> None:
    metadata = {
        "checksum_base64_crc32c": "4waSgw==",
        "staining_method": "H&E",
        "specimen": {"disease": "LUNG_CANCER", "tissue": "LUNG"},
        "resolution_mpp": 0.25,
        **change,
    }
    artifact = {"name": "whole_slide_image", "download_url": "http://127.0.0.1:9/a", "metadata": metadata}
    body = {"application_id": "atlas-he-tme", "items": [{"external_id": "a", "input_artifacts": [artifact]}]}
    answer = ask("POST", "/runs", json=body)
    assert (answer.status_code, refused in answer.text) == (400 if refused else 201, True)


# States and statistics


def test_states_and_statistics_of_a_scripted_run(standing: Emulator, ask: Asker) -> None:
    steps = [
        (10, None, "RUNNING"),
        (20, "a", "PROCESSING"),
        (30, "a", "SUCCEEDED"),
        (40, "b", "PROCESSING"),
        (50, "b", "ERROR_USER"),
        (60, "c", "ERROR_SYSTEM"),
        (60, "d", "SKIPPED"),
        (70, None, "COMPLETED_WITH_ERROR"),
    ]
    (run_id,) = standing.script({"items": ["a", "b", "c", "d"], "steps": steps})
    seen = []
    for _ in range(8):
        run = ask.get(f"/runs/{run_id}")
        counts = run["statistics"]
        seen.append(
            (run["state"], counts["item_pending_count"], counts["item_processing_count"], run["output"])
        )
        standing.set_clock(advance_s=10)
    assert seen == [
        ("PENDING", 4, 0, "NONE"),
        ("PROCESSING", 4, 0, "NONE"),
        ("PROCESSING", 3, 1, "NONE"),
        ("PENDING", 3, 0, "PARTIAL"),  # it has been PROCESSING, and goes back
        ("PROCESSING", 2, 1, "PARTIAL"),
        ("PENDING", 2, 0, "PARTIAL"),
        ("PENDING", 0, 0, "PARTIAL"),
        ("TERMINATED", 0, 0, "PARTIAL"),
    ]
    assert run["statistics"] == {
        "item_count": 4,
        "item_pending_count": 0,
        "item_processing_count": 0,
        "item_user_error_count": 1,
        "item_system_error_count": 1,
        "item_skipped_count": 1,
        "item_succeeded_count": 1,
    }
    assert run["terminated_at"] == datetime.fromtimestamp(standing.now() - 10, UTC).strftime(
        "%Y-%m-%dT%H:%M:%S.%fZ"
    )
    assert states(ask, run_id)[2] == {
        "a": ("TERMINATED", "SUCCEEDED"),
        "b": ("TERMINATED", "USER_ERROR"),
        "c": ("TERMINATED", "SYSTEM_ERROR"),
        "d": ("TERMINATED", "SKIPPED"),
    }


def test_statistics_follow_each_move(standing: Emulator, ask: Asker) -> None:
    """Count after each change, because counts are kept until something changes them."""
    (run_id,) = standing.script({"items": ["a", "b", "c"], "steps": [(100, "c", "SUCCEEDED")]})

    def counts() -> tuple[int, ...]:
        found = ask.get(f"/runs/{run_id}")["statistics"]
        return tuple(
            found[f"item_{name}_count"] for name in ("pending", "processing", "succeeded", "skipped")
        )

    assert counts() == counts() == (3, 0, 0, 0)
    standing.move({"run": run_id, "reference": "a", "status": "PROCESSING"})
    assert counts() == (2, 1, 0, 0)
    standing.move({"run": run_id, "reference": "a", "status": "SUCCEEDED"})
    assert counts() == (2, 0, 1, 0)
    standing.set_clock(advance_s=101)
    assert counts() == (1, 0, 2, 0)
    standing.set_faults({"lag_s": 50, "times": 1})
    assert [counts(), counts()] == [(2, 0, 1, 0), (1, 0, 2, 0)]
    ask.post(f"/runs/{run_id}/cancel", status=202)
    assert counts() == (0, 0, 2, 1)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("COMPLETED", "ALL_ITEMS_PROCESSED"),
        ("COMPLETED_WITH_ERROR", "ALL_ITEMS_PROCESSED"),
        ("CANCELED_USER", "CANCELED_BY_USER"),
        ("CANCELED_SYSTEM", "CANCELED_BY_SYSTEM"),
        ("REJECTED", None),
    ],
)
def test_each_final_status_is_terminated(
    standing: Emulator, ask: Asker, status: str, reason: str | None
) -> None:
    (run_id,) = standing.script({"items": ["a"], "steps": [(0, None, status)]})
    assert states(ask, run_id)[:2] == ("TERMINATED", reason)


def test_counts_of_a_lagging_replica_are_those_of_then(standing: Emulator, ask: Asker) -> None:
    (run_id,) = standing.script({"items": ["a"], "steps": [(10, "a", "SUCCEEDED")]})
    standing.set_clock(advance_s=11)
    standing.set_faults({"operation": "get_run", "lag_s": 5, "times": 1})
    counts = [ask.get(f"/runs/{run_id}")["statistics"]["item_pending_count"] for _ in range(2)]
    assert counts == [1, 0]


def test_too_many_failures_cancel_the_run(emulator: Emulator, ask: Asker) -> None:
    emulator.reset(failed_items_threshold=1, clock_rate=1000)
    run_id = ask.create("a", "b")
    for _ in range(600):
        run = ask.get(f"/runs/{run_id}")
        if run["state"] == "TERMINATED":
            break
    assert (run["termination_reason"], run["error_code"]) == (
        "CANCELED_BY_SYSTEM",
        "SCHEDULER.ITEMS_WITH_ERROR_THRESHOLD_REACHED",
    )
    first, second = ask.get(f"/runs/{run_id}/items")
    assert (first["termination_reason"], "could not be fetched" in first["error_message"]) == (
        "USER_ERROR",
        True,
    )
    assert (second["termination_reason"], "by the system" in second["error_message"]) == ("SKIPPED", True)
    assert {each["output"] for each in first["output_artifacts"]} == {"NONE"}
    assert second["output_artifacts"] == []


def test_a_run_ends_at_its_deadline(emulator: Emulator, ask: Asker) -> None:
    emulator.reset(clock_rate=0, speed=0.001)
    deadline = datetime.fromtimestamp(emulator.now() + 60, UTC).isoformat()
    run_id = ask.create("a", scheduling={"deadline": deadline})
    emulator.set_clock(advance_s=59)
    assert ask.get(f"/runs/{run_id}")["state"] == "PENDING"
    emulator.set_clock(advance_s=2)
    for _ in range(600):  # another task than the one that answers ends it
        run = ask.get(f"/runs/{run_id}")
        if run["state"] == "TERMINATED":
            break
    assert (run["termination_reason"], run["error_code"]) == (
        "CANCELED_BY_SYSTEM",
        "SCHEDULER.DEADLINE_EXCEEDED",
    )


def test_cancelling(standing: Emulator, ask: Asker) -> None:
    run_id = ask.create("a", "b")
    assert ask.post(f"/runs/{run_id}/cancel", status=202) is None
    assert states(ask, run_id) == (
        "TERMINATED",
        "CANCELED_BY_USER",
        {"a": ("TERMINATED", "SKIPPED"), "b": ("TERMINATED", "SKIPPED")},
    )
    ask.post(f"/runs/{run_id}/cancel", status=409)


# Listings


def test_filters_of_runs(standing: Emulator, ask: Asker) -> None:
    one = ask.create("a", "b", custom_metadata={"study": "x"})
    two = ask.create("c")
    (other,) = standing.script({"items": ["a"], "custom_metadata": {"study": "y"}})

    def found(**query: Any) -> set[str]:
        return {run["run_id"] for run in ask.get("/runs", **query)}

    assert found() == {one, two, other}
    assert found(application_id="he-tme") == {one, two}
    assert found(application_id="he-tme", application_version="1.1.0") == set()
    assert found(application_version="0.0.2") == {other}
    assert found(external_id="a") == {one, other}
    assert found(external_id="none") == set()
    for name, mine in (
        ("submitted_by", "me"),
        ("organization_id", "my_org"),
        ("for_organization", "emulator"),
    ):
        assert found(**{name: mine}) == {one, two, other}
        assert found(**{name: "somebody else"}) == set()
    assert found(custom_metadata='$.study ? (@ == "y")') == {other}
    assert found(custom_metadata='$.study ? (@ == "y")', application_id="he-tme") == set()
    assert found(custom_metadata='$.study == "y"') == {one, two, other}, "a bare predicate matches every run"
    (theirs,) = standing.script({"items": ["b"], "submitted_by": "somebody else"})
    assert found(submitted_by="somebody else") == {theirs}
    assert found(submitted_by="me") == {one, two, other}


@pytest.mark.parametrize("path", ["$..x", "(", "$.a ? (@ ==", '$.a ? (@ like_regex "(")', "'x'", "x" * 1001])
def test_a_path_that_is_none_is_refused(ask: Asker, path: str) -> None:
    answer = ask.get("/runs", 422, custom_metadata=path)
    assert answer["detail"][0]["loc"] == ["query", "custom_metadata"]


def test_runs_are_sorted_and_paged(standing: Emulator, ask: Asker) -> None:
    runs = standing.script(
        {"items": ["a"], "after_s": -30, "steps": [(10, None, "COMPLETED")], "custom_metadata": {"n": 2}},
        {"items": ["a"], "after_s": -20, "custom_metadata": {"n": 1}},
        {
            "items": ["a"],
            "after_s": -10,
            "steps": [(0, None, "RUNNING")],
            "application_version_id": "he-tme:v1.0.0",
        },
    )
    done, waiting, running = runs

    def order(*sort: str) -> list[str]:
        return [run["run_id"] for run in ask.get("/runs", sort=list(sort))]

    assert order("submitted_at") == [done, waiting, running]
    assert order("-submitted_at") == order() == [running, waiting, done]
    assert order("state") == [waiting, running, done]
    assert order("-state", "submitted_at") == [done, running, waiting]
    assert order("application_id", "-submitted_at") == [running, waiting, done]
    assert order("version_number", "submitted_at") == [done, waiting, running]
    assert order("-terminated_at")[0] == order("-termination_reason")[0] == done
    assert order("custom_metadata") == [running, waiting, done]
    assert order("run_id") == sorted(runs)
    assert sorted(order("submitted_by", "organization_id")) == sorted(runs)
    assert ask.get("/runs", 422, sort="colour")["detail"][0]["loc"] == ["query", "sort"]
    standing.script(*[{"items": ["a"]}] * 4)
    assert [len(ask.get("/runs", page=page, page_size=5)) for page in (1, 2, 3)] == [5, 2, 0]


def test_an_empty_page_of_runs_may_be_a_404(standing: Emulator, ask: Asker) -> None:
    assert ask.get("/runs") == []
    standing.set_conditions(empty_runs="404")
    ask.get("/runs", 404)
    run_id = ask.create("a")
    assert len(ask.get("/runs")) == 1
    ask.get("/runs", 404, page=2)
    assert ask.get(f"/runs/{run_id}/items", page=2) == []


def test_filters_and_sorting_of_items(standing: Emulator, ask: Asker) -> None:
    steps = [(10, "b", "SUCCEEDED"), (20, "c", "ERROR_USER"), (30, "d", "PROCESSING")]
    (run_id,) = standing.script({"items": ["a", "b", "c", "d"], "steps": steps})
    standing.set_clock(advance_s=40)
    ask.put(f"/runs/{run_id}/items/c/custom-metadata", {"custom_metadata": {"k": [1, 5]}})
    assert references(ask, run_id) == ["a", "b", "c", "d"]
    assert references(ask, run_id, state="PENDING") == ["a"]
    assert references(ask, run_id, state="PROCESSING") == ["d"]
    assert references(ask, run_id, state="TERMINATED") == ["b", "c"]
    assert references(ask, run_id, termination_reason="USER_ERROR") == ["c"]
    assert references(ask, run_id, state="PENDING", termination_reason="USER_ERROR") == []
    assert references(ask, run_id, external_id__in=["d", "a"]) == ["a", "d"]
    (item,) = ask.get(f"/runs/{run_id}/items", custom_metadata="$.k[*] ? (@ > 4)")
    assert item["external_id"] == "c"
    assert references(ask, run_id, item_id__in=item["item_id"]) == ["c"]
    for sort in (
        "-external_id",
        "custom_metadata",
        "terminated_at",
        "termination_reason",
        "state",
        "item_id",
    ):
        assert sorted(references(ask, run_id, sort=sort)) == ["a", "b", "c", "d"]
    assert references(ask, run_id, sort="-external_id") == ["d", "c", "b", "a"]
    assert references(ask, run_id, sort=["-state", "terminated_at"]) == ["b", "c", "d", "a"]
    assert references(ask, run_id, page_size=5, page=2) == []


def test_the_other_contract_shows_an_item_in_process_as_pending(standing: Emulator, ask: Asker) -> None:
    steps = [(0, "a", "PROCESSING"), (0, "b", "SKIPPED")]
    (run_id,) = standing.script({"items": ["a", "b", "c"], "steps": steps})
    url = f"{standing.api_root}/api/v1/runs/{run_id}/results"

    def shown(query: str = "") -> list[tuple[str, str]]:
        items = ask.session.get(url + query, timeout=30).json()
        return [(item["reference"], item["status"]) for item in items]

    assert shown() == [("a", "PENDING"), ("b", "CANCELED_SYSTEM"), ("c", "PENDING")]
    assert shown("?status__in=PENDING") == [("a", "PENDING"), ("c", "PENDING")]
    assert shown("?status__in=CANCELED_SYSTEM") == [("b", "CANCELED_SYSTEM")]
    assert [reference for reference, _ in shown("?sort=status")] == ["b", "a", "c"]
    assert [row[2:] for row in standing.ledger()] == [(None, "RECEIVED"), ("b", "SKIPPED")]


def test_one_item(standing: Emulator, ask: Asker) -> None:
    run_id = ask.create("a b", "c/d", "ä+e")
    for reference in ("a b", "ä+e"):
        path = f"/runs/{run_id}/items/{quote(reference, safe='')}"
        assert ask.get(path)["external_id"] == reference
    ask.get(f"/runs/{run_id}/items/c%2Fd", 404)  # as it does not route
    ask.get(f"/runs/{run_id}/items/none", 404)


# Custom metadata


@pytest.mark.parametrize("place", ["", "/items/a"])
def test_custom_metadata_are_replaced_under_a_checksum(standing: Emulator, ask: Asker, place: str) -> None:
    run_id = ask.create("a")
    path = f"/runs/{run_id}{place}"

    def stored() -> tuple[Any, Any]:
        shown = ask.get(path)
        return shown["custom_metadata"], shown["custom_metadata_checksum"]

    def put(**body: Any) -> Any:
        return ask.put(f"{path}/custom-metadata", body)["custom_metadata_checksum"]

    assert stored() == (None, None)
    first = put(custom_metadata={"b": 1, "a": 2})
    assert first == f"{zlib.crc32(json.dumps({'a': 2, 'b': 1}, separators=(',', ':')).encode()):08x}"
    assert stored() == ({"b": 1, "a": 2}, first)
    second = put(custom_metadata={"c": 3}, custom_metadata_checksum=first)
    ask.put(f"{path}/custom-metadata", {"custom_metadata": {}, "custom_metadata_checksum": first}, 412)
    assert stored() == ({"c": 3}, second)
    assert put(custom_metadata=None) is None
    assert stored() == (None, None)
    ask.put(f"{path}/custom-metadata", {"custom_metadata": "text"}, 422)


# Artifacts


async def test_the_results_of_a_run_made_under_the_other_contract(
    emulator: Emulator, ask: Asker, slide: Slide
) -> None:
    async with emulator.client() as client:
        run = await client.runs.submit("he-tme:v1.1.0", [Item("a", slide=slide)], store=emulator.store_url)
        assert (await run.wait()).status == "COMPLETED"
    (item,) = ask.get(f"/runs/{run.id}/items")
    assert (item["state"], item["output"], item["termination_reason"]) == ("TERMINATED", "FULL", "SUCCEEDED")
    assert (item["queue_position_org"], len(item["output_artifacts"])) == (None, 4)
    shown = ask.get(f"/runs/{run.id}")
    assert (shown["output"], shown["num_preceding_items_org"]) == ("FULL", None)
    artifact = item["output_artifacts"][0]
    assert artifact["output"] == "AVAILABLE"
    path = f"/runs/{run.id}/artifacts/{artifact['output_artifact_id']}/file"
    redirect = ask("GET", path)
    assert redirect.status_code == 307
    content = requests.get(redirect.headers["location"], timeout=30).content
    assert checksum_bytes(content).wire == artifact["metadata"]["checksum_base64_crc32c"]
    assert requests.get(artifact["download_url"], timeout=30).content == content
    (given,) = item["input_artifacts"]
    assert requests.get(given["download_url"], timeout=30).content == slide.path.read_bytes()

    emulator.set_conditions(artifact_file="body", lists_urls=False)
    assert ask("GET", path).content == content
    (item,) = ask.get(f"/runs/{run.id}/items")
    assert {each["download_url"] for each in item["output_artifacts"]} == {None}
    emulator.set_conditions()

    assert ask.delete(f"/runs/{run.id}/artifacts") is None
    ask.delete(f"/runs/{run.id}/artifacts", 410)
    assert ask("GET", path).status_code == 410
    (item,) = ask.get(f"/runs/{run.id}/items")
    gone = {(each["output"], each["metadata"], each["download_url"]) for each in item["output_artifacts"]}
    assert (item["state"], gone) == ("TERMINATED", {("DELETED_BY_USER", None, None)})
    results = f"{emulator.api_root}/api/v1/runs/{run.id}/results"
    (result,) = ask.session.get(results, timeout=30).json()
    assert {each["download_url"] for each in result["output_artifacts"]} == {None}
    assert ask.session.delete(results, timeout=30).status_code == 204, "contract 1.0 knows no 410"
    assert ask("GET", f"/runs/{run.id}/artifacts/{uuid4()}/file").status_code == 404


async def test_results_end_after_thirty_days(emulator: Emulator, ask: Asker, slide: Slide) -> None:
    async with emulator.client() as client:
        run = await client.runs.submit("he-tme:v1.1.0", [Item("a", slide=slide)], store=emulator.store_url)
        await run.wait()
    (item,) = ask.get(f"/runs/{run.id}/items")
    path = f"/runs/{run.id}/artifacts/{item['output_artifacts'][0]['output_artifact_id']}/file"
    emulator.set_clock(rate=0, advance_s=30 * DAY - 60)
    assert ask("GET", path).status_code == 307
    emulator.set_clock(advance_s=120)
    assert ask("GET", path).status_code == 410
    (item,) = ask.get(f"/runs/{run.id}/items")
    assert {each["output"] for each in item["output_artifacts"]} == {"DELETED_BY_SYSTEM"}
    ask.delete(f"/runs/{run.id}/artifacts", 410)
    results = f"{emulator.api_root}/api/v1/runs/{run.id}/results"
    (result,) = ask.session.get(results, timeout=30).json()
    assert {each["download_url"] for each in result["output_artifacts"]} == {None}


def test_results_of_a_run_that_is_not_terminated_are_not_deleted(standing: Emulator, ask: Asker) -> None:
    run_id = ask.create("a")
    ask.delete(f"/runs/{run_id}/artifacts", 409)
    ask.post(f"/runs/{run_id}/cancel", status=202)
    ask.delete(f"/runs/{run_id}/artifacts")
    ask.delete(f"/runs/{run_id}/artifacts", 410)


# What is not there


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", "/cancel"),
        ("PUT", "/custom-metadata"),
        ("GET", "/items"),
        ("GET", "/items/a"),
        ("PUT", "/items/a/custom-metadata"),
        ("GET", f"/artifacts/{UUID(int=9)}/file"),
        ("DELETE", "/artifacts"),
    ],
)
def test_a_run_that_is_not_there(ask: Asker, method: str, path: str) -> None:
    body: Any = {"custom_metadata": {}} if method == "PUT" else None
    assert ask(method, f"/runs/{uuid4()}{path}", json=body).status_code == 404
    assert ask(method, f"/runs/no-id{path}", json=body).status_code == 422
