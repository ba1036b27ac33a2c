"""Every status under `/api` that a contract does not document, each with its reason.

The lists are closed. The emulator answers those of `BY_ITSELF` without a fault rule; the exception handler
enforces that. A fault rule may answer any status.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ._contract import documented_statuses

_ALWAYS = {
    405: "The path exists in the contract, the method does not.",
    421: "The Host header names another server, which may be a DNS rebinding attack; see `--allow-host`.",
    429: "Only by an injected fault, with or without Retry-After: too many requests.",
    500: "By an injected fault, or a bug of the emulator.",
    501: "The contract has this operation and the emulator does not implement it yet.",
    502: "Only by an injected fault: a gateway has no server behind it.",
    503: "Only by an injected fault, with or without Retry-After: maintenance.",
    504: "Only by an injected fault: a gateway timed out.",
}
UNDOCUMENTED = {
    "1.0": {
        401: "The token is missing, unknown or expired. The contract names the scheme and no status for it.",
        402: "The run would exceed the quota that the control API has set. Contract 1.8 documents it.",
        403: "Only by an injected fault: the user or the token's audience may not do this.",
        409: "Cancelling a final run, deleting results of a run that is not final. Later contracts say 409.",
        410: "Only by an injected fault: the results were deleted already. Contract 1.8 documents it.",
        412: "Only by an injected fault: a checksum of metadata is outdated. Contract 1.8 documents it.",
        **_ALWAYS,
    },
    "1.8": {
        401: "The gateway refuses the token, in plain text. Documented for one operation only.",
        403: "Only by an injected fault, where not documented: the gateway refuses the audience.",
        **_ALWAYS,
    },
}
"""The reasons by contract and status."""

BY_ITSELF = {"1.0": frozenset({401, 402, 405, 409, 421, 501}), "1.8": frozenset({401, 405, 421, 501})}
"""The statuses of each contract that need no injected fault and are no bug."""


class PlainRefusal(HTTPException):
    """An answer of the gateway in front of the API, in plain text."""


class RefusalHandler:
    """Makes answers of HTTPExceptions, with statuses that a contract documents or its list has."""

    def __init__(self, contract: str) -> None:
        self._contract = contract

    async def __call__(self, _request: Request, error: Exception) -> Response:
        """Return the answer for an HTTPException; raises AssertionError for any other status."""
        assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's type for handlers is wider
        allowed = {404, *documented_statuses(self._contract), *BY_ITSELF[self._contract]}
        if error.status_code not in allowed:
            raise AssertionError(f"the emulator does not answer {error.status_code} by itself")
        if isinstance(error, PlainRefusal):
            # Without a charset, as the gateway writes it.
            return Response(error.detail, error.status_code, {"content-type": "text/plain"})
        return answer_as_json(error)


def answer_as_json(error: HTTPException) -> Response:
    """Return the answer for an HTTPException in the shape of the API."""
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
