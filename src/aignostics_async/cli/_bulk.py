"""`bulk`: jobs of thousands of slides."""

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
    "_bulk_plan:plan": _WORK,
    "_bulk_run:run": _WORK,
    "_bulk_run:resume": _WORK,
    "_bulk_manage:pause": _WORK,
    "_bulk_list:list_": _OBSERVE,
    "_bulk_status:status": _OBSERVE,
    "_bulk_status:watch": _OBSERVE,
    "_bulk_status:report": _OBSERVE,
    "_bulk_status:results": _OBSERVE,
    "_bulk_manage:retry": _DECIDE,
    "_bulk_resolve:resolve": _DECIDE,
    "_bulk_manage:adopt": _DECIDE,
    "_bulk_manage:verify": _DECIDE,
    "_bulk_manage:cancel": _DECIDE,
    "_bulk_manage:clean": _DECIDE,
}
for _place, (_command, _group) in enumerate(_COMMANDS.items()):
    app.command(f"{__package__}.{_command}", group=_group, sort_key=_place)
