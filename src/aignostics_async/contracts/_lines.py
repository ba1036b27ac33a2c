"""The lines of the contract that this release speaks; a translation is loaded when it is chosen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .._http._api_pool import ApiPool
    from ._protocol import Bridge

OLDEST, NEWEST = "1.0", "1.8"
"""The lines: the published reference, and the one that the live platform speaks."""
_FIRST_OF_NEWEST = 7  # 1.8 only adds to 1.7


def line_of(contract: str, source: str = "contract") -> str:
    """Return the line that a contract belongs to: that of 1.7, 1.8 and their additive successors is `1.8`.

    Raises ConfigurationError for any other; `source` is where it was set.
    """
    found = re.fullmatch(r"1\.(\d{1,4})(\.\d{1,4})?", contract) if isinstance(contract, str) else None
    if found is not None and int(found[1]) == 0:
        return OLDEST
    if found is not None and int(found[1]) >= _FIRST_OF_NEWEST:
        return NEWEST
    raise ConfigurationError(f"{source} is the text {OLDEST!r} or {NEWEST!r}, not {contract!r}")


def open_bridge(line: str, api: ApiPool) -> Bridge:
    """Return the operations of a line over an API pool. Loads no translation of another line."""
    if line == OLDEST:
        from .v1_0._requests import Bridge10

        return Bridge10(api)
    from .v1_8._requests import Bridge18

    return Bridge18(api)
