"""Read the Python modules of a checkout."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Module:
    """One Python file; its path is relative to the root of the checkout."""

    name: str
    path: Path
    text: str

    @property
    def is_package(self) -> bool:
        """Whether this is the `__init__.py` of a package."""
        return self.path.stem == "__init__"

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.is_package else parent(self.name)

    @property
    def lines(self) -> int:
        """The number of lines, blank ones and comments included."""
        return len(self.text.splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; raises SyntaxError."""
        return ast.parse(self.text, str(self.path))


Modules = dict[str, Module]


def read_modules(root: Path, folder: str = "src", suffix: str = ".py") -> Modules:
    """Return the modules below a folder of the checkout by dotted name, generated packages left out.

    With the suffix `.pyi`, return its stubs.
    """
    top = root / folder
    paths = sorted(path for path in top.rglob(f"*{suffix}") if not path_is_generated(path.relative_to(top)))
    modules = [
        Module(dotted(path.relative_to(top)), path.relative_to(root), path.read_text(encoding="utf-8"))
        for path in paths
    ]
    return {module.name: module for module in modules}


def dotted(path: Path) -> str:
    """Return the dotted name of a module, from its path below the folder that is on the import path."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parent(name: str) -> str:
    """Return the package that holds a module or package; "" at the top."""
    return name.rpartition(".")[0]


def path_is_generated(path: Path) -> bool:
    """Whether a path lies in generated code, or in a cache."""
    return not {"generated", "__pycache__"}.isdisjoint(path.parts)
