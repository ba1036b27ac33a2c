"""Every status under `/api` that the contract does not document, each with its reason.

A closed list, of which the emulator gives `OWN` by itself: `refusal` and the handler of errors see to that.
(An injected fault answers whatever its rule says.)
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

UNDOCUMENTED = {
    401: "The token is missing, unknown or expired. The contract names the scheme and no status for it.",
    403: "Only by an injected fault: the organization may not do this, or its quota is used up.",
    405: "The path is one of the contract's, the method is not.",
    409: "Cancelling a run that is final, deleting results of one that is not. Later contracts say 409.",
    429: "Only by an injected fault, with or without Retry-After: too many requests.",
    500: "By an injected fault, or a bug of the emulator.",
    501: "The operation is in the contract, which is newer than the emulator: it is not served yet.",
    502: "Only by an injected fault: a gateway has no server behind it.",
    503: "Only by an injected fault, with or without Retry-After: maintenance.",
    504: "Only by an injected fault: a gateway has waited too long.",
}

OWN = frozenset({401, 405, 409, 501})
"""Those that need no injected fault and are no bug."""


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Return the JSON answer for a refusal, if the contract or the list has its status."""
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's type for handlers is wider
    if request.url.path.startswith("/api/") and error.status_code not in {404, *OWN}:
        raise AssertionError(f"{error.status_code} is no status that the emulator gives by itself")
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


def refusal(status: int, detail: str, headers: dict[str, str] | None = None) -> HTTPException:
    """Return the exception that answers with a status of the list."""
    if status not in OWN:
        raise AssertionError(f"{status} is no status that the emulator gives by itself")
    return HTTPException(status, detail, headers)
