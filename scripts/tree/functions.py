"""Measure functions: their lines from `def` to the end, without decorators and docstring."""

from __future__ import annotations

import ast

from tree.source import Modules

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lengths(modules: Modules) -> list[int]:
    """Return the lengths of all functions and methods, shortest first."""
    nodes = (node for module in modules.values() for node in ast.walk(module.tree))
    return sorted(length(node) for node in nodes if isinstance(node, Function))


def length(function: Function) -> int:
    """Return the lines of one function."""
    text = docstring(function)
    return _span(function) - (_span(text) if text else 0)


def docstring(node: ast.Module | ast.ClassDef | Function) -> ast.Expr | None:
    """Return the statement that is the docstring."""
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())) as first, *_]:
            return first
        case _:
            return None


def _span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
