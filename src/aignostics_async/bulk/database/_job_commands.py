"""The commands that change the row of the job, and what is recorded beside its items."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ._writer import Execute


def create_job(job_id: str, plan: str, created_at: float) -> Callable[[Execute], None]:
    """Return the command that creates the job. Runs that were observed until now are not its own."""
    row = (job_id, created_at, plan)

    def command(execute: Execute) -> None:
        execute("INSERT INTO job (id, created_at, plan) VALUES (?, ?, ?)", row)
        execute("UPDATE job SET baseline = (SELECT coalesce(max(number), 0) FROM seen)")

    return command


def set_job(**columns: Any) -> Callable[[Execute], None]:
    """Return the command that sets columns of the job."""
    names = ", ".join(f"{name} = ?" for name in columns)

    def command(execute: Execute) -> None:
        execute(f"UPDATE job SET {names}", tuple(columns.values()))

    return command


def finish_job(earlier: float | None, now: float) -> Callable[[Execute], None]:
    """Return the command that records the end of the job: the earlier one, unless an item changed since."""
    query = (
        "UPDATE job SET finished_at = CASE WHEN EXISTS (SELECT 1 FROM items WHERE changed_at > ?) THEN ? "
        "ELSE coalesce(?, ?) END"
    )

    def command(execute: Execute) -> None:
        execute(query, (earlier, now, earlier, now))

    return command


def record_left_out(files: Iterable[tuple[str, str, str, bool]]) -> Callable[[Execute], None]:
    """Return the command that records files that were not taken: path, reason, detail, whether a slide."""
    rows = [(path, reason, detail, int(is_slide)) for path, reason, detail, is_slide in files]

    def command(execute: Execute) -> None:
        for row in rows:
            execute("INSERT INTO left_out VALUES (?, ?, ?, ?)", row)

    return command
