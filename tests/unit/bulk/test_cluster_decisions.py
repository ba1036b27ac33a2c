"""What is decided about a cluster before it is used, and who runs alone on it: without a cluster."""

from __future__ import annotations

import asyncio
import pickle
import sys
from concurrent.futures import CancelledError
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import anyio
import anyio.lowlevel
import pytest

from aignostics_async import ClusterLost, ClusterRefused, MissingExtra, Settings, StaticToken, UsageError
from aignostics_async.bulk import ClusterTls, DaskEngine
from aignostics_async.bulk.cluster import _worker_tools
from aignostics_async.bulk.cluster._connection import (
    check_addresses,
    connect,
    load_distributed,
    local_cluster,
    read_scheduler_file,
    security_for,
)
from aignostics_async.bulk.cluster._crowd import Crowd
from aignostics_async.bulk.cluster._handshake import check_versions, remarks, stays
from aignostics_async.bulk.cluster._open_engine import OpenDaskEngine
from aignostics_async.bulk.cluster._requests import WorkerFacts, WorkerSetup
from aignostics_async.bulk.cluster._sealed import Sealed
from aignostics_async.bulk.cluster._worker_tools import open_tools, tools_for, worker_source
from aignostics_async.bulk.database._samples import Stage
from aignostics_async.cli.bulk._engine_options import EngineOptions

ABLE = WorkerFacts(api=None, user="u", store=None, sees_results=True)
ROOT = "https://platform.example.com"


def versions(**worker: str | None) -> dict[str, Any]:
    here = {"python": "3.11.7.final.0", "aignostics_async": "1.0", "distributed": "2026.8.0"}
    side = {"packages": here}
    return {"client": side, "scheduler": side, "workers": {"tls://w": {"packages": {**here, **worker}}}}


@pytest.mark.parametrize(
    "address",
    ["tcp://10.0.0.1:8786", "head:8786", "ws://127.0.0.1:1", "tcp://[::]:1", "ucx://127.0.0.1:1", "tcp://[:"],
)
def test_off_this_machine_a_cluster_is_protected(address: str) -> None:
    with pytest.raises(ClusterRefused, match="must use TLS"):
        check_addresses(address)
    with pytest.raises(ClusterRefused, match="a worker at"):
        check_addresses("tls://head:8786", [address])


@pytest.mark.parametrize("address", ["tls://head:8786", "tcp://127.0.0.1:1", "localhost:1", "tcp://[::1]:1"])
def test_a_protected_cluster_is_used(address: str) -> None:
    check_addresses(address, [address])


def test_differences_of_versions_are_named() -> None:
    check_versions(versions(python="3.11.9.final.0"))
    told = versions(python="3.12.1.final.0", aignostics_async=None)
    with pytest.raises(ClusterRefused, match=r"python is 3\.11 here and 3\.12 on tls://w") as refused:
        check_versions(told)
    assert refused.value.differences[1] == "aignostics-async is 1.0 here and missing on tls://w"


@pytest.mark.parametrize(
    ("facts", "options", "staying"),
    [
        (ABLE, {}, set()),
        (WorkerFacts(api="x", user=None, store=None, sees_results=True), {}, {Stage.DOWNLOAD}),
        (
            WorkerFacts(api="x", user=None, store=None, sees_results=True),
            {"store_needs_api": True},
            {Stage.UPLOAD, Stage.DOWNLOAD},
        ),
        (WorkerFacts(api=None, user="v", store=None, sees_results=True), {}, {Stage.DOWNLOAD}),
        (WorkerFacts(api=None, user="u", store="x", sees_results=False), {}, {Stage.UPLOAD, Stage.DOWNLOAD}),
        (ABLE, {"has_address": False}, {Stage.UPLOAD}),
    ],
    ids=["able", "no login", "store by login", "another user", "no store, no folder", "store object"],
)
def test_what_one_worker_can_t_do_stays(facts: WorkerFacts, options: Any, staying: set[Stage]) -> None:
    told = {"user": "u", "has_address": True, "store_needs_api": False, **options}
    found = stays({"tls://a": ABLE, "tls://b": facts}, **told)
    assert set(found) == staying
    assert len(remarks(found)) == len(staying)


def setup() -> WorkerSetup:
    nothing: Any = None
    return WorkerSetup(
        api_root=ROOT, contract="1.8", store=None, store_endpoint=None, checksums="auto", decode=False,
        seconds_per_slide=1.0, settings=Settings(), salt="", mark=nothing, mark_content="",
    )  # fmt: skip


