"""Whether the next step of a watcher has to wait, when some of its runs have failed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from aignostics_async import AignosticsError, RunDetails, RunStatus
from aignostics_async.watch._scope import Scope, ScopeListing
from aignostics_async.watch._transitions import ObservedState, Snapshot
from aignostics_async.watch._watcher_state import Subscription

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = (str(uuid.UUID(int=number)) for number in (1, 2))
GONE = AignosticsError("it is gone")


def watching(*run_ids: str, scope: Scope | None = None) -> Subscription:
    return Subscription({run_id: ObservedState() for run_id in run_ids}, scope=scope)


def test_a_failed_run_is_nothing_to_report_while_others_go_on() -> None:
    subscription = watching(FIRST, SECOND)
    subscription.fail_run(FIRST, GONE)
    assert not is_ready(subscription)
    assert subscription.pull() is None, "as it said"
    subscription.fail_run(SECOND, GONE)
    assert is_ready(subscription)
    with pytest.raises(ExceptionGroup):
        subscription.pull()


def test_the_only_run_that_fails_is_an_error_at_once() -> None:
    subscription = watching(FIRST)
    subscription.fail_run(FIRST, GONE)
    assert is_ready(subscription)


def test_what_is_queued_of_a_failed_run_is_still_reported() -> None:
    subscription = watching(FIRST, SECOND)
    subscription.publish(Snapshot(details(FIRST)))
    subscription.fail_run(FIRST, GONE)
    assert is_ready(subscription)
    assert subscription.pull() is not None
    assert not is_ready(subscription)


def test_a_run_that_fails_during_a_wait_is_followed_again_when_it_is_listed() -> None:
    subscription = watching(scope=Scope())
    assert subscription.adopt(details(FIRST))
    subscription.is_waiting = True
    subscription.fail_run(FIRST, GONE)
    assert not is_ready(subscription)
    assert not subscription.run_ids
    assert subscription.adopt(details(FIRST))


def is_ready(subscription: Subscription) -> bool:
    return subscription.is_ready


def details(run_id: str) -> RunDetails:
    return RunDetails(
        run_id=run_id,
        application_version_id="he-tme:v1.0.0",
        organization_id="org",
        status=RunStatus.RUNNING,
        triggered_at=NOW,
        triggered_by="me",
    )


def test_the_first_time_that_there_is_ends_no_listing() -> None:
    """Some servers write it where they know none."""
    first = datetime.fromisoformat("0001-01-01T00:00:00+14:00")
    listing = ScopeListing(Scope(), None)
    listing.record_listing(listing.since, first, pages=1)
    assert listing.seen_before is None
