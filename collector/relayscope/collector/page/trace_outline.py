"""A trace as small as a line: a bar for each of its spans, for lists of traces."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, LiteralString, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

WIDTH: Final = 160
HEIGHT: Final = 24
"""Of a drawing, in its own units."""

_SPANS: Final = 24
"""Of a trace at most: as many bars as there is room for, one under the other."""

_THINNEST: Final = 1.5

STATEMENT: Final[LiteralString] = """
select trace_id, start_time, end_time, component, failed
from (
    select trace_id, start_time, end_time, component, status = 'error' as failed,
           row_number() over (partition by trace_id order by start_time, span_id) as number
    from relayscope.spans
    where trace_id = any(%(traces)s) and start_time >= %(since)s and start_time <= %(until)s
) as span
where number <= %(most)s
order by trace_id, start_time
"""
"""The first spans of some traces."""


class Bar(NamedTuple):
    """A span: a rectangle, and whose it is."""

    x: float
    y: float
    width: float
    height: float
    component: str
    is_failed: bool


def parameters(traces: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Return the parameters of `STATEMENT` for rows of the list of traces."""
    return {
        "traces": [row["trace_id"] for row in traces],
        "since": min(row["start_time"] for row in traces),
        "until": max(row["start_time"] + row["duration"] for row in traces),
        "most": _SPANS,
    }


def outlines(spans: Iterable[Mapping[str, Any]]) -> dict[UUID, tuple[Bar, ...]]:
    """The bars of each trace, by its id, from the rows of `STATEMENT`."""
    of_trace: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for span in spans:
        of_trace[span["trace_id"]].append(span)
    return {trace_id: _bars(found) for trace_id, found in of_trace.items()}


def _bars(spans: Sequence[Mapping[str, Any]]) -> tuple[Bar, ...]:
    begin: datetime = min(span["start_time"] for span in spans)
    extent = (max(span["end_time"] for span in spans) - begin).total_seconds() or 1e-6
    step = HEIGHT / max(len(spans), 4)
    bars = []
    for at, span in enumerate(spans):
        x = (span["start_time"] - begin).total_seconds() / extent * WIDTH
        width = (span["end_time"] - span["start_time"]).total_seconds() / extent * WIDTH
        shown = min(max(width, _THINNEST), WIDTH)
        bars.append(
            Bar(
                round(min(x, WIDTH - shown), 1),
                round(at * step, 2),
                round(shown, 1),
                round(max(step - 1, 0.75), 2),
                span["component"],
                span["failed"],
            )
        )
    return tuple(bars)
