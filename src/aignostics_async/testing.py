"""Pytest fixtures for users: an emulator that does not make tests wait.

In your `conftest.py`:

    pytest_plugins = ["aignostics_async.testing"]

and in a test:

    async def test_my_service(aignostics_emulator):
        async with aignostics_emulator.client() as client:
            ...

Needs the extras `emulator` and `cli`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .emulator.process import IMPATIENT, Emulator

__all__ = ["IMPATIENT", "Emulator", "aignostics_emulator"]


@pytest.fixture(scope="session")
def aignostics_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Give an emulator for the whole session, whose runs take no time."""
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator
