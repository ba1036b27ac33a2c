"""`contract`: what a deployment speaks."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import App, Parameter

from .. import check_contract, read_api_root
from ._options import Json
from ._output import jsonable, out, print_json

app = App(
    name="contract",
    help="What a deployment speaks, and whether this release understands it.\n\n"
    "Example: `aignostics-async contract check`",
)
_ADDITIVE, _BREAKING = 2, 3


@app.command
async def check(
    root: str | None = None,
    /,
    *,
    contract: Annotated[str | None, Parameter(help="1.0 or 1.8; by default as a client would.")] = None,
    as_json: Json = False,
) -> int:
    """Compare a deployment's own document with what the SDK reads and sends. Needs no login.

    Ends with 0 if nothing differs, with 2 if something is new, and with 3 if something breaks; the operations
    are named. Other failures end with 1.

    Example: `aignostics-async contract check`

    Parameters
    ----------
    root
        The root of a deployment, without /api; by default the one of the environment.
    """
    drifts = await check_contract(root or read_api_root(os.environ), contract=contract)
    if as_json:
        print_json([jsonable(each) for each in drifts])
    else:
        for each in drifts:
            out(str(each))
        out(f"{len(drifts)} differences" if drifts else "nothing differs")
    if any(each.severity == "breaking" for each in drifts):
        return _BREAKING
    return _ADDITIVE if drifts else 0
