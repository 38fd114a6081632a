"""Bars over time: where each of them is. Pure; the macro `bars` of `plot.html` draws it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

WIDTH: Final = 960
HEIGHT: Final = 160

_NAMED: Final = 11
"""Series that have a name of their own; those with less are one. There are twelve colours."""


class Series(NamedTuple):
    """A component, and the peer from which it got what is plotted; of all others, neither."""

    component: str
    peer: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a column: what one series has of that time."""

    series: Series
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
        series: The series of the parts, for the legend, those with the most first.
        highest: The value at its upper edge.
        since: The time at its left edge.
        until: That at its right edge.
    """

    bars: tuple[Bar, ...]
    series: tuple[Series, ...]
    highest: int
    since: datetime
    until: datetime


def bars(
    values: Iterable[tuple[Series, datetime, int]],
    since: datetime,
    until: datetime,
    step: timedelta,
) -> Bars:
    """Lay out columns of one `step` each; what is outside of the time is left out.

    Args:
        values: Series, start of the column and value of each part.
        since: The beginning.
        until: The end.
        step: Time that one column covers.
    """
    columns, order = _columns(one for one in values if since <= one[1] < until and one[2] > 0)
    highest = max((sum(parts.values()) for parts in columns.values()), default=0)
    width = WIDTH * (step / (until - since))
    drawn = []
    for time in sorted(columns):
        top = float(HEIGHT)
        x = WIDTH * ((time - since) / (until - since))
        for series in order:
            if value := columns[time].get(series):
                height = HEIGHT * value / highest
                top -= height
                drawn.append(Bar(series, time, value, x, top, max(1.0, width - 1), height))
    return Bars(tuple(drawn), order, highest, since, until)


def _columns(
    values: Iterable[tuple[Series, datetime, int]],
) -> tuple[Mapping[datetime, Mapping[Series, int]], tuple[Series, ...]]:
    """Return what each series has of each time, and the series, those with the most first."""
    given = list(values)
    totals: Counter[Series] = Counter()
    for series, _, value in given:
        totals[series] += value
    named = [series for series, _ in totals.most_common(_NAMED)]
    others = Series("", "")
    columns: dict[datetime, Counter[Series]] = defaultdict(Counter)
    for series, time, value in given:
        columns[time][series if series in named else others] += value
    return columns, (*named, others) if len(totals) > len(named) else tuple(named)
