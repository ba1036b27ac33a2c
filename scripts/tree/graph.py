"""Strongly connected components of a directed graph, and its longest chain."""

from __future__ import annotations

from collections.abc import Mapping, Set as AbstractSet

Graph = Mapping[str, AbstractSet[str]]


def components(graph: Graph) -> list[list[str]]:
    """Return the strongly connected components, each one after those that it points to (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph[node]):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            start = stack.index(node)
            found.append(sorted(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def circles(graph: Graph) -> list[list[str]]:
    """Return the components of more than one node."""
    return [component for component in components(graph) if len(component) > 1]


def longest_chain(graph: Graph) -> list[list[str]]:
    """Return the longest chain of components, the one that points to all others first."""
    chains: dict[str, list[list[str]]] = {}
    for component in components(graph):
        targets = {target for node in component for target in graph[node]} - set(component)
        below = max((chains[target] for target in sorted(targets)), key=len, default=[])
        chains.update({node: [component, *below] for node in component})
    return max(chains.values(), key=len, default=[])
