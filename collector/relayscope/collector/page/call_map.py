"""The map of who calls whom: where each box and arrow of it is. `call_map.html` draws it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

MOST: Final = 60
"""Arrows that are drawn, those with the most calls; the table beside the map has all."""

_BOX: Final = 168
_GAP: Final = 264
"""Between two columns: what is said of an arrow stands there."""
_LINE: Final = 24
_MARGIN: Final = 8
_SPACE: Final = 16
_BEND: Final = 48
"""Length of an arrow before it turns."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls from one to another.

    Attributes:
        caller: A component.
        callee: A component, or a peer that is not recorded.
        is_recorded: True if the callee is a component.
        peers: Names of the callee for the caller's transport.
        calls: Number of calls.
        failed: Number of calls that went wrong; without calls, of connections that did.
        p95: 95th percentile of the time that answered calls took.
    """

    caller: str
    callee: str
    is_recorded: bool
    peers: tuple[str, ...]
    calls: int
    failed: int
    p95: timedelta | None


@dataclass(frozen=True, slots=True)
class Box:
    """A component or peer, from its upper left corner."""

    name: str
    is_recorded: bool
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge with its curve, and where its words end."""

    edge: Edge
    path: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class CallMap:
    """All that is drawn."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


def edges(rows: Sequence[Mapping[str, Any]]) -> list[Edge]:
    """Make edges of the rows of `who_calls_whom`."""
    return [
        Edge(
            row["caller"] or "unknown_service",
            row["callee"] or "unknown peer",
            row["is_recorded"],
            tuple(row["peers"] or ()),
            row["calls"],
            row["failed"],
            row["p95"],
        )
        for row in rows
    ]


def call_map(given: Sequence[Edge]) -> CallMap:
    """Lay out a map: who calls is left of whom it calls, unless they call each other."""
    drawn = sorted(given, key=lambda edge: -edge.calls)[:MOST]
    columns = _columns(drawn)
    into: dict[str, list[Edge]] = defaultdict(list)
    for edge in drawn:
        into[edge.callee].append(edge)
    boxes: dict[str, Box] = {}
    recorded = {edge.caller for edge in drawn} | {e.callee for e in drawn if e.is_recorded}
    for column, names in enumerate(columns):
        y = _MARGIN
        for name in names:
            height = _LINE * max(1, len(into[name])) + _SPACE
            x = _MARGIN + column * (_BOX + _GAP)
            boxes[name] = Box(name, name in recorded, x, y, _BOX, height)
            y += height + _SPACE
    arrows = []
    for name, coming in into.items():
        coming.sort(key=lambda edge: boxes[edge.caller].y)
        for place, edge in enumerate(coming):
            y = boxes[name].y + _SPACE // 2 + _LINE // 2 + place * _LINE
            arrows.append(_arrow(edge, boxes[edge.caller], boxes[name], y))
    return CallMap(
        tuple(boxes.values()),
        tuple(arrows),
        max((box.x + box.width for box in boxes.values()), default=0) + _MARGIN,
        max((box.y + box.height for box in boxes.values()), default=0) + _MARGIN,
    )


def _arrow(edge: Edge, start: Box, end: Box, y: int) -> Arrow:
    x_from, y_from, x_to = start.x + start.width, start.y + start.height // 2, end.x - 2
    if end.x > start.x:
        turned = f"{x_from + _BEND} {y_from} {x_from + 8} {y} {x_from + _BEND + 8} {y}"
        return Arrow(edge, f"M{x_from} {y_from}C{turned}H{x_to}", x_to - 12, y - 6)
    # Back: around the left of the box that is called.
    turned = f"{start.x - _BEND} {y_from} {x_to - _BEND} {y} {x_to} {y}"
    return Arrow(edge, f"M{start.x} {y_from}C{turned}", x_to, y - 6)


def _columns(drawn: Sequence[Edge]) -> list[list[str]]:
    """Give each name a column: right of all that call it, leaving out calls that go in circles."""
    calls: dict[str, list[str]] = defaultdict(list)
    for edge in drawn:
        if edge.callee != edge.caller:
            calls[edge.caller].append(edge.callee)
    names = list(dict.fromkeys([e.caller for e in drawn] + [e.callee for e in drawn]))
    called = {callee for callees in calls.values() for callee in callees}
    depth: dict[str, int] = {}
    starts = [name for name in names if name not in called] or names[:1]
    for start in (*starts, *names):
        if start not in depth:
            _descend(start, 0, calls, depth)
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in names:
        columns[depth[name]].append(name)
    for before, column in pairwise(columns):
        place = {name: index for index, name in enumerate(before)}
        column.sort(
            key=lambda name: min(
                (
                    place[edge.caller]
                    for edge in drawn
                    if edge.callee == name and edge.caller in place
                ),
                default=len(place),
            )
        )
    return columns


def _descend(
    start: str, begin: int, calls: Mapping[str, Sequence[str]], depth: dict[str, int]
) -> None:
    """Go down from a name, each name at the greatest depth of a way that meets nothing twice.

    There are at most `MOST` arrows; a way is given up where it turns back to itself, and what has
    its depth already is gone down again only if it gets deeper.
    """
    waiting: list[tuple[str, int, frozenset[str]]] = [(start, begin, frozenset())]
    budget = MOST * MOST
    while waiting and budget:
        budget -= 1
        name, level, above = waiting.pop()
        if name in above or level <= depth.get(name, -1):
            continue
        depth[name] = level
        waiting += [(callee, level + 1, above | {name}) for callee in calls.get(name, ())]
