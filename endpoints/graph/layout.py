"""Positions for drawing a graph, in layers. Pure Python; callers cache the result.

A node's layer is its longest path from a source. A few barycentre sweeps order each layer. An edge
across several layers gets an empty slot in each, so that it does not cross the boxes in between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

BOX_WIDTH, BOX_HEIGHT = 200, 52
SLOT_WIDTH = 24  # the width of an edge that passes a layer
GAP_X, GAP_Y, MARGIN = 32, 64, 16
SWEEPS = 4
# A place is a node, or (source of the edge, layer) where an edge passes a layer.
Chains = dict[tuple[str, str], list[Any]]  # the places along each edge
Near = dict[Any, list[Any]]  # neighbours of each place


@dataclass(frozen=True)
class Box:
    id: str
    x: int
    y: int
    width: int
    height: int
    layer: int


@dataclass(frozen=True)
class Path:
    """An edge as SVG path data."""

    source: str
    target: str
    d: str


@dataclass(frozen=True)
class Layout:
    width: int
    height: int
    boxes: tuple[Box, ...]
    paths: tuple[Path, ...]


def layout(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> Layout:
    """Place `nodes` from top to bottom, so that every edge points downwards. The graph must be
    acyclic."""
    if not nodes:
        return Layout(0, 0, (), ())
    wanted = dict.fromkeys((a, b) for a, b in edges if a != b)
    layer_of = _layers(nodes, wanted)
    chains = _chains(wanted, layer_of)
    rows = _rows(nodes, layer_of, chains)
    above, below = _neighbours(chains)
    for _ in range(SWEEPS):
        _sweep(rows[1:], rows, above)
        _sweep(rows[-2::-1], rows, below)
    return _draw(rows, layer_of, chains)


def _layers(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    children: dict[str, list[str]] = {node: [] for node in nodes}
    waiting = dict.fromkeys(nodes, 0)
    for source, target in edges:
        children[source].append(target)
        waiting[target] += 1
    layer = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not waiting[node]]
    for node in ready:  # grows while we iterate
        for child in children[node]:
            layer[child] = max(layer[child], layer[node] + 1)
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    return layer


def _chains(edges: Iterable[tuple[str, str]], layer_of: dict[str, int]) -> Chains:
    """The places along each edge, one per layer, with empty slots in between. Long edges from the
    same node share their slots."""
    chains: Chains = {}
    for source, target in edges:
        between = range(layer_of[source] + 1, layer_of[target])
        chains[source, target] = [source, *((source, layer) for layer in between), target]
    return chains


def _rows(nodes: Sequence[str], layer_of: dict[str, int], chains: Chains) -> list[list[Any]]:
    rows: list[dict[str, Any]] = [{} for _ in range(max(layer_of.values()) + 1)]
    for node in nodes:
        rows[layer_of[node]][node] = None
    for chain in chains.values():
        for place in chain[1:-1]:
            rows[place[1]][place] = None
    return [list(row) for row in rows]


def _neighbours(chains: Chains) -> tuple[Near, Near]:
    above: Near = {}
    below: Near = {}
    seen = set()
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            if (upper, lower) not in seen:
                seen.add((upper, lower))
                below.setdefault(upper, []).append(lower)
                above.setdefault(lower, []).append(upper)
    return above, below


def _sweep(turn: list[list[Any]], rows: list[list[Any]], neighbours: Near) -> None:
    """Order each row of `turn` by the mean position of its neighbours; ties keep their order."""
    position = {place: index / len(row) for row in rows for index, place in enumerate(row)}
    for row in turn:
        weight = {}
        for place in row:
            near = neighbours.get(place)
            weight[place] = (
                sum(map(position.__getitem__, near)) / len(near) if near else position[place]
            )
        row.sort(key=weight.__getitem__)
        for index, place in enumerate(row):
            position[place] = index / len(row)


def _draw(rows: list[list[Any]], layer_of: dict[str, int], chains: Chains) -> Layout:
    widths = [[BOX_WIDTH if place in layer_of else SLOT_WIDTH for place in row] for row in rows]
    totals = [sum(row) + GAP_X * (len(row) - 1) for row in widths]
    full = max(totals)
    boxes: list[Box] = []
    anchor: dict[Any, tuple[int, int, int]] = {}  # place -> (centre, top, bottom)
    for layer, row in enumerate(rows):
        x = MARGIN + (full - totals[layer]) // 2
        y = MARGIN + layer * (BOX_HEIGHT + GAP_Y)
        for place, width in zip(row, widths[layer], strict=True):
            if place in layer_of:
                boxes.append(Box(place, x, y, width, BOX_HEIGHT, layer))
            anchor[place] = (x + width // 2, y, y + BOX_HEIGHT)
            x += width + GAP_X
    paths = [
        Path(a, b, _curve([anchor[place] for place in chain])) for (a, b), chain in chains.items()
    ]
    height = 2 * MARGIN + len(rows) * BOX_HEIGHT + (len(rows) - 1) * GAP_Y
    return Layout(full + 2 * MARGIN, height, tuple(boxes), tuple(paths))


def _curve(points: list[tuple[int, int, int]]) -> str:
    """A path from the bottom of the first place to the top of the last, straight through slots."""
    x, _, y = points[0]
    parts = [f"M{x} {y}"]
    for centre, top, bottom in points[1:]:
        middle = (y + top) // 2
        parts.append(f"C{x} {middle} {centre} {middle} {centre} {top}")
        x, y = centre, bottom
        if points[-1] != (centre, top, bottom):
            parts.append(f"V{bottom}")
    return "".join(parts)
