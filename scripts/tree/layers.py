"""Find imports that run upward: from a lower layer to a higher one.

The order of the layers is read from the `layers` contracts of import-linter in pyproject.toml. Inside a
package that no contract orders, the order is the one in which the fewest imports between its children run
upward. The search moves one child at a time, so the count is an upper bound.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tree.graph import Graph, circles
from tree.source import parent

Edge = tuple[str, str]
Weights = Mapping[Edge, int]


def upward_imports(root: Path, graph: Graph) -> list[Edge]:
    """Return the pairs of importing and imported module that run upward."""
    edges = [(importer, target) for importer, targets in graph.items() for target in sorted(targets)]
    ranks = [rank for contract in layer_contracts(root) for rank in _ranks(contract)]
    ordered = {parent(name) for rank in ranks for name in rank}
    upward = {edge for rank in ranks for edge in edges if _breaks(rank, edge)}
    free: dict[str, list[tuple[Edge, Edge]]] = {}
    for edge in edges:
        level, children = _level(*edge)
        if level not in ordered:
            free.setdefault(level, []).append((children, edge))
    for pairs in free.values():
        against = feedback(Counter(children for children, _ in pairs))
        upward.update(edge for children, edge in pairs if children in against)
    return sorted(upward)


def layer_contracts(root: Path) -> list[dict[str, Any]]:
    """Return the `layers` contracts of a checkout."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings.get("tool", {}).get("importlinter", {}).get("contracts", [])
    return [contract for contract in contracts if contract["type"] == "layers"]


def feedback(weights: Weights) -> set[Edge]:
    """Return the edges to drop so that no circle is left: few, but not provably the fewest."""
    graph: dict[str, set[str]] = {node: set() for edge in weights for node in edge}
    for importer, target in weights:
        graph[importer].add(target)
    return {edge for circle in circles(graph) for edge in _against(circle, weights)}


def _against(circle: list[str], weights: Weights) -> Iterator[Edge]:
    """Give the edges that run upward in the best order of one circle that is found."""
    inner = {edge: weight for edge, weight in weights.items() if set(edge) <= set(circle)}

    def cost(order: list[str]) -> int:
        place = {node: number for number, node in enumerate(order)}
        return sum(weight for (importer, target), weight in inner.items() if place[importer] > place[target])

    order, best = circle, cost(circle)
    while True:
        candidate = min(_moves(order), key=cost)
        if cost(candidate) >= best:
            break
        order, best = candidate, cost(candidate)
    return (edge for edge in inner if order.index(edge[0]) > order.index(edge[1]))


def _moves(order: list[str]) -> Iterator[list[str]]:
    for node in order:
        rest = [each for each in order if each != node]
        yield from ([*rest[:place], node, *rest[place:]] for place in range(len(order)))


def _ranks(contract: dict[str, Any]) -> Iterator[dict[str, tuple[int, int]]]:
    """Give, for each container, the layer of each module and a number that independent siblings differ in."""
    for container in contract.get("containers", [""]):
        ranks = {}
        for layer, text in enumerate(contract["layers"]):
            independent = "|" in text
            for sibling, name in enumerate(text.replace("|", ":").split(":")):
                full = ".".join(part for part in (container, name.strip(" ()")) if part)
                ranks[full] = (layer, sibling if independent else 0)
        yield ranks


def _breaks(ranks: dict[str, tuple[int, int]], edge: Edge) -> bool:
    importer, target = (_rank(ranks, name) for name in edge)
    if importer is None or target is None or importer == target:
        return False
    return importer[0] > target[0] or importer[0] == target[0]


def _rank(ranks: dict[str, tuple[int, int]], name: str) -> tuple[int, int] | None:
    while name and name not in ranks:
        name = parent(name)
    return ranks.get(name)


def _level(importer: str, target: str) -> tuple[str, Edge]:
    """Return the deepest package that holds both modules, and which of its children they are or lie in.

    The package's own `__init__` counts as a child.
    """
    ours, theirs = importer.split("."), target.split(".")
    shared = 0
    while shared < min(len(ours), len(theirs)) and ours[shared] == theirs[shared]:
        shared += 1
    children = (_child(ours, shared), _child(theirs, shared))
    return ".".join(ours[:shared]), children


def _child(parts: list[str], depth: int) -> str:
    return parts[depth] if depth < len(parts) else "__init__"
