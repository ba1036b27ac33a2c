"""The public names of a package, each loaded when it is first used, so that imports stay fast."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module  # noqa: TID251 - of a package's own modules only
from typing import Any


def lazy_exports(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return a package's `__getattr__`, `__dir__` and `__all__`.

    `homes` maps each public name to the module of the package that it lives in, such as `"storage._clouds"`,
    and a public module to an empty text. A name is loaded once. `__dir__` lists the public names alone.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{homes[name] or name}")
        value = getattr(module, name) if homes[name] else module
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(homes), [name for name, home in homes.items() if home]
