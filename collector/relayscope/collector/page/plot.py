"""Bars over time: where each of them is. Pure; the macro `bars` of `plot.html` draws it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

WIDTH: Final = 960
HEIGHT: Final = 160


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a column: what one has of that time."""

    name: str
    time: datetime
    value: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A plot of columns, each of parts on top of each other.

    Attributes:
        bars: All parts.
        names: Whose they are, for the legend.
        highest: The value at its upper edge.
        since: The time at its left edge.
        until: That at its right edge.
    """

    bars: tuple[Bar, ...]
    names: tuple[str, ...]
    highest: int
    since: datetime
    until: datetime


def bars(
    values: Iterable[tuple[str, datetime, int]],
    since: datetime,
    until: datetime,
    step: timedelta,
) -> Bars:
    """Lay out columns of one `step` each; what is outside of the time is left out.

    Args:
        values: Whose, from when on, and how much.
        since: The beginning.
        until: The end.
        step: What one column is about.
    """
    given = [one for one in values if since <= one[1] < until and one[2] > 0]
    totals: dict[datetime, int] = defaultdict(int)
    for _, time, value in given:
        totals[time] += value
    highest = max(totals.values(), default=0)
    width = WIDTH * (step / (until - since))
    tops: dict[datetime, float] = defaultdict(lambda: float(HEIGHT))
    drawn = []
    for name, time, value in sorted(given, key=lambda one: (one[1], one[0])):
        height = HEIGHT * value / highest
        tops[time] -= height
        x = WIDTH * ((time - since) / (until - since))
        drawn.append(Bar(name, time, value, x, tops[time], max(1.0, width - 1), height))
    names = tuple(dict.fromkeys(name for name, _, _ in sorted(given)))
    return Bars(tuple(drawn), names, highest, since, until)
