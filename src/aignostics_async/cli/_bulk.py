"""`bulk`: jobs of thousands of slides."""

from __future__ import annotations

from cyclopts import App

app = App(name="bulk", help="Jobs of thousands of slides, which survive anything and never pay twice.")
# By name: `status` answers at once, and loads nothing that runs a job.
for command in (
    "_bulk_plan:plan",
    "_bulk_run:run",
    "_bulk_run:resume",
    "_bulk_manage:pause",
    "_bulk_status:status",
    "_bulk_status:watch",
    "_bulk_status:report",
    "_bulk_manage:retry",
    "_bulk_resolve:resolve",
    "_bulk_manage:adopt",
    "_bulk_manage:verify",
    "_bulk_manage:cancel",
    "_bulk_manage:clean",
):
    app.command(f"{__package__}.{command}")
