"""The notebook of the examples, run by a real kernel, and what somebody sees who forgets an `await`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = [
    pytest.mark.slow,
    pytest.mark.process,
    pytest.mark.parametrize("contract", ["1.8"], indirect=True),
]


@pytest.fixture
def folder(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with slides, and the kernel the environment of somebody who has signed in."""
    for number, width in enumerate((700, 900)):
        write_slide(tmp_path / f"slides/case-{number}.tiff", width=width, height=520)
    for name in [name for name in os.environ if name.startswith("AIGNOSTICS_")]:
        monkeypatch.delenv(name)
    for name, value in {**emulator.environment, "STORE": emulator.store_url}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def outputs(cells: list[Any], folder: Path) -> list[list[Any]]:
    """Run cells in one kernel, and return the outputs of each."""
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    run = NotebookClient(
        notebook, timeout=100, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    run.execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def text(shown: list[Any]) -> str:
    return "\n".join(
        "\n".join(each.traceback)
        if each.output_type == "error"
        else each.get("text") or each.data["text/plain"]
        for each in shown
    )


def test_slides_in_pictures_and_a_table_out(root: Path, folder: Path) -> None:
    path = root / "examples/first_look.ipynb"
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"
    _, slides, submit, watch, download, pictures, table, *_ = outputs(notebook.cells, folder)
    assert "case-0.tiff 700 x 520" in text(slides)
    (bars,) = (each for each in submit if each.output_type == "display_data")
    assert "upload" in bars.data["text/html"]
    assert "<progress" in bars.data["text/html"]
    assert "2 of 2 files" in bars.data["text/plain"]
    assert "case-1 SUCCEEDED" in text(watch)
    assert "6 of 6 files" in text(download)
    assert sum("image/png" in each.get("data", {}) for each in pictures) == 2
    assert "'class': 'tissue'" in text(table)


def test_a_forgotten_await_is_seen(folder: Path) -> None:
    cells = [
        "from aignostics_async import Client\nclient = await Client.from_env().__aenter__()",
        "client.me()",
        "[run for run in client.runs.list()]",
        "with client: pass",
        "import asyncio\nasyncio.run(client.me())",
        "type(await client.me()).__name__",
        "await client.__aexit__(None, None, None)",
    ]
    _, coroutine, listing, block, loop, right, _ = outputs(
        list(map(nbformat.v4.new_code_cell, cells)), folder
    )
    assert "<coroutine object" in text(coroutine)
    assert "async for" in text(listing)
    assert "async with" in text(block)
    assert "asyncio.run() cannot be called from a running event loop" in text(loop)
    assert text(right) == "'Me'", "nothing of it has hurt the client"
