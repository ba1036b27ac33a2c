"""`runs`: list, follow and cancel runs, and download their results.

`_list`, `_watch`, `_irreversible` and `_download` have the commands.
"""

from __future__ import annotations

from cyclopts import App

app = App(
    name="runs",
    help="List, follow and cancel runs, and download their results.\n\n"
    "Example: `aignostics-async runs list --limit 5`",
)
# By name: a command loads only what it needs.
_COMMANDS = {
    "list": "_list:list_runs",
    "show": "_list:show",
    "find": "_list:find",
    "watch": "_watch:watch",
    "cancel": "_irreversible:cancel",
    "cancel-matching": "_irreversible:cancel_matching",
    "delete-results": "_irreversible:delete_results",
    "download": "_download:download",
}
for _place, (_name, _command) in enumerate(_COMMANDS.items()):
    app.command(f"{__package__}.{_command}", name=_name, sort_key=_place)
