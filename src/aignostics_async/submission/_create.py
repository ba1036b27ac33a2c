"""One POST for one run, and what its outcome means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import (
    APIStatusError,
    ConnectionFailed,
    InvalidResponse,
    InvalidSubmission,
    SubmissionUnknown,
)
from ..models import ApplicationVersion, Item
from ._preflight import find_faults

if TYPE_CHECKING:
    from ..contracts._requests import Bridge

# Statuses with which a server says that it created nothing. Whatever is not listed here proves nothing.
_DEFINITE_NO = frozenset({400, 401, 403, 404, 413, 422, 429})


async def create_run(
    bridge: Bridge,
    version: ApplicationVersion,
    items: Sequence[Item],
    max_items: int,
    *,
    once: bool = False,
) -> str:
    """Check items, send them once, and return the id of the new run.

    With `once` what was not sent, or refused with a 401, is not sent again here either.
    """
    faults = find_faults(version, items, max_items)
    if faults:
        raise InvalidSubmission(faults)
    sent_at = datetime.now(UTC)
    try:
        return await bridge.create_run(version.application_version_id, items, once=once)
    except ConnectionFailed as error:
        if not error.request_sent:
            raise
        reason = "the connection broke before the reply came"
    except APIStatusError as error:
        if error.status in _DEFINITE_NO:
            raise
        reason = f"the server answered {error.status}"
    except InvalidResponse as error:
        reason = f"the reply can't be read ({error.reason})"
    raise SubmissionUnknown(
        references=[item.reference for item in items],
        application_version_id=version.application_version_id,
        sent_at=sent_at,
        reason=reason,
    )
