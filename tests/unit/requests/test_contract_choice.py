"""Which contract a client speaks, and that no other one is loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest
from attrs import evolve

from aignostics_async import Client, ConfigurationError
from aignostics_async._config import ENVIRONMENTS
from aignostics_async._environment_variables import choose_contract
from aignostics_async.bulk import JobPlan
from aignostics_async.contracts._lines import line_of

GATEWAY = "https://gateway.example.com"


@pytest.mark.parametrize(
    ("contract", "line"),
    [
        *(("1.0", "1.0"), ("1.0.0", "1.0")),
        *(("1.7", "1.8"), ("1.7.0", "1.8"), ("1.8", "1.8"), ("1.8.3", "1.8"), ("1.12", "1.8")),
    ],
)
def test_a_contract_belongs_to_a_line(contract: str, line: str) -> None:
    assert line_of(contract) == line


@pytest.mark.parametrize("contract", ["", "1", "1.1", "1.6.0", "2.0", "v1.8", "1.8.0.1", "1.8\n", "١.٨"])
def test_another_contract_is_refused(contract: str) -> None:
    with pytest.raises(ConfigurationError, match=r"contract is the text '1\.0' or '1\.8', not"):
        line_of(contract)


def test_the_first_that_is_known_decides() -> None:
    variables = {"AIGNOSTICS_CONTRACT": " 1.0 "}
    assert choose_contract(GATEWAY, "1.8", variables) == "1.8"
    assert choose_contract(ENVIRONMENTS["production"].api_root, None, variables, fallback="1.8") == "1.0"
    for place in ENVIRONMENTS.values():
        assert choose_contract(place.api_root, None, {}, fallback="1.0") == "1.8"
    assert choose_contract(GATEWAY, None, {"AIGNOSTICS_CONTRACT": ""}, fallback="1.0") == "1.0"
    assert choose_contract(GATEWAY, None, {}) == "1.8"
    with pytest.raises(ConfigurationError, match=r"AIGNOSTICS_CONTRACT is the text .*, not '9'"):
        choose_contract(GATEWAY, None, {"AIGNOSTICS_CONTRACT": "9"})


def test_a_client_names_its_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client(GATEWAY, "token", contract="1.7").contract == "1.8"
    monkeypatch.setenv("AIGNOSTICS_CONTRACT", "1.0")
    assert Client(GATEWAY, "token").contract == "1.0"
    monkeypatch.delenv("AIGNOSTICS_CONTRACT")
    assert Client(GATEWAY, "token").contract == "1.8"
    monkeypatch.setenv("AIGNOSTICS_API_ROOT", GATEWAY)
    monkeypatch.setenv("AIGNOSTICS_ACCESS_TOKEN", "token")
    assert Client.from_env(fallback_contract="1.0").contract == "1.0"
    assert Client.from_env(contract="1.8", fallback_contract="1.0").contract == "1.8"


def test_the_plan_of_a_job_keeps_its_contract() -> None:
    plan = JobPlan(api_root=GATEWAY, application_version="a:v1.0.0", store="s3://bucket")
    assert JobPlan.from_json(plan.to_json()).contract is None
    assert JobPlan.from_json(evolve(plan, contract="1.8").to_json()).contract == "1.8"


@pytest.mark.process
def test_only_the_chosen_package_is_loaded() -> None:
    code = """
import asyncio, sys
from aignostics_async import Client
async def main(contract):
    async with Client("http://127.0.0.1:9", "token", contract=contract):
        print(*sorted(name for name in sys.modules if name in ("aignostics_api", "aignostics_api_1_8")))
asyncio.run(main(sys.argv[1]))
"""
    for contract, package in (("1.0", "aignostics_api"), ("1.8", "aignostics_api_1_8")):
        command = [sys.executable, "-c", code, contract]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.split() == [package]
