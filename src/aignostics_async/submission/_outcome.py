"""What a request for a run came to: the one table of statuses and failures of POST /v1/runs. Pure.

A run costs money, so only what proves that nothing was created counts as "not created". `docs/contract.md`
gives the reason for every row.
"""

from __future__ import annotations

from enum import StrEnum

from ..errors import (
    AignosticsError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    InvalidSubmission,
    TokenEndpointUnavailable,
    UsageError,
)


class CreationOutcome(StrEnum):
    """What one POST /v1/runs came to. Whatever is not listed elsewhere is UNKNOWN."""

    CREATED = "CREATED"
    """The platform named the run."""
    NOT_SENT = "NOT_SENT"
    """Not created: no request left. The same request may be sent again."""
    REFUSED = "REFUSED"
    """Not created: the platform can't accept this request. Another one may do."""
    LATER = "LATER"
    """Not now: the platform asks to send the same request later."""
    UNAUTHORIZED = "UNAUTHORIZED"
    """Not now: the token was not accepted. It may have just expired, and then a newer one will do."""
    STOP = "STOP"
    """Not created, nor will any other request be until a person changes something."""
    UNKNOWN = "UNKNOWN"
    """A run may have been created."""


_BY_STATUS = {
    400: CreationOutcome.REFUSED,
    401: CreationOutcome.UNAUTHORIZED,
    402: CreationOutcome.STOP,
    403: CreationOutcome.STOP,
    404: CreationOutcome.STOP,
    413: CreationOutcome.REFUSED,
    422: CreationOutcome.REFUSED,
    429: CreationOutcome.LATER,
}
_BEFORE_THE_API = frozenset({401, 403})
"""Statuses with which the gateway answers in plain text, before it asks the API."""


_BY_KIND: tuple[tuple[type[AignosticsError], CreationOutcome], ...] = (
    (TokenEndpointUnavailable, CreationOutcome.NOT_SENT),
    (InvalidSubmission, CreationOutcome.REFUSED),
    # Raised before anything is sent, or after a 401 that could not be answered with a newer token.
    (AuthenticationError, CreationOutcome.STOP),
    (ConfigurationError, CreationOutcome.STOP),
    (UsageError, CreationOutcome.STOP),
)


def creation_outcome(error: AignosticsError | None) -> CreationOutcome:
    """Return the outcome of a request for a run that raised `error`, or that raised nothing."""
    if error is None:
        return CreationOutcome.CREATED
    if isinstance(error, APIStatusError):
        return _of_status(error)
    if isinstance(error, ConnectionFailed):
        return CreationOutcome.UNKNOWN if error.request_sent else CreationOutcome.NOT_SENT
    kinds = (outcome for kind, outcome in _BY_KIND if isinstance(error, kind))
    return next(kinds, CreationOutcome.UNKNOWN)


def _of_status(error: APIStatusError) -> CreationOutcome:
    """Return the outcome of an error status; a status is believed only from who knows."""
    is_proof = error.answered_by == "api" or (
        error.answered_by == "gateway" and error.status in _BEFORE_THE_API
    )
    return _BY_STATUS.get(error.status, CreationOutcome.UNKNOWN) if is_proof else CreationOutcome.UNKNOWN
