"""`bulk`: jobs of thousands of slides.

- `_plan`, `_run`, `_list`, `_status`, `_manage`, `_resolve`: the commands
- `_job_options`, `_engine_options`: the options of a job, and of what runs its stages
- `_text`: the status and the events of a job, as text and as JSON
"""

from __future__ import annotations

from cyclopts import App, Group

_WORK = Group("Run a job", sort_key=1)
_OBSERVE = Group("Observe a job", sort_key=2)
_DECIDE = Group("Correct and end a job", sort_key=3)

app = App(
    name="bulk",
    help="Jobs of thousands of slides, which survive crashes and never pay twice.\n\n"
    "Example: `aignostics-async bulk run job/ he-tme:v1.1.0 slides/ --store s3://bucket/prefix`",
)
# By name: `status` answers at once, because it loads nothing that runs a job.
_COMMANDS = {
    "_plan:plan": _WORK,
    "_run:run": _WORK,
    "_run:resume": _WORK,
    "_manage:pause": _WORK,
    "_list:list_": _OBSERVE,
    "_status:status": _OBSERVE,
    "_status:watch": _OBSERVE,
    "_status:report": _OBSERVE,
    "_status:results": _OBSERVE,
    "_manage:retry": _DECIDE,
    "_resolve:resolve": _DECIDE,
    "_manage:adopt": _DECIDE,
    "_manage:verify": _DECIDE,
    "_manage:cancel": _DECIDE,
    "_manage:clean": _DECIDE,
}
for _place, (_command, _group) in enumerate(_COMMANDS.items()):
    app.command(f"{__package__}.{_command}", group=_group, sort_key=_place)
