"""The one rule for a refused signature: a request is sent once more with another key or URL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import UrlRefused
from .connections._responses import may_have_expired

_Signer = TypeVar("_Signer")
_T = TypeVar("_T")


async def send_renewing(
    signer: _Signer,
    another: Callable[[_Signer], Awaitable[_Signer | None]],
    send: Callable[[_Signer], Awaitable[_T]],
) -> _T:
    """Return what `send` returns with a key or signed URL, or with another one if the first is refused.

    It may have died while the request waited for its connection, or before it was repeated. `another` returns
    what to send with instead of the refused one; None if only the same one can be had.
    """
    try:
        return await send(signer)
    except UrlRefused as refused:
        if not may_have_expired(refused):
            raise
        renewed = await another(signer)
        if renewed is None:
            raise
    return await send(renewed)
