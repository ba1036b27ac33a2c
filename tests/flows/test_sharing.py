"""docs/how-to/share-results.md does what it says, against the emulator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from aignostics_async import Conflict
from aignostics_async.emulator.process import Emulator


@pytest.fixture
def functions(root: Path) -> dict[str, Any]:
    """Give the functions that the page defines."""
    page = (root / "docs/how-to/share-results.md").read_text(encoding="utf-8")
    defined: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        exec(block, defined)
    return defined


async def test_a_grant_is_given_listed_and_ended(emulator: Emulator, functions: dict[str, Any]) -> None:
    (run_id,) = emulator.script({"items": ["a"]})
    async with emulator.client(contract="1.8") as client:
        grant = await functions["share"](client, run_id, "colleague@example.com")
        assert await functions["shared_with"](client, run_id) == ["emulator|colleague@example.com"]
        await functions["end"](client, grant)
        assert await functions["shared_with"](client, run_id) == []
        with pytest.raises(Conflict):
            await functions["end"](client, grant)


async def test_a_share_token_opens_the_run(emulator: Emulator, functions: dict[str, Any]) -> None:
    (run_id,) = emulator.script({"items": ["a"]})
    async with emulator.client(contract="1.8") as client:
        token = await functions["token_for"](client, run_id)
    url = f"{emulator.api_roots['1.8']}/api/v1/runs/{run_id}"
    headers = {"Authorization": f"Bearer {emulator.access_token}"}
    for given, status in ((token, 200), ("another", 403)):
        answer = requests.get(url, params={"share_token": given}, headers=headers, timeout=30)
        assert answer.status_code == status
