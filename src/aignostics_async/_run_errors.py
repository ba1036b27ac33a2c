"""The error of a run that ended without success."""

from __future__ import annotations

from .errors import RunCancelled, RunFailed
from .models import RunDetails, RunStatus


def ending(details: RunDetails) -> RunFailed | RunCancelled | None:
    """Return the error of a run that was cancelled or rejected; None if it completed or is not final."""
    if details.status == RunStatus.CANCELED_USER:
        return RunCancelled(
            f"run {details.run_id} was cancelled; items that had finished can be downloaded",
            details=details,
        )
    if details.status in (RunStatus.REJECTED, RunStatus.CANCELED_SYSTEM):
        return RunFailed(
            f"run {details.run_id} ended as {details.status}; look at its items' errors before you submit "
            "it again",
            details=details,
        )
    return None
