"""Whether the platform says that it is well. The answer is public, and no contract describes it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import anyio
from attrs import frozen

from ..errors import AignosticsError, PlatformDown
from ..models import HealthStatus

if TYPE_CHECKING:
    from .._http._client import Response
    from .._session import Session

_PATIENCE = 10.0  # seconds; nothing waits longer for an answer that it can do without


@frozen
class Health:
    """The health of a deployment by its own report, as `Client.health` returns it.

        health = await client.health()
        if health.status == HealthStatus.DOWN: ...

    `status` is a `HealthStatus`. `date` is the time of the server when it responded, with time zone; None,
    the default, if the response has no Date header that can be read.
    """

    status: HealthStatus
    """UP, DEGRADED or DOWN as the deployment reports it; UNKNOWN if it reports none."""
    date: datetime | None = None
    """The time of the server when it responded, with time zone; None, the default, if the response has no
    Date header.
    """


async def read_health(session: Session) -> Health:
    """Return the health of a client's deployment; raises ConnectionFailed, and NotInContract."""
    from .._http._document import fetch_health

    session.bridge.facts.check_health()
    return health_in(await fetch_health(session.api_root, session.settings))


def health_in(response: Response) -> Health:
    """Return the health that a response tells, whatever its status."""
    from .._http._responses import json_object, response_date

    status = json_object(response).get("status")
    known = HealthStatus(status) if isinstance(status, str) and status else HealthStatus.UNKNOWN
    return Health(known, response_date(response))


async def refuse_if_down(session: Session, *, advice: str = "") -> None:
    """Raise PlatformDown if the deployment says that it is DOWN; nothing else that it says counts."""
    if not session.bridge.facts.has_health:
        return
    health = Health(HealthStatus.UNKNOWN)
    with anyio.move_on_after(_PATIENCE), suppress(AignosticsError):
        health = await read_health(session)
    if health.status == HealthStatus.DOWN:
        raise PlatformDown(advice)
