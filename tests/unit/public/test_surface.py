"""The public surface: complete, documented, and without a way into private modules."""

from __future__ import annotations

import importlib
import inspect
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import attrs
import pytest
from public_names import PACKAGES

import aignostics_async
from aignostics_async import _exports, bulk, emulator, services
from aignostics_async.bulk import _exports as _bulk_exports
from aignostics_async.emulator import _exports as _emulator_exports
from aignostics_async.services import _exports as _services_exports

ROOT = Path(__file__).parents[3]
HOMES = {
    "aignostics_async": _exports.HOMES,
    "aignostics_async.bulk": _bulk_exports.HOMES,
    "aignostics_async.services": _services_exports.HOMES,
    "aignostics_async.emulator": _emulator_exports.HOMES,
}
PUBLIC = [aignostics_async, bulk, services, emulator]

LAZY = (
    "httpx",
    "aignostics_api",
    "aignostics_api_1_8",
    "openslide",
    "starlette",
    "jsonschema",
    "authlib",
    "obstore",
    "rich",
    "crc32c",
)


@pytest.mark.parametrize("package", PUBLIC)
def test_every_name_is_the_one_of_its_home(package: ModuleType) -> None:
    for name, home in HOMES[package.__name__].items():
        module = importlib.import_module(f"{package.__name__}.{home or name}")
        assert getattr(package, name) is (getattr(module, name) if home else module)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        package.Nothing  # noqa: B018


@pytest.mark.parametrize("package", PUBLIC)
def test_dir_shows_the_public_names_alone(package: ModuleType) -> None:
    homes = HOMES[package.__name__]
    assert dir(package) == sorted(homes)
    assert sorted(package.__all__) == sorted(name for name, home in homes.items() if home)
    assert [name for name in dir(package) if name.startswith("_") and name != "__version__"] == []


def run_script(*arguments: str | Path, script: str = "public_names.py") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.process
def test_the_list_for_type_checkers_is_the_one_that_is_loaded(tmp_path: Path) -> None:
    """A name that is added to `__init__.pyi` alone, or taken out, fails the check until the map is made."""
    assert run_script("--check").stdout == ""
    for package in PACKAGES:
        (tmp_path / package).mkdir(parents=True, exist_ok=True)
        for name in ("__init__.pyi", "_exports.py"):
            shutil.copy(ROOT / package / name, tmp_path / package / name)
    assert run_script("--check", tmp_path).returncode == 0
    stub = tmp_path / "src/aignostics_async/__init__.pyi"
    stub.write_text(stub.read_text().replace("from ._client import Client as Client\n", ""))
    failed = run_script("--check", tmp_path)
    assert failed.returncode == 1
    assert "run scripts/public_names.py" in failed.stdout
    assert run_script(tmp_path).returncode == 0
    assert run_script("--check", tmp_path).returncode == 0
    stub.write_text(stub.read_text() + "from ._hooks import Hooks\n")
    assert "write `Hooks as Hooks`, once" in run_script("--check", tmp_path).stderr


@pytest.mark.process
def test_a_change_of_the_public_surface_is_to_be_written_down(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/public-api.txt", tmp_path / "docs")
    assert run_script("--check", tmp_path, script="public_api.py").stdout == ""
    run = tmp_path / "src/aignostics_async/resources/_run.py"
    run.write_text(run.read_text().replace("async def details(self)", "async def details(self, fresh: bool)"))
    failed = run_script("--check", tmp_path, script="public_api.py")
    assert failed.returncode == 1
    assert "+Run.details: async def details(self, fresh: bool) -> RunDetails:" in failed.stdout
    assert "name each difference in CHANGELOG.md" in failed.stdout


@pytest.mark.process
def test_public_modules_need_no_import_of_their_own() -> None:
    code = "import aignostics_async as a; print(a.errors.NotFound is a.NotFound, a.bulk.BulkJob.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "True BulkJob"


@pytest.mark.parametrize("name", ["Applications", "Hooks", "Operation", "Progress", "Runs", "StoreContext"])
def test_types_for_annotations_are_importable(name: str) -> None:
    assert name in HOMES["aignostics_async"]


@pytest.mark.parametrize("package", PUBLIC)
def test_everything_public_is_documented(package: ModuleType) -> None:
    for name in HOMES[package.__name__]:
        value = getattr(package, name)
        if not inspect.isclass(value) and not inspect.isfunction(value):
            continue
        assert inspect.getdoc(value), name
        if not inspect.isclass(value):
            continue
        for method, member in vars(value).items():
            if inspect.isfunction(member) and not method.startswith("_"):
                assert inspect.getdoc(member), f"{name}.{method}"


@pytest.mark.process
def test_a_command_loads_nothing_of_the_others(tmp_path: Path) -> None:
    code = (
        "import sys; from aignostics_async.cli._app import run; run(sys.argv[1:]);"
        "print([name for name in ('_client', 'bulk._job', 'cli._submit') "
        "if f'aignostics_async.{name}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "bulk", "status", str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "there is no job in" in done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.process
def test_making_a_client_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys; from aignostics_async import Client; Client('https://host.example.com', 'token');"
        f"print([name for name in {LAZY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("package", PUBLIC)
def test_type_checkers_see_every_default(package: ModuleType) -> None:
    """To pyright, a field whose default is a decorated method is a required one."""
    for public in (getattr(package, name) for name in package.__all__):
        if isinstance(public, type) and attrs.has(public):
            methods = list(vars(public).values())
            hidden = [
                each.name
                for each in attrs.fields(public)
                if each.init and hasattr(each.default, "factory") and each.default.factory in methods
            ]
            assert not hidden, f"{public.__name__}: give {', '.join(hidden)} a default or a factory"
