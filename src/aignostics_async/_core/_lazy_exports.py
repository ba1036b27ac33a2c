"""The names of a package, each loaded when it is first asked for: who uses little waits for little."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module  # noqa: TID251 - of a package's own modules only
from typing import Any


def exports(
    package: str, homes: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`, for names by the module that each lives in.

    Rooms and modules without a leading underscore are attributes of the package too. Each name is looked for
    once; any other raises AttributeError.
    """
    home_of = {name: home for home, names in homes.items() for name in names}
    rooms = {home.partition(".")[0] for home in homes if not home.startswith("_")}

    def get(name: str) -> Any:
        if name in home_of:
            value = getattr(import_module(f"{package}.{home_of[name]}"), name)
        elif name in rooms:
            value = import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home_of, *rooms})

    return get, names
