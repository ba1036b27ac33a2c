"""`bulk`: jobs of thousands of slides."""

from __future__ import annotations

from cyclopts import App

app = App(name="bulk", help="Jobs of thousands of slides, which survive anything and never pay twice.")
# By name: `status` answers at once, and loads nothing that runs a job.
for command in (
    "_bulk_plan:plan",
    "_bulk_run:run",
    "_bulk_run:resume",
    "_bulk_decide:pause",
    "_bulk_look:status",
    "_bulk_look:watch",
    "_bulk_look:report",
    "_bulk_decide:retry",
    "_bulk_resolve:resolve",
    "_bulk_decide:adopt",
    "_bulk_decide:verify",
    "_bulk_decide:cancel",
    "_bulk_decide:clean",
):
    app.command(f"{__package__}.{command}")
