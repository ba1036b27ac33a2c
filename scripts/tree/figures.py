"""The figures of a checkout, each with the places behind it."""

from __future__ import annotations

from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from tree import functions, graph, imports, layers, passages, typenames
from tree.source import Modules, read_modules

SHORT = 40


class Figure(NamedTuple):
    """One figure, and what it counts: a line for each."""

    label: str
    value: float | str
    details: list[str]


def figures(root: Path) -> list[Figure]:
    """Return all figures of the checkout in `root`; raises SyntaxError for a file that is not Python."""
    modules = read_modules(root)
    return [*_sizes(root, modules), *_names(modules), *_imports(root, modules), *_bodies(modules)]


def _sizes(root: Path, modules: Modules) -> list[Figure]:
    tests = read_modules(root, "tests")
    short = [each for each in modules.values() if each.lines < SHORT and not each.is_package]
    longest = max(modules.values(), key=lambda each: each.lines)
    return [
        Figure("files in src", len(modules), []),
        Figure("lines in src", sum(each.lines for each in modules.values()), []),
        Figure("lines in tests", sum(each.lines for each in tests.values()), []),
        Figure(
            f"modules under {SHORT} lines",
            len(short),
            [f"{each.path} ({each.lines} lines)" for each in short],
        ),
        Figure("longest file, in lines", longest.lines, [str(longest.path)]),
    ]


def _names(modules: Modules) -> list[Figure]:
    ambiguous = typenames.ambiguous(modules)
    details = [
        f"{name}: {', '.join(f'{place.path}:{place.line}' for place in places)}"
        for name, places in ambiguous.items()
    ]
    return [Figure("type names with two meanings", len(ambiguous), details)]


def _imports(root: Path, modules: Modules) -> list[Figure]:
    found = imports.import_graph(imports.read_imports(root, modules), modules)
    circles = graph.circles(found)
    upward = layers.upward_imports(root, found)
    chain, packages = graph.longest_chain(found), graph.longest_chain(_between_packages(found))
    order = "contracts" if layers.layer_contracts(root) else "best order found"
    return [
        Figure("import circles", len(circles), [" ".join(circle) for circle in circles]),
        Figure("modules in circles", sum(map(len, circles)), []),
        Figure("upward imports", len(upward), [f"{a} -> {b}" for a, b in upward]),
        Figure("order of the layers from", order, []),
        Figure("depth of the modules", len(chain), [" ".join(component) for component in chain]),
        Figure("depth of the packages", len(packages), [" ".join(component) for component in packages]),
    ]


def _between_packages(modules: graph.Graph) -> graph.Graph:
    """Return the same graph with each package below the root package as one node."""
    found: dict[str, set[str]] = {}
    for name, targets in modules.items():
        node = _top(name)
        found.setdefault(node, set()).update({_top(target) for target in targets} - {node})
    return found


def _top(name: str) -> str:
    return ".".join(name.split(".")[:2])


def _bodies(modules: Modules) -> list[Figure]:
    lengths = functions.lengths(modules)
    repeated = passages.repeated(modules)
    details = [
        f"{a.module.path}:{a.number} and {b.module.path}:{b.number} ({lines} lines)"
        for a, b, lines in repeated
    ]
    return [
        Figure("function length, median", median(lengths), []),
        Figure("function length, 90th percentile", round(quantiles(lengths, n=10)[-1]), []),
        Figure("repeated passages", len(repeated), details),
    ]
