"""Compare a deployment's own document with what this release was built for."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ._config import Settings
from ._core._json import NoJson, decode_json
from ._core._urls import check_root
from ._environment_variables import choose_contract
from .contracts._drift import ContractDrift, compare
from .errors import InvalidResponse

_INVENTORY = Path(__file__).parent / "contracts" / "inventory.json"


async def check_contract(
    api_root: str, *, contract: str | None = None, settings: Settings | None = None
) -> tuple[ContractDrift, ...]:
    """Return how a deployment's document differs from what the SDK reads and sends; empty if it does not.

        drifts = await check_contract("https://platform.aignostics.com")
        assert not [each for each in drifts if each.severity == "breaking"]

    Breaking differences come first. `contract` is the one to compare with, by default the one that a client
    would speak: AIGNOSTICS_CONTRACT, else that of a known deployment, else 1.8. `settings` supply timeouts,
    TLS and proxy, by default those of `Settings()`. The document is at `/api/v1/openapi.json`, and no token
    is sent. Costs one request, which is not repeated.

    Raises ConfigurationError for an invalid root or contract, or for a proxy or certificates that can't be
    used; ConnectionFailed if there was no response; APIStatusError for an error status; and InvalidResponse
    for a response that is not an OpenAPI document.
    """
    from ._http._document import fetch_document

    try:
        root = check_root(api_root)
    finally:
        del api_root  # it may hold a password, and tracebacks show the variables of this frame
    line = choose_contract(root, contract, os.environ)
    content = await fetch_document(root, settings or Settings())
    try:
        document = decode_json(content)
    except NoJson as error:
        reason = str(error)
    else:
        inventory = json.loads(_INVENTORY.read_text(encoding="utf-8"))
        return tuple(compare(inventory[line], document))
    raise InvalidResponse(reason, operation="read the contract")
