"""The mark of a run: what the SDK stores with it, to find it again and to know whose it is. Pure.

It is a part of the request that creates the run, under a key of its own in the run's custom metadata. It
names no user, no machine and nothing of the slides.
"""

from __future__ import annotations

import uuid
from typing import Any

from attrs import asdict, evolve, fields, frozen

from ..models import RESERVED_KEY


def new_token() -> str:
    """Return a random token that nobody else has."""
    return uuid.uuid4().hex


@frozen(kw_only=True)
class RunMark:
    """Which request has created a run, and who has decided about the run since.

    Metadata can be copied and overwritten. So a missing mark proves nothing, and a mark proves no more than
    that its run, or the one that it was copied from, was created by its attempt.
    """

    attempt: str
    """The token of the request; no two requests have the same."""
    holder: str
    """The token of the process that has sent the request."""
    job: str | None = None
    """The id of the bulk job; None for a run that `runs.create` or `runs.submit` has created."""
    intent: str | None = None
    """The id of the job's chunk."""
    claimed: str | None = None
    """The token of another process that has taken the run for its job: it must not be cancelled."""
    withdrawn: str | None = None
    """The token of a process that is about to cancel the run: it must not be taken for any job."""

    def as_json(self) -> dict[str, str]:
        """Return what is stored, for `read`."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def read(cls, stored: Any) -> RunMark | None:
        """Return the mark that was stored with a run, `RunDetails.sdk_metadata`; None for anything else."""
        if not isinstance(stored, dict):
            return None
        known: dict[str, Any] = {each.name: stored.get(each.name) for each in fields(cls)}
        if not all(value is None or (isinstance(value, str) and value) for value in known.values()):
            return None
        return cls(**known) if known["attempt"] and known["holder"] else None

    def claimed_by(self, holder: str) -> RunMark:
        """Return the mark of a run that a process has taken for its job."""
        return evolve(self, claimed=holder)

    def withdrawn_by(self, holder: str) -> RunMark:
        """Return the mark of a run that a process is about to cancel."""
        return evolve(self, withdrawn=holder)


def new_mark(*, holder: str | None = None, job: str | None = None, intent: str | None = None) -> RunMark:
    """Return the mark of a request that is about to be sent."""
    return RunMark(attempt=new_token(), holder=holder or new_token(), job=job, intent=intent)


def mark_filter(**values: str) -> dict[str, dict[str, str]]:
    """Return the filter of runs by values of their marks."""
    return {RESERVED_KEY: values}
