"""The Python of the README and of the documentation runs as it is pasted."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest
from reference_pages import TOPICS, write_pages

import aignostics_async
from aignostics_async import AignosticsError
from aignostics_async._exports import HOMES
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

# What is spoken where nothing else is said.
both = pytest.mark.one_contract("1.8")
STORE = "s3://bucket/prefix"
QUICK = "from aignostics_async.emulator.process import IMPATIENT\n"
ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if "reference/python" not in page.as_posix() and "```python" in page.read_text(encoding="utf-8")
)


def blocks_of(page: str, emulator: Emulator | None = None) -> list[str]:
    """Return the blocks of Python of a page, with the emulator's store and a short poll interval."""
    found = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    if emulator is None:
        return found
    return [
        block.replace(STORE, emulator.store_url).replace("from_env()", "from_env(settings=IMPATIENT)")
        for block in found
    ]


def run(folder: Path, emulator: Emulator, program: str) -> None:
    write_slide(folder / "slides/case-7.tiff", width=700, height=520)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIGNOSTICS_")},
        **emulator.environment,
        "AIGNOSTICS_TOKEN_URL": emulator.token_url,
        "STORE": emulator.store_url,
    }
    done = subprocess.run(
        [sys.executable, "-c", QUICK + program],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def in_main(blocks: list[str], *, client: bool) -> str:
    """Return a program that runs blocks one after the other, with an open client if they need one."""
    program = "import asyncio\nfrom aignostics_async import Client\n\n\nasync def main() -> None:\n"
    depth = 4
    if client:
        program += "    async with Client.from_env(settings=IMPATIENT) as client:\n"
        depth = 8
    return program + indent("\n".join(blocks), " " * depth) + "\n\nasyncio.run(main())\n"


@both
def test_the_first_program_runs(tmp_path: Path, emulator: Emulator) -> None:
    first, fixture = blocks_of("README.md", emulator)
    assert "aignostics_emulator" in fixture  # tests/flows/test_testing.py runs it
    run(tmp_path, emulator, first)
    assert list((tmp_path / "results").rglob("*.*")), "it has downloaded results"


@both
def test_the_tour_runs_inside_a_client(tmp_path: Path, emulator: Emulator) -> None:
    run(tmp_path, emulator, in_main(blocks_of("docs/tutorial/tour.md", emulator), client=True))


@both
def test_the_first_run_is_one_program_after_the_other(tmp_path: Path, emulator: Emulator) -> None:
    slide, program = blocks_of("docs/tutorial/first-run.md", emulator)
    subprocess.run([sys.executable, "-c", slide], cwd=tmp_path, check=True, timeout=60)
    run(tmp_path, emulator, f"{slide}\n{program}")
    assert list((tmp_path / "results/case-1").rglob("*.*")), "it has downloaded results"


@both
def test_the_cells_of_a_notebook_run_in_one_loop(tmp_path: Path, emulator: Emulator) -> None:
    first, last, task = blocks_of("docs/how-to/notebooks.md", emulator)
    run(tmp_path, emulator, in_main([first, task, last], client=False))


@both
def test_a_run_is_found_again(tmp_path: Path, emulator: Emulator) -> None:
    run(tmp_path, emulator, in_main(blocks_of("docs/how-to/find-a-run.md", emulator), client=True))


@both
def test_the_service_answers(tmp_path: Path, emulator: Emulator) -> None:
    service, *_ = blocks_of("docs/how-to/services.md", emulator)
    asked = """
from fastapi.testclient import TestClient

with TestClient(app) as browser:
    assert browser.get("/runs/00000000-0000-0000-0000-000000000000").status_code == 404
    assert browser.get("/runs/7").status_code == 422
"""
    run(tmp_path, emulator, service + asked)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_is_python(page: Path) -> None:
    for block in blocks_of(page.as_posix()):
        compile(block, page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_links_to_files_lead_to_some() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        files = [link for link in links if ":" not in link and "reference/python" not in link]
        assert [link for link in files if not (page.parent / link).exists()] == [], page


def test_every_public_name_has_a_page(tmp_path: Path) -> None:
    write_pages(tmp_path)
    pages = {page.stem for page in (tmp_path / "reference/python").iterdir()}
    assert pages >= {topic.file for topic in TOPICS} | {"bulk", "services", "emulator"}
    assert "aignostics-async bulk resume" in (tmp_path / "reference/commands.md").read_text(encoding="utf-8")


def test_each_error_has_a_remedy() -> None:
    text = (ROOT / "docs/reference/remedies.md").read_text(encoding="utf-8")
    told = {
        name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"\w+", row)
    }
    public = [getattr(aignostics_async, name) for name in HOMES]
    errors = [each for each in public if isinstance(each, type) and issubclass(each, AignosticsError)]
    bases = {base for error in errors for base in error.__bases__}
    assert {error.__name__ for error in errors if error not in bases} <= told