async def test_tools_are_open_for_as_long_as_a_task_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_worker_tools, "_IDLE_SECONDS", 0.0)
    tools = tools_for(Sealed.of(setup()), 1)
    async with tools:
        async with tools:
            pass
        for _ in range(3):  # the loop gets to its timers
            await asyncio.sleep(0)
        assert open_tools() == [tools], "another task uses them"
    with anyio.fail_after(10):
        while open_tools():  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"AIGNOSTICS_ACCESS_TOKEN": "token"}, None),
        ({"AIGNOSTICS_CLIENT_ID": "id", "AIGNOSTICS_CLIENT_SECRET": "s"}, None),
        ({"AIGNOSTICS_CLIENT_ID": "id", "AIGNOSTICS_REFRESH_TOKEN": "r"}, "refresh token"),
        ({"AIGNOSTICS_CLIENT_ID": "id"}, "refresh token"),
        ({}, "no credential is set"),
        ({"AIGNOSTICS_ACCESS_TOKEN": "t", "AIGNOSTICS_API_ROOT": "https://other.example.com"}, "another"),
    ],
    ids=["access token", "client credentials", "refresh token", "login", "nothing", "other platform"],
)
def test_a_worker_uses_no_credential_that_rotates(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], reason: str | None
) -> None:
    own = {"AIGNOSTICS_API_ROOT": ROOT, "AIGNOSTICS_TOKEN_URL": f"{ROOT}/token", **variables}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    source, problem = worker_source(setup())
    assert (problem is None) == (reason is None)
    assert reason is None or (reason in (problem or "") and not isinstance(source, StaticToken))


def test_what_travels_shows_nothing() -> None:
    sealed = Sealed.of({"path": "/slides/case-7.svs"})
    assert repr(sealed) == str(sealed) == "Sealed(...)"
    assert pickle.loads(pickle.dumps(sealed)).open() == {"path": "/slides/case-7.svs"}


async def test_a_suspect_runs_alone() -> None:
    crowd, under_way, most_beside = Crowd(), set[str](), [0]

    async def member(name: str) -> None:
        async with crowd.together():
            under_way.add(name)
            await anyio.lowlevel.checkpoint()
            under_way.discard(name)

    async def suspect() -> None:
        async with crowd.alone():
            for _ in range(3):
                most_beside.append(len(under_way))
                await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(member, str(number))
            if number % 7 == 0:
                group.start_soon(suspect)
    assert max(most_beside) == 0


def test_an_engine_needs_one_cluster(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: list[dict[str, Any]] = [
        {},
        {"scheduler": "tls://a", "local_workers": 2},
        {"scheduler": 8786},
        {"scheduler": "tls://a", "tls": "ca.pem"},
        *({"local_workers": number} for number in (0, "2", True)),
    ]
    for options in wrong:
        with pytest.raises(UsageError):
            DaskEngine(**options)
    with pytest.raises(UsageError, match="a certificate or key is a path, not int"):
        ClusterTls(ca=5, cert="cert.pem")  # type: ignore[arg-type]
    with pytest.raises(ClusterRefused, match="has the scheduler been started"):
        read_scheduler_file(tmp_path / "scheduler.json")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match="needs the cluster extra"):
        load_distributed()


@pytest.mark.slow
@pytest.mark.process
async def test_workers_that_do_not_start_are_told() -> None:
    pytest.importorskip("distributed")  # it adds its defaults to what is changed here
    config = pytest.importorskip("dask").config
    broken = config.set({"distributed.worker.preload": ["no_such_module"]})
    with broken, pytest.raises(ClusterLost, match="the workers on this machine can't be started"):
        async with local_cluster(1):
            pass


async def test_what_dask_itself_refuses_is_told(tmp_path: Path) -> None:
    security = pytest.importorskip("distributed").Security.temporary()
    for address in ("tls://127.0.0.1", "tcp://127.0.0.1:1"):  # without a port, and without TLS
        with pytest.raises(ClusterRefused, match=f"{address} can't be used"):
            async with connect(address, security):
                pass
    no_certificate = tmp_path / "ca.pem"
    no_certificate.write_text("none")
    address = "tls://127.0.0.1:1"
    tls = ClusterTls(ca=no_certificate, cert=no_certificate)
    with pytest.raises(ClusterRefused, match="there is no file"):
        security_for(address, ClusterTls(ca="a" * 300, cert=no_certificate))  # too long to be looked at
    with pytest.raises(ClusterRefused, match="check the PEM files"):
        async with connect(address, security_for(address, tls)):
            pass


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "dask"},
        {"engine": "local", "scheduler": "tls://a"},
        {"scheduler": "tls://a", "local_cluster": 2},
        {"scheduler": "tls://a", "tls_cert": "cert.pem"},
    ],
)
def test_options_that_name_no_one_engine_are_refused(options: Any) -> None:
    with pytest.raises(UsageError):
        EngineOptions(**options).open(None)


@pytest.mark.parametrize(
    "error", [OSError("in <TLS local=tls://a remote=tls://b>: Stream is closed"), CancelledError()]
)
async def test_a_connection_that_breaks_is_the_end_of_the_scheduler(error: BaseException) -> None:
    engine = OpenDaskEngine.__new__(OpenDaskEngine)
    engine._gone = asyncio.get_running_loop().create_future()
    with pytest.raises(ClusterLost, match=r"^the scheduler of the cluster is gone, or was restarted$"):
        await engine._result(SimpleNamespace(result=AsyncMock(side_effect=error)))
