"""The emulator's 1.8 side beside the other: roots, catalogue, documents, account, access, gateway, faults."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import jsonschema
import pytest
import requests
from line_1_8 import Asker
from support import run_body

from aignostics_async import UsageError
from aignostics_async.emulator._operations import OPERATIONS, PREFIXES
from aignostics_async.emulator.api._contract import load_document
from aignostics_async.emulator.process import Emulator
from aignostics_async.storage import HmacKey


@pytest.fixture
def ask(emulator: Emulator) -> Asker:
    return Asker(emulator)


def test_each_contract_has_a_root(emulator: Emulator) -> None:
    assert list(emulator.api_roots) == ["1.0", "1.8"]
    assert emulator.api_roots["1.0"] == emulator.api_root
    assert emulator.contract == "1.0"
    emulator.reset(contract="1.8")
    assert emulator.contract == "1.8"
    for environment in (emulator.environment, emulator.login_environment):
        assert environment["AIGNOSTICS_API_ROOT"] == emulator.api_roots["1.8"]
        assert environment["AIGNOSTICS_CONTRACT"] == "1.8"
    emulator.reset(contract="1.9")
    assert emulator.contract == "1.8", "what adds to it belongs to its line"
    with pytest.raises(UsageError, match="invalid "):
        emulator.reset(contract="2.0")


@pytest.mark.parametrize("contract", PREFIXES)
def test_each_root_serves_its_own_document(emulator: Emulator, contract: str) -> None:
    answer = requests.get(f"{emulator.api_roots[contract]}/api/v1/openapi.json", timeout=30)
    assert answer.json() == load_document(contract)
    assert answer.json()["info"]["version"].startswith(contract)


@pytest.mark.parametrize("contract", PREFIXES)
def test_every_operation_has_a_name(contract: str) -> None:
    documented = {
        (method.upper(), path)
        for path, methods in load_document(contract)["paths"].items()
        for method in methods
    }
    assert set(OPERATIONS[contract].values()) == documented


@pytest.mark.parametrize("health", ["UP", "DEGRADED", "DOWN"])
def test_health_needs_no_token(emulator: Emulator, health: str) -> None:
    emulator.set_conditions(health=health)
    for root in emulator.api_roots.values():
        answer = requests.get(f"{root}/health", timeout=30)
        assert (answer.status_code, answer.json()) == (200, {"status": health})


def test_conditions_that_are_none_are_refused_and_a_reset_ends_them(emulator: Emulator, ask: Asker) -> None:
    wrong: list[dict[str, Any]] = [{"health": "GONE"}, {"colour": 1}, {"remaining_slides": -1}]
    for conditions in (*wrong, {"empty_runs": "410"}, {"artifact_file": "none"}):
        with pytest.raises(UsageError, match="invalid "):
            emulator.set_conditions(**conditions)
    emulator.set_conditions(health="DOWN", remaining_slides=0)
    ask("POST", "/runs", json={})
    emulator.reset()
    assert requests.get(f"{ask.root}/health", timeout=30).json()["status"] == "UP"


def test_a_run_made_under_either_contract_is_seen_through_both(emulator: Emulator, ask: Asker) -> None:
    emulator.reset(clock_rate=0)
    url, headers = f"{emulator.api_root}/api/v1/runs", dict(ask.session.headers)
    one = requests.post(url, json=run_body("a"), headers=headers, timeout=30).json()["application_run_id"]
    two = ask.create("b")
    assert [run["run_id"] for run in ask.get("/runs")] == [two, one]
    listed = requests.get(url, headers=headers, timeout=30).json()
    assert [run["application_run_id"] for run in listed] == [two, one]
    assert ask.get(f"/runs/{one}")["version_number"] == "1.0.0"
    assert requests.get(f"{url}/{two}", headers=headers, timeout=30).json()["status"] == "RECEIVED"
    assert requests.post(f"{url}/{two}/cancel", headers=headers, timeout=30).status_code == 202
    assert ask.get(f"/runs/{two}")["termination_reason"] == "CANCELED_BY_USER"


# Applications


def test_applications(ask: Asker) -> None:
    listed = ask.get("/applications")
    names = [each["application_id"] for each in listed]
    assert names == ["he-tme", "test-app", "atlas-he-tme", "stain-pair"]
    assert [each["latest_version"]["number"] for each in listed] == ["1.1.0", "0.0.2", "1.3.0", "1.0.0"]
    for field in ("application_id", "name", "description", "regulatory_classes"):
        assert len(ask.get("/applications", sort=f"-{field}")) == 4
    assert [each["application_id"] for each in ask.get("/applications", sort="-application_id")] == sorted(
        names, reverse=True
    )
    ask.get("/applications", 422, sort="colour")
    assert ask.get("/applications", **{"page-size": 5, "page": 2}) == []
    ask.get("/applications", 422, **{"page-size": 4})
    assert len(ask.get("/applications", page_size=1)) == 4, "a parameter that it does not have"


def test_an_application_and_its_versions(ask: Asker) -> None:
    for listed in ask.get("/applications"):
        application = ask.get(f"/applications/{listed['application_id']}")
        assert application["versions"][-1] == listed["latest_version"]
        for version in application["versions"]:
            details = ask.get(f"/applications/{application['application_id']}/versions/{version['number']}")
            assert details["version_number"] == version["number"]
            for artifact in details["input_artifacts"]:
                schema = artifact["metadata_schema"]
                jsonschema.validators.validator_for(
                    schema, default=jsonschema.Draft202012Validator
                ).check_schema(schema)
            kinds = {(each["scope"], each["visibility"]) for each in details["output_artifacts"]}
            assert kinds == {("ITEM", "EXTERNAL")}
    ask.get("/applications/none", 404)
    ask.get("/applications/he-tme/versions/9.9.9", 404)
    ask.get("/applications/he-tme/versions/v1", 422)


def test_documents(ask: Asker) -> None:
    path = "/applications/he-tme/versions/1.1.0/documents"
    for listed in ask.get(path):
        name = listed["name"]
        assert ask.get(f"{path}/{name}") == listed
        answers = [ask("GET", f"{path}/{name}/{kind}") for kind in ("file", "content")]
        assert [answer.status_code for answer in answers] == [307, 307]
        assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
        saved, shown = (requests.get(answer.headers["location"], timeout=30) for answer in answers)
        assert (saved.status_code, saved.text) == (200, shown.text)
        assert saved.headers["content-type"].partition(";")[0] == listed["mime_type"]
        assert saved.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert "content-disposition" not in shown.headers
        forged = answers[0].headers["location"].replace("attachment", "inline")
        assert requests.get(forged, timeout=30).status_code == 403
    for wrong in ("none", "none/file", "none/content"):
        ask.get(f"{path}/{wrong}", 404)
    ask.get("/applications/he-tme/versions/9.9.9/documents", 404)


def test_me_has_the_keys_of_a_bucket_that_work(emulator: Emulator, ask: Asker) -> None:
    me = ask.get("/me")
    assert (me["user"]["email"], me["organization"]["name"]) == ("developer@emulator.example", "emulator")
    assert me["user"]["name"]
    organization = me["organization"]
    key = emulator.gcs(hmac=True).hmac
    assert isinstance(key, HmacKey)
    assert organization["aignostics_bucket_hmac_access_key_id"] == key.name
    assert organization["aignostics_bucket_hmac_secret_access_key"] == key.secret
    assert organization["aignostics_bucket_protocol"] == "gs"
    assert organization["aignostics_bucket_name"]


# Access


def grant_for(run_id: str, **fields: Any) -> dict[str, Any]:
    subject = {"subject_type": "user", "subject_id": "emulator|other", "relation": "viewer"}
    return {"resource_type": "run", "resource_id": run_id, **subject, **fields}


def test_a_grant_lives_until_it_is_revoked(emulator: Emulator, ask: Asker) -> None:
    (run_id,) = emulator.script({"items": ["a"]})
    (item,) = ask.get(f"/runs/{run_id}/items")
    one = ask.post("/access/grants", grant_for(run_id))
    two = ask.post(
        "/access/grants",
        grant_for(item["item_id"], resource_type="item", subject_id=None, subject_email="o@example.com"),
    )
    assert (one["revoked"], two["subject_id"]) == (False, "emulator|o@example.com")
    assert ask.get(f"/access/grants/{one['grant_id']}") == one
    revoked = ask.delete(f"/access/grants/{one['grant_id']}")
    assert revoked == {**one, "revoked": True}
    ask.delete(f"/access/grants/{one['grant_id']}", 409)

    def found(**query: Any) -> list[str]:
        return [grant["grant_id"] for grant in ask.get("/access/grants", **query)]

    both = [one["grant_id"], two["grant_id"]]
    assert found() == found(relation=["viewer", "owner"]) == found(subject_type="user") == both
    assert found(revoked="true") == found(resource_id=run_id) == found(resource_type="run") == both[:1]
    assert found(revoked="false") == found(subject_id=two["subject_id"]) == both[1:]
    assert found(relation="editor") == found(page=2) == []
    assert found(sort="-created_at") == both[::-1]
    ask.get("/access/grants", 422, sort="colour")
    ask.get("/access/grants", 422, revoked="maybe")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"relation": "owner"}, 422),
        ({"relation": "guest"}, 422),
        ({"subject_id": None}, 422),
        ({"subject_id": None, "subject_type": "share_token", "subject_email": "a@example.com"}, 422),
        ({"resource_id": str(uuid4())}, 404),
        ({"resource_type": "output_artifact"}, 404),
        ({"resource_type": "share_token"}, 404),
    ],
)
def test_a_wrong_grant(emulator: Emulator, ask: Asker, change: dict[str, Any], status: int) -> None:
    (run_id,) = emulator.script({"items": ["a"]})
    ask.post("/access/grants", grant_for(run_id, **change), status)
    assert ask.get("/access/grants") == []


def test_a_share_token_opens_what_is_granted_to_it(emulator: Emulator, ask: Asker) -> None:
    emulator.reset(clock_rate=0)
    granted, other = emulator.script({"items": ["a"]}, {"items": ["a"]})
    expires_at = datetime.fromtimestamp(emulator.now() + 60, UTC).isoformat()
    tokens = [ask.post("/access/share-tokens", {"expires_at": end}) for end in (None, expires_at)]
    for token in tokens:
        subject = {"subject_type": "share_token", "subject_id": token["share_token_id"]}
        ask.post("/access/grants", grant_for(granted, **subject))
    lasting, short = (token["share_token"] for token in tokens)
    places = {"": 200, "/items/a": 200, f"/artifacts/{uuid4()}/file": 404}
    for place, status in places.items():
        ask.get(f"/runs/{granted}{place}", status, share_token=short)
    assert len(ask.get(f"/runs/{granted}/items", share_token=short)) == 1
    for place in places:
        ask.get(f"/runs/{other}{place}", 403, share_token=short)
        ask.get(f"/runs/{granted}{place}", 403, share_token="wrong")
    ask.get(f"/runs/{other}/items", 404, share_token=short)  # its contract has no 403
    emulator.set_clock(advance_s=61)
    ask.get(f"/runs/{granted}", 403, share_token=short)
    ask.get(f"/runs/{granted}", share_token=lasting)
    ident = tokens[0]["share_token_id"]
    shown = {name: value for name, value in tokens[0].items() if name != "share_token"}
    assert ask.get(f"/access/share-tokens/{ident}") == shown
    assert ask.delete(f"/access/share-tokens/{ident}") == {**shown, "revoked": True}
    ask.delete(f"/access/share-tokens/{ident}", 409)
    ask.get(f"/runs/{granted}", 403, share_token=lasting)

    def found(**query: Any) -> list[int]:
        idents = [token["share_token_id"] for token in tokens]
        return [idents.index(each["share_token_id"]) for each in ask.get("/access/share-tokens", **query)]

    assert found() == found(run_id=granted) == found(created_by="emulator|developer") == [0, 1]
    assert found(run_id=other) == found(created_by="other") == found(page=2) == []
    assert (found(revoked="true"), found(revoked="false")) == ([0], [1])
    assert found(sort="-expires_at") == [1, 0]


def test_what_is_not_there(ask: Asker) -> None:
    for kind in ("grants", "share-tokens"):
        ask.get(f"/access/{kind}/{uuid4()}", 404)
        ask.delete(f"/access/{kind}/{uuid4()}", 404)
        ask.get(f"/access/{kind}/none", 422)
    ask.post("/access/share-tokens", {"expires_at": "soon"}, 422)


# The gateway, methods, faults


def everywhere() -> list[tuple[str, str]]:
    return [(method, re.sub(r"{\w+}", str(uuid4()), path)) for method, path in OPERATIONS["1.8"].values()]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (None, "Jwt is missing"),
        ("Bearer wrong", "Jwt verification fails"),
        ("Basic eDp5", "Jwt verification fails"),
    ],
)
def test_the_gateway_refuses_every_operation_in_plain_text(ask: Asker, header: str | None, told: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path in everywhere():
        answer = requests.request(method, f"{ask.root}/api{path}", headers=headers, timeout=30)
        assert (answer.status_code, answer.text) == (401, told), (method, path)
        assert answer.headers["content-type"] == "text/plain"


def test_an_expired_token_is_told(emulator: Emulator, ask: Asker) -> None:
    emulator.reset(clock_rate=0, token_lifetime=100)
    client_id, secret = emulator.service
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    token = requests.post(emulator.token_url, data=form, timeout=30).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{ask.root}/api/v1/me", headers=headers, timeout=30).status_code == 200
    emulator.set_clock(advance_s=101)
    answer = requests.get(f"{ask.root}/api/v1/me", headers=headers, timeout=30)
    assert (answer.status_code, answer.text) == (401, "Jwt is expired")


def test_the_documented_methods_and_paths_only(emulator: Emulator, ask: Asker) -> None:
    answer = ask("PATCH", "/runs")
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"GET", "POST"})
    run_id = str(uuid4())
    for path in ("/runs/", f"/runs/{run_id}/results", "/applications/he-tme/versions"):
        assert ask("GET", path).status_code == 404, "contract 1.0 is elsewhere"
    headers = dict(ask.session.headers)
    for path in (f"/runs/{run_id}/items", "/me", "/applications/he-tme"):
        assert (
            requests.get(f"{emulator.api_root}/api/v1{path}", headers=headers, timeout=30).status_code == 404
        )


PLACES = {"1.0": "results", "1.8": "items"}
"""Where the results of a run are listed."""


@pytest.mark.parametrize("contract", PLACES)
def test_a_fault_by_the_name_of_an_operation(emulator: Emulator, ask: Asker, contract: str) -> None:
    def list_results(contract: str) -> requests.Response:
        url = f"{emulator.api_roots[contract]}/api/v1/runs/{uuid4()}/{PLACES[contract]}"
        return ask.session.get(url, timeout=30)

    emulator.set_faults({"operation": "list_results", "status": 503, "times": 1})
    assert [list_results(contract).status_code for _ in range(2)] == [503, 404]
    emulator.set_faults({"operation": "get_run", "status": 503})
    assert list_results(contract).status_code == 404
    other = next(each for each in PLACES if each != contract)
    emulator.set_faults({"operation": "list_results", "contract": contract, "answer": "jwt_wrong_audience"})
    assert list_results(other).status_code == 404
    answer = list_results(contract)
    assert (answer.status_code, answer.text) == (403, "Audiences in Jwt are not allowed")
    one, two = emulator.requests()
    assert [each["contract"] for each in (one, two)] == [other, contract]
    assert {each["operation"] for each in (one, two)} == {"list_results"}


@pytest.mark.parametrize("contract", PLACES)
def test_a_fault_by_path_holds_below_each_root(emulator: Emulator, ask: Asker, contract: str) -> None:
    url = f"{emulator.api_roots[contract]}/api/v1/runs"
    for path in ("/api/v1/runs", "/api/.*", re.escape(urlsplit(url).path)):
        emulator.set_faults({"path": path, "status": 503, "times": 1})
        assert [ask.session.get(url, timeout=30).status_code for _ in range(2)] == [503, 200]
    emulator.set_faults({"path": "/v1/runs", "status": 503})
    assert ask.session.get(url, timeout=30).status_code == 200


def test_each_operation_can_be_named_in_a_fault(emulator: Emulator, ask: Asker) -> None:
    for name, (method, path) in OPERATIONS["1.8"].items():
        emulator.set_faults({"operation": name, "status": 429})
        target = re.sub(r"{\w+}", str(uuid4()), path).removeprefix("/v1")
        assert ask(method, target).status_code == 429, name
        (asked,) = emulator.requests()
        assert (asked["operation"], asked["contract"]) == (name, "1.8")


def test_a_fault_by_a_name_that_is_none_is_refused(emulator: Emulator) -> None:
    for wrong in ({"operation": "make_coffee"}, {"contract": "0.9"}):
        with pytest.raises(UsageError, match="invalid "):
            emulator.set_faults({**wrong, "status": 500})
