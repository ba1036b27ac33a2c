"""Fifty usual mistakes say what docs/reference/mistakes.md says of them: one line, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from mistakes import Mistake, answer, mistakes, prepare

from aignostics_async.emulator.process import Emulator

LISTED = list(mistakes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mistakes")
    prepare(made)
    return made


@pytest.fixture(autouse=True)
def _in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_there_are_fifty() -> None:
    assert len({mistake.written for mistake in LISTED}) == len(LISTED) >= 50
    assert all(mistake.says for mistake in LISTED)


@pytest.mark.parametrize("contract", ["1.8"], indirect=True)
@pytest.mark.parametrize("mistake", LISTED, ids=lambda mistake: mistake.written[:60])
def test_it_says(mistake: Mistake, emulator: Emulator, folder: Path) -> None:
    assert answer(mistake, emulator, folder) == mistake.says
