"""The emulator as an identity provider: what it grants, to whom, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from aignostics_async.emulator.process import Emulator

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "http://localhost:8989/"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def trade(emulator: Emulator, **form: str) -> requests.Response:
    answer = requests.post(emulator.token_url, data={"client_id": emulator.client_id, **form}, timeout=30)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer


def refresh(emulator: Emulator, token: str, **form: str) -> requests.Response:
    return trade(emulator, grant_type="refresh_token", refresh_token=token, **form)


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def opens_the_api(emulator: Emulator, answer: requests.Response) -> bool:
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return requests.get(f"{emulator.api_root}/api/v1/applications", headers=headers, timeout=30).ok


def ask(emulator: Emulator, **changes: str | None) -> dict[str, str]:
    asked = {
        "response_type": "code",
        "client_id": emulator.client_id,
        "redirect_uri": REDIRECT,
        "scope": "offline_access",
        "state": "state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in asked.items() if value is not None}


def decide(emulator: Emulator, decision: str, **changes: str | None) -> requests.Response:
    form = {**ask(emulator, **changes), "decision": decision}
    return requests.post(f"{emulator.api_root}/authorize", data=form, timeout=30, allow_redirects=False)


def answered(response: requests.Response) -> dict[str, str]:
    assert response.status_code == 302
    assert response.headers["Location"].startswith(REDIRECT)
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def redeem(emulator: Emulator, code: str, **changes: str) -> requests.Response:
    form = {"code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER, **changes}
    return trade(emulator, grant_type="authorization_code", **form)


# Refresh tokens


def test_refresh_tokens_rotate(emulator: Emulator) -> None:
    first = refresh(emulator, emulator.sign_in())
    assert first.status_code == 200
    assert first.json()["expires_in"] > 0
    assert opens_the_api(emulator, first)
    second = refresh(emulator, first.json()["refresh_token"])
    assert opens_the_api(emulator, second)
    assert second.json()["refresh_token"] != first.json()["refresh_token"]


def test_a_refresh_token_that_is_used_again_ends_its_family(emulator: Emulator) -> None:
    token = emulator.sign_in()
    first = refresh(emulator, token)
    assert error(refresh(emulator, token)) == (403, "invalid_grant")
    assert error(refresh(emulator, first.json()["refresh_token"])) == (403, "invalid_grant")
    assert not opens_the_api(emulator, first)
    assert refresh(emulator, emulator.sign_in()).ok, "another login is another family"


def test_within_the_overlap_the_last_refresh_token_may_be_used_again(emulator: Emulator) -> None:
    emulator.reset(refresh_overlap=3600)
    token = emulator.sign_in()
    lost = refresh(emulator, token)
    found = refresh(emulator, token)
    assert found.ok
    assert refresh(emulator, found.json()["refresh_token"]).ok
    assert error(refresh(emulator, token)) == (403, "invalid_grant"), "its successor was used"
    assert not opens_the_api(emulator, lost)


@pytest.mark.emulator
def test_a_refresh_token_outlives_the_emulator(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        token = emulator.sign_in()
    with Emulator(tmp_path) as emulator:
        assert refresh(emulator, token).ok


def test_what_is_wrong_is_named(emulator: Emulator) -> None:
    assert error(refresh(emulator, "wrong")) == (403, "invalid_grant")
    assert error(refresh(emulator, emulator.sign_in(), client_id="wrong")) == (401, "invalid_client")
    assert error(trade(emulator, grant_type="password")) == (400, "unsupported_grant_type")


def test_a_revoked_login_is_over(emulator: Emulator) -> None:
    first = refresh(emulator, emulator.sign_in())
    url = f"{emulator.api_root}/oauth/revoke"
    form = {"client_id": emulator.client_id, "token": first.json()["refresh_token"]}
    assert requests.post(url, data=form, timeout=30).status_code == 200
    assert requests.post(url, data={**form, "token": "unknown"}, timeout=30).status_code == 200
    assert not opens_the_api(emulator, first)
    assert error(refresh(emulator, first.json()["refresh_token"])) == (403, "invalid_grant")


# Services


def test_a_service_gets_tokens_for_its_secret(emulator: Emulator) -> None:
    client_id, secret = emulator.service
    form = {"grant_type": "client_credentials", "client_id": client_id}
    good = trade(emulator, **form, client_secret=secret)
    assert opens_the_api(emulator, good)
    assert "refresh_token" not in good.json()
    assert error(trade(emulator, **form, client_secret="wrong")) == (401, "invalid_client")
    assert error(trade(emulator, grant_type="client_credentials")) == (403, "unauthorized_client")


# Codes


def test_a_code_is_good_once_for_who_knows_the_verifier(emulator: Emulator) -> None:
    answer = answered(decide(emulator, "approve"))
    assert answer["state"] == "state"
    assert answer["iss"] == f"{emulator.api_root}/"
    tokens = redeem(emulator, answer["code"])
    assert opens_the_api(emulator, tokens)
    assert error(redeem(emulator, answer["code"])) == (403, "invalid_grant")
    assert error(refresh(emulator, tokens.json()["refresh_token"])) == (403, "invalid_grant")
    assert not opens_the_api(emulator, tokens), "a code that comes back ends what it gave"


@pytest.mark.parametrize(
    "change", [{"code_verifier": "w" * 43}, {"redirect_uri": "http://localhost:1/"}, {"code": "wrong"}]
)
def test_a_code_is_bound_to_its_program(emulator: Emulator, change: dict[str, str]) -> None:
    code = answered(decide(emulator, "approve"))["code"]
    assert error(redeem(emulator, **{"code": code, **change})) == (403, "invalid_grant")


def test_a_person_may_refuse(emulator: Emulator) -> None:
    answer = answered(decide(emulator, "deny"))
    assert (answer["error"], answer["state"]) == ("access_denied", "state")
    assert "code" not in answer


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_request_without_pkce_is_refused(emulator: Emulator, change: dict[str, str], expected: str) -> None:
    assert answered(decide(emulator, "approve", **change))["error"] == expected


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"redirect_uri": "https://elsewhere.example.com/"},
        {"redirect_uri": "http://10.0.0.1/"},
    ],
)
def test_nobody_is_sent_elsewhere(emulator: Emulator, change: dict[str, str]) -> None:
    for answer in (
        decide(emulator, "approve", **change),
        requests.get(f"{emulator.api_root}/authorize", params=ask(emulator, **change), timeout=30),
    ):
        assert answer.status_code == 400
        assert "Location" not in answer.headers


def test_the_page_shows_nothing_as_markup(emulator: Emulator) -> None:
    hostile = '"><script>alert(1)</script>'
    pages = [
        requests.get(f"{emulator.api_root}/authorize", params=ask(emulator, state=hostile), timeout=30),
        requests.get(f"{emulator.api_root}/activate", params={"user_code": hostile}, timeout=30),
    ]
    for page in pages:
        assert page.ok
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "http" not in re.sub(r'value="[^"]*"', "", page.text), "the page fetches nothing"


# Devices


@pytest.fixture
def quick(emulator: Emulator) -> Emulator:
    """Give an emulator that lets devices ask as often as they like."""
    emulator.reset(device_interval=0.001)
    return emulator


def begin(emulator: Emulator) -> dict[str, str]:
    form = {"client_id": emulator.client_id, "scope": "offline_access"}
    answer = requests.post(f"{emulator.api_root}/oauth/device/code", data=form, timeout=30)
    assert answer.status_code == 200
    return dict(answer.json())


def poll(emulator: Emulator, device: dict[str, str]) -> requests.Response:
    return trade(emulator, grant_type=DEVICE_GRANT, device_code=device["device_code"])


def activate(emulator: Emulator, user_code: str, decision: str) -> requests.Response:
    form = {"user_code": user_code, "decision": decision}
    return requests.post(f"{emulator.api_root}/activate", data=form, timeout=30)


def test_a_device_is_let_in(quick: Emulator) -> None:
    device = begin(quick)
    assert device["verification_uri_complete"].endswith(device["user_code"])
    assert error(poll(quick, device)) == (403, "authorization_pending")
    assert activate(quick, "WRNG-CODE", "approve").status_code == 404
    typed = device["user_code"].lower().replace("-", " ")
    assert "signed in" in activate(quick, typed, "approve").text
    tokens = poll(quick, device)
    assert opens_the_api(quick, tokens)
    assert refresh(quick, tokens.json()["refresh_token"]).ok
    assert error(poll(quick, device)) == (403, "invalid_grant"), "once"


def test_a_device_is_refused(quick: Emulator) -> None:
    device = begin(quick)
    activate(quick, device["user_code"], "deny")
    assert error(poll(quick, device)) == (403, "access_denied")


def test_a_device_code_expires(emulator: Emulator) -> None:
    emulator.reset(device_interval=0.001, device_lifetime=0)
    device = begin(emulator)
    assert activate(emulator, device["user_code"], "approve").status_code == 404
    assert error(poll(emulator, device)) == (403, "expired_token")


def test_a_device_that_hurries_is_slowed_down(emulator: Emulator) -> None:
    device = begin(emulator)
    assert [error(poll(emulator, device)) for _ in range(2)] == [(429, "slow_down")] * 2


def test_what_one_client_was_given_is_refused_to_another(quick: Emulator) -> None:
    client_id, secret = quick.service
    other = {"client_id": client_id, "client_secret": secret}
    code = answered(decide(quick, "approve"))["code"]
    device = begin(quick)
    activate(quick, device["user_code"], "approve")
    for answer in (
        redeem(quick, code, **other),
        refresh(quick, quick.sign_in(), **other),
        trade(quick, grant_type=DEVICE_GRANT, device_code=device["device_code"], **other),
    ):
        assert error(answer) == (403, "invalid_grant")


def test_the_metadata_names_every_endpoint(emulator: Emulator) -> None:
    url = f"{emulator.api_root}/.well-known/openid-configuration"
    told = requests.get(url, timeout=30).json()
    assert told["token_endpoint"] == emulator.token_url
    for name, address in told.items():
        if name.endswith("_endpoint"):
            assert requests.get(address, timeout=30).status_code in (200, 400, 405), name
