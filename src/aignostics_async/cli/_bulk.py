"""`bulk`: jobs of thousands of slides."""

from __future__ import annotations

from cyclopts import App

from . import _bulk_plan

app = App(name="bulk", help="Jobs of thousands of slides, which survive anything and never pay twice.")
app.command(_bulk_plan.plan)
