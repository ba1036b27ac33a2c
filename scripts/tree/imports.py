"""Read which module imports which, imports for type checking and imports inside functions included.

An import of a submodule is an edge to that submodule alone, not to the packages around it. An import of a
name from a package is an edge to its `__init__`. A package may re-export names lazily: it imports them under
`if TYPE_CHECKING`, or in an `__init__.pyi`. Those imports load nothing, so they are not edges of the package.
An import of such a name is an edge to the package and another to the module that defines the name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tree.graph import Graph
from tree.source import Module, Modules, parent, read_modules

Exports = dict[str, dict[str, str]]


class Import(NamedTuple):
    """One imported module, or one name imported from it."""

    importer: str
    imported: str
    name: str | None
    line: int


def read_imports(root: Path, modules: Modules) -> list[Import]:
    """Return all imports between the given modules; imports of other packages are left out."""
    exports = lazy_exports(root, modules)
    return [each for module in modules.values() for each in _of_module(module, modules, exports)]


def import_graph(imports: list[Import], modules: Modules) -> Graph:
    """Return the modules that each module imports."""
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for each in imports:
        if each.importer != each.imported:
            graph[each.importer].add(each.imported)
    return graph


def lazy_exports(root: Path, modules: Modules) -> Exports:
    """Return, for each package, the names that it re-exports lazily and the module that each comes from."""
    stubs = read_modules(root, suffix=".pyi")
    return {
        module.name: {
            name: home
            for node in _lazy_imports(module, stubs.get(module.name))
            for home, name, _ in imported(node, module, modules)
            if name is not None
        }
        for module in modules.values()
        if module.is_package
    }


def imported(
    node: ast.Import | ast.ImportFrom, module: Module, modules: Modules
) -> Iterator[tuple[str, str | None, str]]:
    """Give the module, the name in it (None for the module itself) and the local name of each import."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name in modules:
                yield alias.name, None, alias.asname or alias.name
        return
    base = _base(node, module)
    for alias in node.names:
        local = alias.asname or alias.name
        if f"{base}.{alias.name}" in modules:
            yield f"{base}.{alias.name}", None, local
        elif base in modules:
            yield base, alias.name, local


def is_type_checking(node: ast.AST) -> bool:
    """Whether a node is an `if TYPE_CHECKING` statement."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _of_module(module: Module, modules: Modules, exports: Exports) -> Iterator[Import]:
    lazy = set(_lazy_imports(module, None))
    for node in _import_nodes(module.tree):
        if node in lazy:
            continue
        for home, name, _ in imported(node, module, modules):
            yield Import(module.name, home, name, node.lineno)
            while name is not None and name in exports.get(home, ()):
                home = exports[home][name]  # noqa: PLW2901 - follows the chain of lazy packages
                yield Import(module.name, home, name, node.lineno)


def _lazy_imports(module: Module, stub: Module | None) -> Iterator[ast.Import | ast.ImportFrom]:
    if not module.is_package:
        return
    if stub is not None:
        yield from _import_nodes(stub.tree)
    for node in module.tree.body:
        if is_type_checking(node):
            yield from _import_nodes(node)


def _import_nodes(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def _base(node: ast.ImportFrom, module: Module) -> str:
    base = module.package if node.level else ""
    for _ in range(node.level - 1):
        base = parent(base)
    return ".".join(part for part in (base, node.module) if part)
