"""Every status under `/api` that the contract does not document, each with its reason.

A closed list: the emulator refuses to answer with any other, and a test holds it to that.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException

UNDOCUMENTED = {
    401: "The token is missing, unknown or expired. The contract names the scheme and no status for it.",
    403: "Only by an injected fault: the organization may not do this, or its quota is used up.",
    405: "The path is one of the contract's, the method is not.",
    409: "Cancelling a run that is final, deleting results of one that is not. Later contracts say 409.",
    429: "Only by an injected fault, with or without Retry-After: too many requests.",
    500: "By an injected fault, or a bug of the emulator.",
    502: "Only by an injected fault: a gateway has no server behind it.",
    503: "Only by an injected fault, with or without Retry-After: maintenance.",
    504: "Only by an injected fault: a gateway has waited too long.",
}


def refusal(status: int, detail: str, headers: dict[str, str] | None = None) -> HTTPException:
    """Return the exception that answers with a status of the list."""
    if status not in UNDOCUMENTED:
        raise AssertionError(f"{status} is not in the list of undocumented statuses")
    return HTTPException(status, detail, headers)
