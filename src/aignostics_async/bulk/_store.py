"""The object store of a job, which keeps what was decided about its checksums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from ..storage._bucket import Bucket
from .database import _job_commands

if TYPE_CHECKING:
    from .._client import Client
    from ..storage import Store, StoreAddress
    from ._plan import JobPlan
    from .database._database import Database


def open_store(client: Client, plan: JobPlan, store: Store | StoreAddress | str | None) -> Store:
    """Return a job's store for a client, or the one in its place."""
    opened = client.store(plan.store if store is None else store)
    if isinstance(opened, Bucket) and opened.is_at(plan.store):
        opened.settle_checksums(plan.checksums)
    return opened


def address_of(plan: JobPlan, store: Store | StoreAddress | str | None) -> str | None:
    """Return the address by which another process opens the same store; None for one that is an object."""
    if store is None:
        return plan.store
    return store if isinstance(store, str) else None


async def record_checksums(database: Database, plan: JobPlan, store: Store) -> JobPlan:
    """Write down what a store has decided, if nothing was decided before, and return the plan."""
    if plan.checksums != "auto" or not isinstance(store, Bucket) or not store.is_at(plan.store):
        return plan
    plan = evolve(plan, checksums=store.checksums)
    if plan.checksums != "auto":
        await database.write(_job_commands.set_job(plan=plan.to_json()))
    return plan
