"""List the public functions, classes and methods that users can reach, and their docstrings.

The surface is what the root package, `bulk`, `errors` and `testing` export. From each class it goes on to its
public methods, those of its bases, and the classes of its attributes and of what its methods return.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tree.functions import Function
from tree.imports import Exports, imported, lazy_exports
from tree.source import Module, Modules, read_modules

_ENTRANCES = ("", ".bulk", ".errors", ".testing")

Node = ast.ClassDef | Function


@dataclass(frozen=True)
class Public:
    """A public function, class or method."""

    name: str
    module: Module
    node: Node

    @property
    def place(self) -> str:
        """The file and the line."""
        return f"{self.module.path}:{self.node.lineno}"

    @property
    def docstring(self) -> str | None:
        """The docstring, without indentation."""
        return ast.get_docstring(self.node)

    @property
    def signature(self) -> str:
        """The `def` or `class` line, decorators and body left out."""
        copy: Node = ast.parse(ast.unparse(self.node)).body[0]  # type: ignore[assignment]
        copy.decorator_list, copy.body = [], [ast.Expr(ast.Constant(...))]
        return ast.unparse(copy).removesuffix("...").rstrip()


def public(root: Path) -> list[Public]:
    """Return the public surface in order of name; of a private base class, only its public methods."""
    found = (each for each in Surface(root).reach().values() if _is_public(each.name))
    return sorted(found, key=lambda each: (each.name, each.place))


class Surface:
    """Resolve names from module to module, without importing anything."""

    def __init__(self, root: Path) -> None:
        self._modules: Modules = read_modules(root)
        self._lazy: Exports = lazy_exports(root, self._modules)

    def reach(self) -> dict[str, Public]:
        """Return everything on the surface by its place."""
        found: dict[str, Public] = {}
        waiting = list(self._exported())
        while waiting:
            each = waiting.pop()
            if each.place not in found:
                found[each.place] = each
                waiting += self._next(each)
        return found

    def resolve(self, module: Module, name: str) -> Public | None:
        """Return the class or function that a name means in a module; None for anything else."""
        if name in self._lazy.get(module.name, {}):
            return self.resolve(self._modules[self._lazy[module.name][name]], name)
        for node in module.tree.body:
            if isinstance(node, Node) and node.name == name:
                return Public(name, module, node)
        for import_ in _imports(module):
            for home, original, local in imported(import_, module, self._modules):
                if local == name and original is not None and home != module.name:
                    return self.resolve(self._modules[home], original)
        return None

    def _exported(self) -> Iterator[Public]:
        roots = [name for name in self._modules if "." not in name]
        for module in (self._modules.get(root + entrance) for root in roots for entrance in _ENTRANCES):
            if module is not None:
                yield from self._known(module, filter(_is_public, self._names(module)))

    def _names(self, module: Module) -> Iterator[str]:
        """Give the names that a module defines, and those that a package re-exports, lazily or not."""
        yield from (node.name for node in module.tree.body if isinstance(node, Node))
        lazy = self._lazy.get(module.name)
        if lazy:
            yield from lazy
        elif module.is_package:
            yield from (alias.asname or alias.name for node in _imports(module) for alias in node.names)

    def _next(self, each: Public) -> Iterator[Public]:
        """Give the members and bases of a class, and the classes of attributes and returned values."""
        if isinstance(each.node, Function):
            yield from self._known(each.module, _words(each.node.returns))
            return
        yield from self._known(each.module, (name for base in each.node.bases for name in _words(base)))
        attributes = self._known(each.module, _attribute_types(each.node))
        yield from (target for target in attributes if isinstance(target.node, ast.ClassDef))
        for node in each.node.body:
            if isinstance(node, Function) and _is_public(node.name):
                yield Public(f"{each.name.lstrip('_')}.{node.name}", each.module, node)

    def _known(self, module: Module, names: Iterable[str]) -> Iterator[Public]:
        for name in names:
            target = self.resolve(module, name)
            if target is not None:
                yield target


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _attribute_types(node: ast.ClassDef) -> Iterator[str]:
    """Give the names in annotations of public attributes, and the classes called for `self.name = ...`."""
    for child in ast.walk(node):
        match child:
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=annotation):
                yield from _words(annotation if _is_public(name) else None)
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=ast.Call(func=ast.Name(id=called))):
                yield from [called] if _is_public(name) else []


def _words(annotation: ast.expr | None) -> Iterator[str]:
    for node in ast.walk(annotation) if annotation is not None else ():
        if isinstance(node, ast.Name):
            yield node.id


def _imports(module: Module) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Import | ast.ImportFrom))
