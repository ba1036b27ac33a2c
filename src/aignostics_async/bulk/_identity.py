"""The identity of a job: whoever resumes it must see the runs that it has created.

The platform lists runs only for the user who created them. For another user or another deployment there seem
to be none, and they would be created and billed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .._core._pager import MIN_PAGE_SIZE
from .._internals import token_claims
from ..errors import APIStatusError, InvalidResponse, JobRefused, NotInContract
from ..errors._api import ABSENCES
from ._plan import check_server
from .database import _job_commands, _queries

if TYPE_CHECKING:
    from .._account_models import Me
    from .._client import Client
    from ._plan import JobPlan
    from .database._database import Database

_RUNS_TO_SEE = 3
_WORDS = {
    "api_root": "server",
    "application_version": "application version",
    "token_user": "user",
    "token_organization": "organization",
    "user": "user",
    "organization": "organization",
    "me_user": "user",
    "me_organization": "organization",
}
_BY_TOKEN = frozenset({"token_user", "token_organization"})
_SAME_USER = (("token_user", "token_user"), ("user", "user"), ("me_user", "me_user"), ("user", "me_user"))
"""What proves the user, of what was kept and what is told now: a run names its user as the account does."""


async def verify_identity(database: Database, client: Client, plan: JobPlan) -> None:
    """Raise JobRefused for a client that may not see the runs of the job: it would create them again.

    Keeps the identity of the client. Costs one request, and some more if that one proves nothing.
    """
    before = (await database.read(_queries.job())).identity
    now = await identify(client, plan)
    identity = check_identity(before, now)
    own = await database.read(_queries.newest_runs(_RUNS_TO_SEE))
    if own and not is_proven(before, now) and not await sees_any(client, own):
        raise JobRefused(
            "this login sees none of the runs of this job; sign in as the user who created the job"
        )
    await database.write(_job_commands.set_job(identity=identity))


async def identify(client: Client, plan: JobPlan) -> dict[str, str]:
    """Return the identity of a client: that of its account where the platform tells one, and of its token.

    Without an account the newest run tells who submits. Costs one request. Raises JobRefused for a client of
    another server than the plan's.
    """
    check_server(client, plan)
    claims = await token_claims(client)
    told = {
        "api_root": plan.api_root,
        "application_version": plan.application_version,
        "token_user": claims.subject,
        "token_organization": claims.organization,
    }
    told |= await _account(client)
    return {name: value for name, value in told.items() if value}


async def read_account(client: Client) -> Me | None:
    """Return what `Client.me` does; None where nobody tells: a gateway may have no route to it."""
    try:
        return await client.me()
    except (InvalidResponse, NotInContract):
        return None
    except APIStatusError as error:
        if error.status not in (403, 404):
            raise
        return None


async def _account(client: Client) -> dict[str, str | None]:
    me = await read_account(client)
    if me is None:
        async for run in client.runs.list(page_size=MIN_PAGE_SIZE):
            return {"user": run.triggered_by, "organization": run.organization_id}
        return {}
    return {"me_user": me.user.user_id, "me_organization": me.organization.organization_id}


def known_user(identity: str | None) -> str | None:
    """Return the user of a job as its runs name it; None if nobody has told. Pure."""
    known: dict[str, str] = {} if identity is None else json.loads(identity)
    return known.get("me_user", known.get("user"))


async def sees_any(client: Client, run_ids: Sequence[str]) -> bool:
    """Whether the client can see one of some runs. Costs up to a request for each."""
    for run_id in run_ids:
        try:
            await client.run(run_id).details()
        except ABSENCES:
            continue
        return True
    return False


def is_proven(before: str | None, now: Mapping[str, str]) -> bool:
    """Whether the client is known to be the one from before. Pure."""
    known: dict[str, str] = {} if before is None else json.loads(before)
    return any(name in known and known[name] == now.get(other) for name, other in _SAME_USER)


def check_identity(before: str | None, now: Mapping[str, str]) -> str:
    """Return the identity to keep; raises JobRefused if it differs from the kept one. Pure."""
    known: dict[str, str] = {} if before is None else json.loads(before)
    # Where both accounts are known, it does not matter which client's token they have.
    ignored = _BY_TOKEN if "me_user" in known and "me_user" in now else frozenset()
    for name, value in now.items():
        if name not in ignored and known.get(name, value) != value:
            raise JobRefused(
                f"this job belongs to another {_WORDS[name]}, whose runs this login can't see; sign in "
                "as whoever began it"
            )
    return json.dumps({**known, **now}, sort_keys=True)
