"""Compare a deployment's own document with what this release was built for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ._config import as_settings
from ._core._json import NoJson, decode_json
from ._core._urls import check_root
from ._environment_variables import choose_contract
from .contracts._drift import ContractDrift, compare
from .errors import InvalidResponse

if TYPE_CHECKING:
    from ._config import Settings

_INVENTORY = Path(__file__).parent / "contracts" / "inventory.json"


async def check_contract(
    api_root: str, *, contract: str | None = None, settings: Settings | None = None
) -> tuple[ContractDrift, ...]:
    """Return the differences between a deployment's OpenAPI document and what the SDK reads and sends.

        drifts = await check_contract("https://platform.aignostics.com")
        assert not [each for each in drifts if each.severity == "breaking"]

    The tuple has a `ContractDrift` for each, breaking ones first, and may be empty. `api_root` is the URL of
    the deployment, without `/api`. `contract` is the contract to compare with, `"1.0"` or `"1.8"`: by default
    the one that a client would speak, which is AIGNOSTICS_CONTRACT, else that of a known deployment, else
    1.8. `settings` supply timeouts, TLS and proxy, by default those of `Settings()`. Costs one request, to
    `/api/v1/openapi.json`, which carries no token and is not repeated.

    Raises ConfigurationError for an invalid root or contract, settings of another type, or a proxy or
    certificates that can't be used; ConnectionFailed if there was no complete response within 30 s or
    `Settings.timeouts`; APIStatusError for a status that is not 2xx; and InvalidResponse for a response that
    can't be decoded, is not an OpenAPI document, or has 16 MiB or more.
    """
    from ._http._document import fetch_document

    try:
        root = check_root(api_root)
    finally:
        del api_root  # it may hold a password, and tracebacks show the variables of this frame
    line = choose_contract(root, contract, os.environ)
    content = await fetch_document(root, as_settings(settings))
    try:
        document = decode_json(content)
    except NoJson as error:
        reason = str(error)
    else:
        inventory = json.loads(_INVENTORY.read_text(encoding="utf-8"))
        return tuple(compare(inventory[line], document))
    raise InvalidResponse(reason, operation="read the contract")
