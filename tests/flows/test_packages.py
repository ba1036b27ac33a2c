"""The packages of a release, installed as users do: on each Python there is, with each extra alone."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parent.parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
USES = {
    "slides": "import asyncio, aignostics_async as a; print(asyncio.run(a.read_slide(a.Slide(sys.argv[1]))))",
    "cli": "from aignostics_async.cli import main; sys.argv[1:] = ['--version']; main()",
    "emulator": (
        "from aignostics_async.emulator.process import Emulator\n"
        "from pathlib import Path\n"
        "with Emulator(Path(sys.argv[2])) as emulator: print(emulator.api_root)"
    ),
    "keyring": "from aignostics_async import KeyringStore; KeyringStore()",
    "stores": (
        "from aignostics_async import Azure, Client\n"
        "Client('https://host.example.com', 'token').store(Azure(container='c', account='a', key='YQ=='))"
    ),
    "cluster": (
        "from aignostics_async.bulk.cluster._connection import load_distributed\n"
        "print(load_distributed().__version__)"
    ),
    "parquet": "import pyarrow.parquet",
}
"""What each extra is for, as a program; its arguments are a slide and an empty folder."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def wheel(packages: Path) -> Path:
    (path,) = packages.glob("*.whl")
    return path


def environment(interpreter: str, folder: Path, *requirements: str) -> Path:
    """Make a virtual environment with some packages, and return its interpreter."""
    subprocess.run([interpreter, "-m", "venv", str(folder)], check=True, timeout=120)
    install(folder / "bin" / "python", *requirements)
    return folder / "bin" / "python"


def install(python: Path, *requirements: str) -> None:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    done = subprocess.run(
        [*command, *constraints, *requirements], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


def use(python: Path, extra: str, slide: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    code = f"import sys\n{USES[extra]}"
    return subprocess.run(
        # Isolated, so that only what is installed counts.
        [python, "-I", "-c", code, slide, folder],
        cwd=python.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_source_distribution_has_all_that_the_wheel_is_made_of(
    packages: Path, wheel: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (direct,) = tmp_path.glob("*.whl")
    assert contents(direct) == contents(wheel)


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def test_nothing_else_is_in_the_wheel(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "src/aignostics_async", "generated"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    ours = {re.sub(r"^(src|generated)/", "", name) for name in tracked}
    contracts = {f"aignostics_async/emulator/openapi{line}.json" for line in ("", "-1.8")}
    installed = {name for name in contents(wheel) if ".dist-info/" not in name}
    assert installed - ours == contracts
    licences = {name.partition("licenses/")[2] for name in contents(wheel) if "licenses/" in name}
    assert licences == {"LICENSE", "scripts/templates/LICENSE"}


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_each_extra_alone(extra: str, wheel: Path, slide_file: Path, tmp_path: Path) -> None:
    """The base install says what is missing, and the command that it names adds it."""
    python = environment(sys.executable, tmp_path / "env", str(wheel))
    (tmp_path / "data").mkdir()
    without = use(python, extra, slide_file, tmp_path / "data")
    assert without.returncode != 0
    if extra != "parquet":  # its program imports what our own function would ask for
        command = re.search(r"pip install '(.+)'", without.stderr)
        assert command is not None, without.stderr
        assert command[1] == f"aignostics-async[{extra}] @ {wheel.as_uri()}"
        install(python, command[1])
    else:
        install(python, f"aignostics-async[parquet] @ {wheel.as_uri()}")
    used = use(python, extra, slide_file, tmp_path / "data")
    assert used.returncode == 0, used.stderr


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_each_python_there_is(version: str, wheel: Path, slide_file: Path, tmp_path: Path) -> None:
    interpreter = shutil.which(f"python{version}")
    if interpreter is None or subprocess.run([interpreter, "-c", ""], check=False, timeout=60).returncode:
        pytest.skip(f"there is no python{version}")
    everything = f"aignostics-async[{','.join(sorted(EXTRAS))}] @ {wheel.as_uri()}"
    python = environment(interpreter, tmp_path / "env", str(wheel))
    imported = subprocess.run([python, "-I", "-c", "from aignostics_async import *"], check=False, timeout=60)
    assert imported.returncode == 0
    install(python, everything)
    for extra in sorted(EXTRAS):
        folder = tmp_path / extra
        folder.mkdir()
        used = use(python, extra, slide_file, folder)
        assert used.returncode == 0, f"{extra}: {used.stderr}"
