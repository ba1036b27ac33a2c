"""What counts as a failure of a download."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aignostics_async import (
    AignosticsError,
    DownloadReport,
    InvalidItem,
    ItemFailed,
    ItemResult,
    ItemStatus,
    RunCancelled,
    RunDetails,
    RunFailed,
    RunStatus,
)


def report(run: str, *items: str, invalid: int = 0) -> DownloadReport:
    details = RunDetails("r", "app:v1", "org", RunStatus(run), datetime(2026, 1, 1, tzinfo=UTC), "me")
    results = tuple(
        ItemResult(str(number), "r", str(number), ItemStatus(status), None, ())
        for number, status in enumerate(items)
    )
    return DownloadReport(details, Path(), results, (), (InvalidItem(0, "broken", ""),) * invalid)


@pytest.mark.parametrize(
    ("found", "failures"),
    [
        (report("COMPLETED", "SUCCEEDED"), []),
        (report("RUNNING", "SUCCEEDED", "PENDING"), []),
        (report("COMPLETED_WITH_ERROR", "SUCCEEDED", "ERROR_USER"), [ItemFailed]),
        (report("RUNNING", "ERROR_SYSTEM", "PENDING"), [ItemFailed]),
        (report("REJECTED"), [RunFailed]),
        (report("REJECTED", "PENDING"), [RunFailed, ItemFailed]),
        (report("CANCELED_SYSTEM", "SUCCEEDED", "CANCELED_SYSTEM"), [RunFailed, ItemFailed]),
        (report("CANCELED_USER", "SUCCEEDED"), [RunCancelled]),
        (report("COMPLETED", "PENDING"), [ItemFailed]),
        (report("COMPLETED", "SUCCEEDED", invalid=2), [AignosticsError, AignosticsError]),
    ],
)
def test_failures(found: DownloadReport, failures: list[type[AignosticsError]]) -> None:
    assert [type(failure) for failure in found.failures()] == failures
    if failures:
        with pytest.raises(ExceptionGroup) as caught:
            found.raise_for_failures()
        assert len(caught.value.exceptions) == len(failures)
    else:
        found.raise_for_failures()
