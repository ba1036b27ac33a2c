"""Plant small faults in Python modules, one at a time.

The faults are: a condition negated, a `not` dropped, a comparison swapped for its neighbour, `and` swapped
for `or`, a whole number one higher, an awaited statement dropped, an early return. Strings, annotations,
imports and code for type checkers are left alone.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from tree.functions import Function, docstring
from tree.imports import is_type_checking
from tree.source import Module, read_modules

_NEIGHBOURS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@dataclass(frozen=True)
class Mutant:
    """One fault: the text that it replaces, and what it puts there. `start` counts bytes."""

    path: Path
    line: int
    start: int
    kind: str
    old: str
    new: str

    def __str__(self) -> str:
        """Name the place and the change, each side on one line."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.path}:{self.line}: {self.kind}: {old} -> {new}"

    def apply(self, root: Path) -> None:
        """Write the fault into the tree in `root`; raises ValueError where the file has changed since."""
        path = root / self.path
        source, old = path.read_bytes(), self.old.encode()
        end = self.start + len(old)
        if source[self.start : end] != old:
            raise ValueError(f"{path} has changed since its mutants were listed; list them again")
        path.write_bytes(source[: self.start] + self.new.encode() + source[end:])


def mutants(root: Path, within: str = "src") -> list[Mutant]:
    """Return all mutants of the modules below a folder or file, in order of file and place."""
    modules = (each for each in read_modules(root).values() if each.path.is_relative_to(within))
    found = [mutant for module in modules for mutant in _of_module(module)]
    return sorted(found, key=lambda each: (each.path, each.start, each.kind))


def sample(root: Path, seed: int, count: int, within: str = "src") -> list[Mutant]:
    """Return some of the mutants; the same seed gives the same ones of the same tree."""
    all_of_them = mutants(root, within)
    return random.Random(seed).sample(all_of_them, min(count, len(all_of_them)))


def _of_module(module: Module) -> Iterator[Mutant]:
    source = module.text.encode()
    lines = [0, *accumulate(map(len, source.splitlines(keepends=True)))]
    for kind, node, new in _changes(module.tree):
        if node.end_lineno is None or node.end_col_offset is None:
            continue
        start = lines[node.lineno - 1] + node.col_offset
        end = lines[node.end_lineno - 1] + node.end_col_offset
        yield Mutant(module.path, node.lineno, start, kind, source[start:end].decode(), new)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    """Give the kind of each fault, the node that it replaces, and the new text."""
    for child in _mutable(node):
        if isinstance(child, ast.expr):
            yield from _in_expression(child)
        elif isinstance(child, ast.Expr) and isinstance(child.value, ast.Await):
            yield "dropped await", child, "pass"
        if isinstance(child, Function):
            yield from (("early return", late, "return") for late in _late_statements(child))
        test = getattr(child, "test", None)
        if isinstance(test, ast.expr) and not isinstance(child, ast.Assert):
            yield "negated condition", test, f"(not ({ast.unparse(test)}))"
        yield from _changes(child)


def _in_expression(node: ast.expr) -> Iterator[tuple[str, ast.expr, str]]:
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "dropped not", node, f"({ast.unparse(operand)})"
        case ast.Compare(left=left, ops=[operator], comparators=comparators):
            swapped = ast.Compare(left, [_NEIGHBOURS[type(operator)]()], comparators)
            yield "swapped comparison", node, f"({ast.unparse(swapped)})"
        case ast.BoolOp(op=operator, values=values):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield "swapped and/or", node, f"({ast.unparse(ast.BoolOp(other, values))})"
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            yield "changed constant", node, str(value + 1)


def _late_statements(function: Function) -> list[ast.stmt]:
    """Return the statements of a function's body but the first and the last; each can become a `return`."""
    body = function.body[1:] if docstring(function) else function.body
    return [node for node in body[1:-1] if not isinstance(node, Function | ast.ClassDef)]


def _mutable(node: ast.AST) -> Iterator[ast.AST]:
    """Give the child nodes that run: no annotations, no decorators, no branches for type checkers."""
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if (
                isinstance(child, ast.AST)
                and not is_type_checking(child)
                and not isinstance(child, ast.JoinedStr)
            ):
                yield child
