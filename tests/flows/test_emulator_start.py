"""Starting an emulator: wrong options, earlier starts, files that hold secrets, inputs that are hostile."""

from __future__ import annotations

import inspect
import socket
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from operator import attrgetter, methodcaller
from pathlib import Path

import pytest
import requests
from support import has_ipv6

from aignostics_async import (
    ConfigurationError,
    InputArtifact,
    Item,
    ItemStatus,
    RunStatus,
    Slide,
    UsageError,
)
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.emulator


def start(*options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aignostics_async.cli", "emulator", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_wrong_options_are_one_text(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "emulator.sqlite3").write_bytes(b"no database, but a long enough text" * 100)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        wrong: list[tuple[str | Path, ...]] = [
            ("--data", tmp_path / "file"),
            ("--data", tmp_path / "broken"),
            ("--data", tmp_path / "a", "--port", port),
            ("--data", tmp_path / "b", "--port", "70000"),
            ("--data", tmp_path / "c", "--speed", "0"),
            ("--data", tmp_path / "d", "--ready-file", tmp_path / "none" / "ready.json"),
        ]
        for options in wrong:
            done = start(*options)
            assert done.returncode == 2, (options, done.stderr)
            assert done.stderr.startswith("error: "), done.stderr
            assert "Traceback" not in done.stderr


def test_what_holds_secrets_is_the_owner_s_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    with Emulator(data):
        for path in data.glob("emulator.sqlite3*"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        for name in ("objects", "scratch"):
            assert stat.S_IMODE((data / name).stat().st_mode) == 0o700, name


NEEDS_A_PROCESS: dict[str, Callable[[Emulator], object]] = {
    name: attrgetter(name) if isinstance(member, property) else methodcaller(name)
    for name, member in inspect.getmembers(Emulator)
    if not name.startswith("_") and name not in ("start", "stop", "kill")
}


@pytest.mark.parametrize("use", NEEDS_A_PROCESS.values(), ids=NEEDS_A_PROCESS)
def test_an_emulator_that_was_not_started_says_so(tmp_path: Path, use: Callable[[Emulator], object]) -> None:
    emulator = Emulator(tmp_path)
    emulator.stop()
    emulator.kill()
    with pytest.raises(UsageError, match="not running"):
        use(emulator)


def die(emulator: Emulator) -> None:
    """End the process as a crash does, unknown to its object."""
    process = emulator._process
    assert process is not None
    process.kill()
    process.wait()


@pytest.mark.parametrize("end", [Emulator.stop, Emulator.kill, die])
def test_an_emulator_that_has_ended_says_so(tmp_path: Path, end: Callable[[Emulator], None]) -> None:
    with Emulator(tmp_path, static_token=None) as emulator:
        assert emulator.access_token != "None"
        with pytest.raises(ConfigurationError, match="contract is"):
            emulator.client(contract="2.0")
        with pytest.raises(UsageError, match="running already"):
            emulator.start()
        end(emulator)
        for use in NEEDS_A_PROCESS.values():
            with pytest.raises(UsageError, match="not running"):
                use(emulator)


def test_a_later_start_forgets_the_static_token_and_sweeps_up(tmp_path: Path) -> None:
    data = tmp_path / "data"

    def status(emulator: Emulator, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{emulator.api_root}/api/v1/applications"
        return requests.get(url, headers=headers, timeout=30).status_code

    with Emulator(data, static_token="one") as emulator:
        assert status(emulator, "one") == 200
        refresh_token = emulator.refresh_token
    (data / "scratch" / "left").mkdir()
    (data / "objects" / "0123.part").touch()
    with Emulator(data, static_token="two") as emulator:
        assert [status(emulator, token) for token in ("one", "two")] == [401, 200]
        form = {
            "grant_type": "refresh_token",
            "client_id": emulator.client_id,
            "refresh_token": refresh_token,
        }
        assert requests.post(emulator.token_url, data=form, timeout=30).ok
    assert list((data / "scratch").iterdir()) == []
    assert list((data / "objects").iterdir()) == []


@pytest.mark.parametrize("host", ["::1", "0.0.0.0"])
async def test_other_addresses(host: str, tmp_path: Path) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with Emulator(tmp_path / "data", host=host) as emulator:
        async with emulator.client() as client:
            assert [application async for application in client.applications.list()]


def test_a_fault_rule_that_is_none_is_refused(emulator: Emulator) -> None:
    headers = {"Authorization": f"Bearer {emulator.access_token}"}
    for rules in ([{"path": "("}], [{"colour": "red"}], 3, [3]):
        url = f"{emulator.api_root}/emulator/faults"
        assert requests.post(url, json=rules, headers=headers, timeout=30).status_code == 422


async def test_a_hostile_zip_is_its_own_item_s_trouble(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("../../a.dcm", b"no slide")
    content = plain.read_bytes()
    hostile = {
        "encrypted": content.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
        ),
        "unknown method": content.replace(b"\x14\x00\x00\x00\x00\x00", b"\x14\x00\x00\x00\x63\x00"),
        "path": content,
        "cut": content[:-10],
    }
    async with emulator.client() as client:
        store = client.store(emulator.store_url)

        async def item(reference: str, path: Path) -> Item:
            stored = await store.put(f"zips/{reference}", path)
            metadata = {"width": 10, "height": 10, "width_mpp": 0.5, "height_mpp": 0.5}
            metadata["checksum_base64_crc32c"] = stored.crc32c or ""  # type: ignore[assignment]
            url = await store.presign_get(stored.uri, 3600)
            return Item(reference, artifacts=[InputArtifact("slide", url, metadata)])

        items = [await item("good", slide.path)]
        for name, body in hostile.items():
            (tmp_path / name).write_bytes(body)
            items.append(await item(name, tmp_path / name))
        run = await client.runs.create("he-tme:v1.0.0", items)
        assert (await run.wait()).status == RunStatus.COMPLETED_WITH_ERROR
        results = {each.reference: each.status async for each in run.results()}
    assert results.pop("good") == ItemStatus.SUCCEEDED
    assert set(results.values()) == {ItemStatus.ERROR_USER}, results
    assert not (tmp_path.parent / "a.dcm").exists()


FORKS = """
import os, sys
from pathlib import Path
from aignostics_async.emulator.process import Emulator

with Emulator(Path(sys.argv[1])) as emulator:
    root = emulator.api_root
    child = os.fork()
    if not child:
        os._exit(emulator.api_root != root)
    assert os.waitpid(child, 0)[1] == 0
    assert emulator.api_root == root
"""


def test_a_fork_uses_the_emulator_of_its_parent(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
