"""The usage line of each help, in which optional arguments have their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import Parameter, signature

from cyclopts import App
from cyclopts.help import format_usage

_UNNAMED = re.compile(r"\[ARGS(\.\.\.)?\]")


def name_arguments(root: App) -> None:
    """Load every command, and write its usage line."""
    for path, command in _commands(root, ()):
        usage = str(format_usage(root, path)).rstrip()
        if _UNNAMED.search(usage):
            command.usage = _UNNAMED.sub(" ".join(_optional_arguments(command)), usage)


def _commands(group: App, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], App]]:
    for name, command in group.resolved_commands().items():
        if name.startswith("-"):
            continue
        if callable(command.default_command):
            yield (*path, name), command
        else:
            yield from _commands(command, (*path, name))


def _optional_arguments(command: App) -> Iterator[str]:
    assert callable(command.default_command)  # noqa: S101 - as those of `_commands` are
    for each in signature(command.default_command).parameters.values():
        name = each.name.upper()
        if each.kind is Parameter.VAR_POSITIONAL:
            yield f"[{name}...]"
        elif each.kind is Parameter.POSITIONAL_ONLY and each.default is not Parameter.empty:
            yield f"[{name}]"
