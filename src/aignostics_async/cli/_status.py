"""What a command ends with that an error has ended; `_app` says what the numbers mean."""

from __future__ import annotations

from ..errors import (
    AignosticsError,
    AuthenticationError,
    ConfigurationError,
    JobBusy,
    JobRefused,
    JobStateError,
    JobStopped,
    NotFound,
    SubmissionUnknown,
    TokenEndpointUnavailable,
    TokenStoreError,
    Unauthorized,
    UsageError,
)

_STATUS: tuple[tuple[type[AignosticsError], int], ...] = (
    (ConfigurationError, 2),
    (UsageError, 2),
    (JobRefused, 2),
    (JobStateError, 2),
    (SubmissionUnknown, 4),
    (NotFound, 2),
    # A key ring can be unlocked, and an identity provider comes back: signing in again is no way out.
    (TokenEndpointUnavailable, 1),
    (TokenStoreError, 1),
    (AuthenticationError, 5),
    (Unauthorized, 5),
    (JobBusy, 75),
    (JobStopped, 75),
)


def exit_status(error: AignosticsError) -> int:
    """Return what a command ends with that an error ended."""
    # Where a job stopped for want of a login, to resume it again and again is no way out.
    if isinstance(error, JobStopped) and error.cause is not None and (told := exit_status(error.cause)) != 1:
        return told
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 1)
