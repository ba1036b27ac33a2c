"""Every status under `/api` that the contract does not document, each with its reason.

The list is closed. The emulator answers `BY_ITSELF` without a fault rule; `refusal` and the exception handler
enforce that. A fault rule may answer any status.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

UNDOCUMENTED = {
    401: "The token is missing, unknown or expired. The contract names the scheme and no status for it.",
    402: "Only by an injected fault: the run would exceed a quota. Contract 1.8 documents it.",
    403: "Only by an injected fault: the user or the token's audience may not do this.",
    405: "The path exists in the contract, the method does not.",
    409: "Cancelling a final run, deleting results of a run that is not final. Later contracts say 409.",
    410: "Only by an injected fault: the results were deleted already. Contract 1.8 documents it.",
    412: "Only by an injected fault: a checksum of metadata is outdated. Contract 1.8 documents it.",
    421: "The Host header names another server, which may be a DNS rebinding attack; see `--allow-host`.",
    429: "Only by an injected fault, with or without Retry-After: too many requests.",
    500: "By an injected fault, or a bug of the emulator.",
    501: "The contract has this operation and the emulator does not implement it yet.",
    502: "Only by an injected fault: a gateway has no server behind it.",
    503: "Only by an injected fault, with or without Retry-After: maintenance.",
    504: "Only by an injected fault: a gateway timed out.",
}

BY_ITSELF = frozenset({401, 405, 409, 421, 501})
"""The statuses that need no injected fault and are no bug."""


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Return the JSON answer for an HTTPException with a documented or listed status."""
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's type for handlers is wider
    if request.url.path.startswith("/api/") and error.status_code not in {404, *BY_ITSELF}:
        raise AssertionError(f"the emulator does not answer {error.status_code} by itself")
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


def refusal(status: int, detail: str, headers: dict[str, str] | None = None) -> HTTPException:
    """Return the exception that answers with a status of the list."""
    if status not in BY_ITSELF:
        raise AssertionError(f"the emulator does not answer {status} by itself")
    return HTTPException(status, detail, headers)
