"""The pages that the code itself is the source of: every public name by topic, and every command."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from attrs import frozen

import aignostics_async
from aignostics_async import bulk, emulator, services, testing
from aignostics_async._exports import HOMES
from aignostics_async.bulk._exports import HOMES as BULK_HOMES
from aignostics_async.cli._app import app
from aignostics_async.cli._usage import name_arguments
from aignostics_async.emulator._exports import HOMES as EMULATOR_HOMES
from aignostics_async.services._exports import HOMES as SERVICES_HOMES

PYTHON = "reference/python"
COMMANDS = "reference/commands.md"
_TWICE = re.compile(r"^(aignostics-async )((?:[a-z-]+ )+)\2", re.MULTILINE)
# What a class has from a private base is its own to readers; what it has from one of these, they know.
_WELL_KNOWN = "object, str, int, float, tuple, dict, Enum, Protocol, ABC"
_OF_ALL = "**Every command**:\n\n"


@frozen
class Topic:
    """A page: its file, its title, and the modules and packages whose public names it has."""

    file: str
    title: str
    homes: tuple[str, ...]


TOPICS = (
    Topic(
        "client", "Client, applications and runs", ("_client", "resources", "contracts", "_contract_check")
    ),
    Topic("configuration", "Configuration", ("_environment_variables", "_config", "_hooks", "_version")),
    Topic("models", "What the platform returns", ("models", "_account_models")),
    Topic("submission", "Items and submission", ("_inputs", "submission")),
    Topic("slides", "Slides", ("slides",)),
    Topic("stores", "Stores", ("storage",)),
    Topic("watching", "Watching", ("watch",)),
    Topic("downloads", "Downloads, progress and checksums", ("downloads", "transfer", "_core")),
    Topic("sign-in", "Signing in", ("auth",)),
    Topic("doctor", "Checks of a setup", ("doctor",)),
    Topic("errors", "Errors", ("errors",)),
)


def write_pages(docs: Path) -> None:
    """Write the pages into a folder of documentation.

    Raises LookupError for a public name that belongs to no topic.
    """
    folder = docs / PYTHON
    folder.mkdir(parents=True, exist_ok=True)
    known = {home for topic in TOPICS for home in topic.homes}
    homes = _homes(HOMES)
    if homeless := sorted(name for name, home in homes.items() if home not in known):
        raise LookupError(f"give a topic in scripts/reference_pages.py to {', '.join(homeless)}")
    for topic in TOPICS:
        names = [name for name, home in homes.items() if home in topic.homes]
        _write(folder / f"{topic.file}.md", topic.title, [*_directives(aignostics_async, names)])
    _write(folder / "bulk.md", "Bulk jobs", [*_module(bulk, _homes(BULK_HOMES))])
    _write(folder / "services.md", "Parts of services", [*_module(services, _homes(SERVICES_HOMES))])
    of_emulator = [
        *_module(emulator, _homes(EMULATOR_HOMES)),
        *_module(emulator.process, ["Emulator"]),
        *_module(testing, []),
    ]
    _write(folder / "emulator.md", "Emulator and pytest fixtures", of_emulator)
    _write_changed(docs / COMMANDS, f"# Every command and option\n{_commands()}")


def _commands() -> str:
    """Return the help of all commands, with the options that each of them has at the top only."""
    name_arguments(app)
    # Cyclopts names some commands as the program is called that runs: here, the command is.
    program = sys.modules["__main__"]
    with patch.object(sys, "argv", ["aignostics-async"]), patch.object(program, "__spec__", None):
        pages = app.generate_docs(heading_level=2)
    # It puts the command before a usage line that has it already, too.
    pages = _TWICE.sub(r"\1\2", pages)
    first, *others = pages.partition("\n")[2].split(_OF_ALL)
    shared = others[0].partition("\n\n")[0]
    return f"{first}{_OF_ALL}{shared}" + "".join(each.removeprefix(shared) for each in others)


def _homes(homes: Mapping[str, str]) -> dict[str, str]:
    """Return the first part of the home of each name; modules have none."""
    return {name: home.partition(".")[0] for name, home in homes.items() if home}


def _module(module: ModuleType, names: Iterable[str]) -> Iterator[str]:
    yield from (f".. automodule:: {module.__name__}", "   :no-members:", "")
    yield from _directives(module, names)


def _directives(module: ModuleType, names: Iterable[str]) -> Iterator[str]:
    yield from (f".. py:currentmodule:: {module.__name__}", "")
    for name in names:
        directive = _directive(getattr(module, name))
        inherited = [f"   :inherited-members: {_WELL_KNOWN}"] if directive == "autoclass" else []
        yield from (f".. {directive}:: {name}", *inherited, "")


def _directive(public: object) -> str:
    if isinstance(public, type):
        return "autoexception" if issubclass(public, BaseException) else "autoclass"
    return "autofunction" if callable(public) and hasattr(public, "__code__") else "py:data"


def _write(path: Path, title: str, directives: list[str]) -> None:
    _write_changed(path, "\n".join([f"# {title}", "", "```{eval-rst}", *directives, "```", ""]))


def _write_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:  # what is unchanged is not read again
        path.write_text(text, encoding="utf-8")
