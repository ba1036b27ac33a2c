"""The parts of a job at work that find and create its runs, put together for one client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import evolve

from .._internals import check_health
from ._generation import begin_generation
from ._identity import known_user, verify_identity
from .database import _queries
from .database._job_folder import HighWaterMarkFile
from .database._journal import EventType
from .reconciliation._duplicates import Reconciler
from .reconciliation._submitter import Submitter
from .reconciliation._tags import tag_of
from .stages._submitting import Signing

if TYPE_CHECKING:
    from .._client import Client
    from ._plan import JobPlan
    from .database._database import Database
    from .database._queries import JobRow
    from .reconciliation._platform import PlatformClient
    from .stages._context import JobContext


def make_reconciler(
    job: JobRow, plan: JobPlan, database: Database, client: Client, platform: PlatformClient
) -> Reconciler:
    """Return the reconciler of a job, which settles runs that its database does not know."""
    return Reconciler(
        database=database,
        platform=platform,
        client=client,
        version=plan.application_version,
        tag=tag_of(job.id) if plan.reference_tag else "",
        since=job.created_at,
        job=job.id,
        user=known_user(job.identity),
        replica_lag=plan.timeouts.replica_lag,
    )


async def begin_work(
    context: JobContext, job: JobRow, platform: PlatformClient, *, is_cancelled: Callable[[], bool]
) -> tuple[Submitter, Reconciler]:
    """Verify the identity and begin a new generation, before anything can be sent; return what sends."""
    await context.with_retries(lambda: check_health(context.client))
    await context.with_retries(lambda: verify_identity(context.database, context.client, context.plan))
    reconciler = evolve(
        make_reconciler(job, context.plan, context.database, context.client, platform),
        on_duplicate=lambda second: context.journal.emit(
            EventType.RUN_DUPLICATE, run_id=second.run_id, text=second.done
        ),
    )
    high_water_mark = HighWaterMarkFile(job.id)
    generation = await begin_generation(context, high_water_mark, platform, reconciler)
    submitter = Submitter(
        database=context.database,
        platform=platform,
        high_water_mark=high_water_mark,
        generation=generation,
        version=context.plan.application_version,
        since=job.created_at,
        job=job.id,
        holder=reconciler.holder,
        user=known_user((await context.database.read(_queries.job())).identity),
        timeouts=context.plan.timeouts,
        prepare=Signing(context),
        clock=context.clock,
        sleep=context.sleep_while_sending,
        is_draining=lambda: not context.may_send or is_cancelled(),
        on_doubt=lambda reason: context.journal.emit(EventType.RUN_UNKNOWN, text=reason),
        on_wait=lambda reason: context.journal.emit(EventType.WAITING, text=reason),
    )
    return submitter, reconciler
