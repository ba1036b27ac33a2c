"""The documents of the contracts that the emulator serves."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_EMULATOR = Path(__file__).resolve().parent.parent
_TOP = _EMULATOR.parents[2]
# Beside the emulator in an installed wheel, at the top of a checkout.
_FILES = {
    "1.0": (_EMULATOR / "openapi.json", _TOP / "openapi.json"),
    "1.8": (_EMULATOR / "openapi-1.8.json", _TOP / "contracts" / "1.8" / "openapi.json"),
}
DOCUMENT_PATH = "/v1/openapi.json"
"""Where a deployment publishes its own document, below `/api`."""


@cache
def document_bytes(contract: str) -> bytes:
    """Return the OpenAPI document of a contract as it is stored."""
    for path in _FILES[contract]:
        if path.is_file():
            return path.read_bytes()
    raise FileNotFoundError(f"{_FILES[contract][0].name} is missing; install the package again")


@cache
def load_document(contract: str) -> dict[str, Any]:
    """Return the OpenAPI document of a contract. It is shared: do not change it."""
    document: dict[str, Any] = json.loads(document_bytes(contract))
    return document


@cache
def documented_statuses(contract: str) -> frozenset[int]:
    """Return every status that a contract documents for any of its operations."""
    return frozenset(
        int(status)
        for operations in load_document(contract)["paths"].values()
        for operation in operations.values()
        for status in operation["responses"]
    )
