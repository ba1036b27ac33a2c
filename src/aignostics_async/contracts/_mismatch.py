"""How a server shows that it speaks another contract than the client, and what the errors say then.

Only a suspicion: an error stays what it is, and ends with the setting to try. An empty listing, or the 404 of
an id, looks the same under every contract and is no sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..errors import APIStatusError, add_advice

if TYPE_CHECKING:
    from .._http._api_pool import ApiPool
    from .._http._client import Response

# What the framework behind the API answers to a path that it does not know, whatever the id in it.
_NO_ROUTE = "Not Found"
# Every line has these paths, so it is another server, or only an id, that is not found.
_IN_ALL_LINES = re.compile(r"/v1/(applications|runs(/[^/]+(/cancel)?)?)$")
_REFUSED = frozenset({400, 422})


@frozen(kw_only=True)
class Signature:
    """What tells one line of the contract from the line that the client speaks."""

    line: str
    """The line whose signature it is."""
    fields: frozenset[str]
    """Fields of its requests and responses that the client's line does not have."""
    not_sortable: frozenset[str]
    """Fields that the client sorts by, and that this line does not have."""

    @property
    def advice(self) -> str:
        """What to try, as the last sentence of an error."""
        return (
            f"The server seems to speak contract {self.line}: make the client with "
            f"contract={self.line!r}, or set AIGNOSTICS_CONTRACT={self.line}."
        )

    def shows_in(self, entry: Any) -> bool:
        """Whether an entry that could not be read has fields of this line."""
        return isinstance(entry, dict) and bool(self.fields & entry.keys())

    def explains(self, error: APIStatusError, sort: Iterable[str] = ()) -> bool:
        """Whether an error is what this line answers to a request of the client's line, sorted by `sort`."""
        if error.status == 404:
            return has_no_route(error) and _IN_ALL_LINES.search(error.path) is None
        words = set(re.findall(r"\w+", error.detail))
        # The answer may list what can be sorted by, so only what was sent counts.
        sent = {field.lstrip("+-") for field in sort} if "sort" in words else frozenset[str]()
        strange = self.fields | (self.not_sortable & sent)
        return error.status in _REFUSED and bool(words & strange)


def has_no_route(error: APIStatusError) -> bool:
    """Whether the framework may have answered, and no operation of the API, which may use its words."""
    return error.detail == _NO_ROUTE


async def send(api: ApiPool, other: Signature, operation: str, **request: Any) -> Response:
    """Send a request as `ApiPool.send` does; an error that the other line explains says so."""
    try:
        return await api.send(operation, **request)
    except APIStatusError as error:
        if other.explains(error, request.get("params", {}).get("sort", ())):
            add_advice(error, other.advice)
        raise
