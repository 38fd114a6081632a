"""Differences between the clocks of components, as far as messages and calls show them.

Nothing is received before it was sent, and no call is served before it was made. Where the times of
two components say otherwise, the clocks differ. How far is known to within the time that messages
took: both directions together bound it from both sides, and the middle is taken, as NTP does.
Clocks that contradict nothing are left as they are.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Final

from relayscope.collector.query.records import text_of
from relayscope.conventions.attributes import MCP_METHOD_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from relayscope.collector.page.trace.crossings import Crossing
    from relayscope.collector.query.records import Span
    from relayscope.collector.query.trace_tree import Node

TELLING: Final = 10**6
"""From 1 ms on a correction is told of: less is nothing that a reader could be misled by."""

_Bounds = defaultdict[tuple[str, str], list[int]]
"""For two components: what the second's clock has to be put forward by at least, from each fact."""


def corrections(nodes: Sequence[Node], crossings: Iterable[Crossing]) -> dict[str, int]:
    """Return ns to add to each component's times, so that nothing comes before its cause.

    The clock of who began is the one that counts. A component that is not listed needs nothing.
    """
    bounds = _bounds(nodes, crossings)
    neighbours: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one, other in bounds:
        neighbours[one][other] = neighbours[other][one] = None
    found: dict[str, int] = {}
    names = [node.span.component for node in nodes if node.span is not None]
    for first in dict.fromkeys([*names, *neighbours]):
        if first in found:
            continue
        found[first] = 0
        waiting = deque([first])
        while waiting:
            one = waiting.popleft()
            for other in neighbours[one]:
                if other not in found:
                    found[other] = _correction(bounds, one, other, found[one])
                    waiting.append(other)
    return {component: ns for component, ns in found.items() if ns}


def _bounds(nodes: Iterable[Node], crossings: Iterable[Crossing]) -> _Bounds:
    bounds: _Bounds = defaultdict(list)
    for crossing in crossings:
        if (sent := crossing.sent) is not None and (received := crossing.received) is not None:
            bounds[sent.component, received.component].append(sent.time - received.time)
    for node in nodes:
        below, above = node.span, node.parent.span if node.parent else None
        if below is None or above is None or below.component == above.component:
            continue
        bounds[above.component, below.component].append(above.start - below.start)
        if _waits(above) and below.kind == "server":
            bounds[below.component, above.component].append(below.end - above.end)
    return bounds


def _waits(span: Span) -> bool:
    """Return whether a span ends with its answer. A notification or a failed call may not."""
    method = text_of(span.attributes.get(MCP_METHOD_NAME)) or ""
    return span.kind == "client" and not span.failed and not method.startswith("notifications/")


def _correction(
    bounds: Mapping[tuple[str, str], list[int]], one: str, other: str, of_one: int
) -> int:
    """Return ns to add to the other's times, given that of one: 0 if that contradicts nothing."""
    least = max((of_one + bound for bound in bounds.get((one, other), ())), default=None)
    most = min((of_one - bound for bound in bounds.get((other, one), ())), default=None)
    if least is not None and most is not None:
        return 0 if least <= 0 <= most else (least + most) // 2
    if least is not None:
        return max(0, least)
    return 0 if most is None else min(0, most)
