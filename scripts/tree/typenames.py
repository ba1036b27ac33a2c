"""Find where type names are defined: classes, type aliases, Protocols, NewTypes; not type variables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tree.source import Module, Modules

_CLASS_NAME = re.compile(r"_*[A-Z]\w*[a-z]\w*|_*[A-Z]{2,3}")
_FACTORIES = {
    "NewType",
    "NamedTuple",
    "namedtuple",
    "TypedDict",
    "Enum",
    "StrEnum",
    "Protocol",
    "make_dataclass",
}


class Definition(NamedTuple):
    """A type name, and where it is defined."""

    name: str
    path: Path
    line: int


def definitions(modules: Modules) -> dict[str, list[Definition]]:
    """Return the definitions of each type name, nested classes included.

    Branches of an `if` or `try` that define one name in one scope are one definition.
    """
    found: dict[str, list[Definition]] = {}
    for module in modules.values():
        for each in dict(_in_body(module, module.tree.body, "")).values():
            found.setdefault(each.name, []).append(each)
    return found


def ambiguous(modules: Modules) -> dict[str, list[Definition]]:
    """Return the type names that are defined more than once."""
    return {name: places for name, places in sorted(definitions(modules).items()) if len(places) > 1}


def _in_body(module: Module, body: list[ast.stmt], scope: str) -> Iterator[tuple[str, Definition]]:
    for node in body:
        name = _defined(node)
        if name is not None:
            yield f"{scope}.{name}", Definition(name, module.path, node.lineno)
        inner = f"{scope}.{getattr(node, 'name', '')}" if hasattr(node, "name") else scope
        yield from _in_body(module, _statements(node), inner)


def _statements(node: ast.AST) -> list[ast.stmt]:
    """Return the statements inside a statement, those of all its branches."""
    blocks = [getattr(node, field, []) for field in ("body", "orelse", "finalbody", "handlers", "cases")]
    children = [child for block in blocks if isinstance(block, list) for child in block]
    return [
        statement
        for child in children
        for statement in ([child] if isinstance(child, ast.stmt) else child.body)
    ]


def _defined(node: ast.stmt) -> str | None:
    """Return the type name that a statement defines, if it does."""
    match node:
        case ast.ClassDef(name=name):
            return name
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
            return name if ast.unparse(annotation).endswith("TypeAlias") else None
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name if _CLASS_NAME.fullmatch(name) and _is_type(value, name) else None
        case _:  # `type X = ...`, which Python 3.11 can't parse
            return node.name.id if type(node).__name__ == "TypeAlias" else None  # type: ignore[attr-defined]


def _is_type(value: ast.expr, name: str) -> bool:
    """Whether an assigned value makes a new type name; `X = module.X` only repeats one."""
    match value:
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)):
            return called in _FACTORIES
        case ast.BinOp(op=ast.BitOr()):
            return _is_type(value.left, name) or _is_type(value.right, name)
        case ast.Subscript(value=ast.Name(id=head) | ast.Attribute(attr=head)):
            return head in {"dict", "list", "tuple", "set", "frozenset", "type"} or _is_class(head)
        case ast.Name(id=other) | ast.Attribute(attr=other):
            return other != name and (_is_class(other) or other in {"str", "int", "float", "bytes", "bool"})
        case _:
            return False


def _is_class(name: str) -> bool:
    return _CLASS_NAME.fullmatch(name) is not None
