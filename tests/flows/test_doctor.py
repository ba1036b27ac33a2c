"""`doctor` and `check_setup`: each of the twelve checks broken, alone and with each other one."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from command_line import run_here

from aignostics_async import (
    CheckState,
    ConfigurationError,
    Health,
    HealthStatus,
    SetupReport,
    StoreAddress,
    UsageError,
    check_setup,
)
from aignostics_async.doctor import _machine, _platform
from aignostics_async.emulator.process import Emulator
from aignostics_async.slides.workers import _prober

NAMES = (
    "proxy and CA", "deployment", "contract", "health", "clock", "token and organization", "store",
    "slides reader", "scratch disk", "file locks", "key ring", "free disk",
)  # fmt: skip
OF_THE_PLATFORM = frozenset(NAMES[2:7])
MASKED = {
    "proxy and CA": OF_THE_PLATFORM | {"deployment"},
    "deployment": OF_THE_PLATFORM,
    "scratch disk": frozenset({"store"}),
}
"""What nobody looks at while another check has a fault."""


@define
class Setup:
    """A machine on which everything works, until something is broken."""

    emulator: Emulator
    patch: pytest.MonkeyPatch
    folder: Path
    variables: dict[str, str] = field(factory=dict)
    faults: list[dict[str, Any]] = field(factory=list)

    @property
    def store(self) -> StoreAddress:
        return self.emulator.s3()

    async def look(self) -> SetupReport:
        self.emulator.set_faults(*self.faults)
        variables = {**self.emulator.environment, **self.variables}
        return await check_setup(store=self.store, folder=self.folder, variables=variables)


@pytest.fixture
def setup(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    emulator.reset(contract="1.8")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    roomy(monkeypatch)
    return Setup(emulator, monkeypatch, tmp_path)


def roomy(patch: pytest.MonkeyPatch, scarce: Path | None = None) -> None:
    """Let all disks be large, but that of a folder itself."""

    patch.setattr(_machine, "free_space", lambda folder: 2**20 if folder == scarce else 2**39)


# What is broken


def certificates(setup: Setup) -> None:
    setup.patch.setenv("SSL_CERT_FILE", str(setup.folder / "none.pem"))


def deployment(setup: Setup) -> None:
    setup.variables |= {"AIGNOSTICS_API_ROOT": "http://127.0.0.1:9"}


def contract(setup: Setup) -> None:
    body = {"openapi": "3.1.0", "info": {"title": "Other", "version": "2"}, "paths": {}}
    setup.faults.append({"path": ".*/openapi.json", "status": 200, "body": body})


def health(setup: Setup) -> None:
    setup.emulator.set_conditions(health="DOWN")


def clock(setup: Setup) -> None:
    check = _platform.check_clock
    setup.patch.setattr(
        _platform, "check_clock", lambda health: check(health, datetime.now(UTC) + timedelta(hours=1))
    )


def token(setup: Setup) -> None:
    setup.variables |= {"AIGNOSTICS_ACCESS_TOKEN": "nobody"}


def store(setup: Setup) -> None:
    setup.faults.append({"path": ".*/s3/.*", "status": 403})


def reader(setup: Setup) -> None:
    setup.patch.setattr(_prober, "_PROGRAM", "raise SystemExit(1)")


def scratch(setup: Setup) -> None:
    setup.patch.setattr(tempfile, "tempdir", str(setup.folder / "none"))


def locks(setup: Setup) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    setup.patch.setattr("aignostics_async._core._file_lock.lock", refuse)


def key_ring(setup: Setup) -> None:
    setup.patch.setenv("XDG_STATE_HOME", str(setup.folder / "file"))
    (setup.folder / "file").touch()


def free_disk(setup: Setup) -> None:
    roomy(setup.patch, scarce=setup.folder)


BREAK: Mapping[str, Callable[[Setup], None]] = dict(
    zip(
        NAMES,
        (
            certificates, deployment, contract, health, clock, token, store,
            reader, scratch, locks, key_ring, free_disk,
        ),
        strict=True,
    )
)  # fmt: skip


def expected(*broken: str) -> set[str]:
    """Return the checks that find a fault; others depend on one that was not passed."""
    masked = frozenset[str]().union(*(MASKED.get(name, frozenset()) for name in broken))
    return set(broken) - masked


async def check(setup: Setup, *broken: str) -> None:
    for name in broken:
        BREAK[name](setup)
    report = await setup.look()
    assert tuple(each.name for each in report.checks) == NAMES
    assert {each.name for each in report.faults} == expected(*broken), report.to_json()
    assert all(each.remedy for each in report.faults)
    masked = frozenset[str]().union(*(MASKED.get(name, frozenset()) for name in broken))
    for each in report.checks:
        assert (each.state is CheckState.UNKNOWN) is (each.name in masked), each
    assert report.exit_status == 6
    assert json.loads(report.to_json())["exit_status"] == 6


async def test_where_everything_works_nothing_is_found(setup: Setup) -> None:
    report = await setup.look()
    assert {each.state for each in report.checks} == {CheckState.OK}, report.to_json()
    assert (report.is_clear, report.exit_status, report.faults) == (True, 0, ())
    told = {each.name: each.detail for each in report.checks}
    assert told["token and organization"] == "developer@emulator.example of Emulated Pathology"
    assert told["contract"].startswith("contract 1.8")
    assert told["store"] == "put, stat, sign, get, delete worked"
    assert list(setup.folder.iterdir()) == [], "it leaves nothing behind"


@pytest.mark.parametrize("name", NAMES)
async def test_each_that_is_broken_is_found_alone(setup: Setup, name: str) -> None:
    await check(setup, name)


@pytest.mark.slow
@pytest.mark.parametrize("pair", list(combinations(NAMES, 2)), ids="+".join)
async def test_two_that_are_broken_are_both_found(setup: Setup, pair: tuple[str, str]) -> None:
    await check(setup, *pair)


@pytest.mark.parametrize(
    ("name", "change", "state", "words"),
    [
        ("deployment", {"AIGNOSTICS_API_ROOT": ""}, CheckState.FAULT, "AIGNOSTICS_API_ROOT"),
        ("contract", {"AIGNOSTICS_CONTRACT": "2.0"}, CheckState.FAULT, "'1.0' or '1.8'"),
        ("token and organization", {"AIGNOSTICS_ACCESS_TOKEN": ""}, CheckState.FAULT, "no credential"),
        ("key ring", {"AIGNOSTICS_TOKEN_STORE": "safe"}, CheckState.FAULT, "AIGNOSTICS_TOKEN_STORE"),
        ("proxy and CA", {}, CheckState.OK, "is reached directly"),
    ],
)
async def test_what_is_set_wrongly_is_named(
    setup: Setup, name: str, change: dict[str, str], state: CheckState, words: str
) -> None:
    setup.variables |= change
    (found,) = [each for each in (await setup.look()).checks if each.name == name]
    assert found.state is state
    assert words in found.detail


@pytest.mark.parametrize("answer", [{"status": 403}, {"status": 404}, {"status": 200, "body": {}}], ids=str)
async def test_an_account_that_nobody_tells_is_no_fault_where_runs_can_be_listed(
    setup: Setup, answer: dict[str, Any]
) -> None:
    setup.faults.append({"operation": "get_me", **answer})
    report = await setup.look()
    assert report.faults == ()
    assert {each.name: each.detail for each in report.checks}[
        "token and organization"
    ] == "the token is accepted"


async def test_a_contract_that_is_set_wrongly_is_found_alone(setup: Setup) -> None:
    setup.variables |= {"AIGNOSTICS_CONTRACT": "2.0"}
    report = await setup.look()
    assert [each.name for each in report.faults] == ["contract"]
    unknown = [each.name for each in report.checks if each.state is CheckState.UNKNOWN]
    assert unknown == ["token and organization", "store"]


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, "ok"), (90, "warning"), (-90, "warning"), (3600, "fault"), (-3600, "fault")]
)
def test_a_clock_may_differ_a_little(seconds: int, state: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    health = Health(HealthStatus.UP, now)
    assert _platform.check_clock(health, now + timedelta(seconds=seconds)).state == state
    assert _platform.check_clock(Health(HealthStatus.UP)).state is CheckState.UNKNOWN


@pytest.mark.parametrize(
    ("status", "state"), [("UP", "ok"), ("DEGRADED", "warning"), ("DOWN", "fault"), ("UNKNOWN", "unknown")]
)
def test_health_is_judged(status: str, state: str) -> None:
    assert _platform.check_health(Health(HealthStatus(status))).state == state


def doctor(emulator: Emulator, folder: Path, *arguments: str, **variables: str) -> Any:
    environment = {**emulator.environment, "XDG_STATE_HOME": str(folder / "state"), **variables}
    return run_here(["doctor", "--folder", folder, *arguments], environment)


def test_the_command_says_what_to_do(emulator: Emulator, tmp_path: Path) -> None:
    emulator.reset(contract="1.8")
    good = doctor(emulator, tmp_path, "--json", "--store", "platform")
    checks = {each["name"]: each for each in json.loads(good.stdout)["checks"]}
    # The disks of whoever runs this are their own.
    faults = {name for name, each in checks.items() if each["state"] == "fault" and "disk" not in name}
    assert faults == set(), good.stdout
    assert checks["store"]["state"] == "warning"
    assert "30 days" in checks["store"]["detail"]
    bad = doctor(emulator, tmp_path, AIGNOSTICS_ACCESS_TOKEN="nobody")
    assert bad.returncode == 6
    assert "aignostics-async login" in bad.stdout
    assert "skipped  store: none was given" in bad.stdout


async def test_settings_of_another_type_are_refused() -> None:
    settings: Any = {"poll_interval": 5}
    with pytest.raises(ConfigurationError, match="settings takes Settings"):
        await check_setup(settings=settings, variables={})


@pytest.mark.parametrize("folder", [5, "a\0b"])
async def test_a_folder_that_is_no_path_is_refused(folder: Any) -> None:
    with pytest.raises(UsageError, match="folder is a path"):
        await check_setup(folder=folder, variables={})
