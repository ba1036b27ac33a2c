"""One POST for one run, and what its outcome means."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import evolve

from .._inputs import Item
from ..contracts._protocol import NO_OPTIONS, RunOptions
from ..errors import (
    AignosticsError,
    APIStatusError,
    ConnectionFailed,
    InvalidResponse,
    InvalidSubmission,
    SubmissionUnknown,
)
from ..models import ApplicationVersion
from ._marks import RunMark, new_mark
from ._outcome import CreationOutcome, creation_outcome
from ._preflight import find_faults

if TYPE_CHECKING:
    from ..contracts._protocol import Bridge


async def create_run(
    bridge: Bridge,
    version: ApplicationVersion,
    items: Sequence[Item],
    max_items: int,
    *,
    options: RunOptions = NO_OPTIONS,
    once: bool = False,
) -> str:
    """Check items, send them once, and return the id of the new run.

    With `once` not even a request that never left, or one that a 401 answered, is sent again. Raises
    InvalidSubmission with all faults before anything is sent, SubmissionUnknown where a run may have been
    created (see `creation_outcome`), else what the request raised.
    """
    bridge.facts.check_request(items, options)
    mark = RunMark.read(options.sdk_metadata)
    if mark is None and bridge.facts.has_metadata:
        mark = new_mark()
        options = evolve(options, sdk_metadata=mark.as_json())
    # A schema is somebody else's, and checking it may take a while.
    faults = await to_thread.run_sync(find_faults, version, items, max_items)
    if faults:
        raise InvalidSubmission(faults)
    sent_at = datetime.now(UTC)
    try:
        return await bridge.create_run(version.application_version_id, items, options, once=once)
    except AignosticsError as error:
        if creation_outcome(error) is not CreationOutcome.UNKNOWN:
            raise
        reason, status = _in_words(error), getattr(error, "status", None)
    except asyncio.CancelledError as cancelled:
        cancelled.add_note(_how_to_look(version, items, sent_at, mark))
        raise
    # Outside the except clause, so that the error does not hold the lost response as its context.
    raise SubmissionUnknown(
        references=[item.reference for item in items],
        application_version_id=version.application_version_id,
        sent_at=sent_at,
        reason=reason,
        status=status,
        submission=None if mark is None else mark.attempt,
    )


def _how_to_look(
    version: ApplicationVersion, items: Sequence[Item], sent_at: datetime, mark: RunMark | None
) -> str:
    """Return what to do about a request whose reply nobody waited for."""
    moment = sent_at.isoformat(timespec="seconds")
    marked = "" if mark is None else f", submission={mark.attempt!r}"
    return (
        f"a run of {len(items)} {'item' if len(items) == 1 else 'items'} with "
        f"{version.application_version_id}, requested at {moment}, may exist and be billed: before you send "
        "it again, look with client.runs.find(references=[each.reference for each in items], "
        f"since=datetime.fromisoformat({moment!r}){marked})"
    )


def _in_words(error: AignosticsError) -> str:
    """Return why nobody knows whether a run was created."""
    match error:
        case ConnectionFailed():
            return "the connection broke before the reply came"
        case APIStatusError():
            return f"the server answered {error.status}{f': {error.detail}' if error.detail else ''}"
        case InvalidResponse():
            return f"the reply can't be read ({error.reason})"
        case _:
            return str(error)
