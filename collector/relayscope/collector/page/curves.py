"""Curves over time: where each of their points is. Pure; the macro of `curves.html` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

WIDTH: Final = 960
HEIGHT: Final = 160

MOST: Final = 8
"""Curves that a plot can have so that each is told from the others: by its dashes, too."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line.

    Attributes:
        name: Its name.
        path: The `d` of an SVG path.
        last: Its last value.
        greatest: Its greatest one.
    """

    name: str
    path: str
    last: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Curves:
    """A plot of lines that begins at 0.

    Attributes:
        curves: Those with the greatest values.
        left_out: Number of the others.
        highest: The value at its upper edge.
        since: The time at its left edge.
        until: That at its right edge.
    """

    curves: tuple[Curve, ...]
    left_out: int
    highest: float
    since: datetime
    until: datetime


def curves(points: Mapping[str, Sequence[tuple[datetime, float]]]) -> Curves | None:
    """Lay out a line for each name; None if there is no point.

    Args:
        points: Times and values, in the order of time; values below 0 are drawn at 0.
    """
    given = {name: of_one for name, of_one in points.items() if of_one}
    if not given:
        return None
    names = sorted(given, key=lambda name: (-max(value for _, value in given[name]), name))
    shown = {name: given[name] for name in names[:MOST]}
    since = min(of_one[0][0] for of_one in shown.values())
    until = max(of_one[-1][0] for of_one in shown.values())
    highest = max(max(value for _, value in of_one) for of_one in shown.values())
    extent = (until - since).total_seconds() or 1.0

    def place(time: datetime, value: float) -> str:
        x = (time - since).total_seconds() / extent * WIDTH
        y = HEIGHT - max(value, 0.0) / (highest if highest > 0 else 1.0) * HEIGHT
        return f"{x:.1f} {y:.1f}"

    drawn = tuple(
        Curve(name, _path([place(*point) for point in of_one]), of_one[-1][1], _greatest(of_one))
        for name, of_one in shown.items()
    )
    return Curves(drawn, len(given) - len(shown), highest, since, until)


def _path(places: Sequence[str]) -> str:
    # What has one point only is drawn as a dot: a line of no length with round ends.
    return f"M{places[0]}L{' '.join(places[1:] or places)}"


def _greatest(points: Sequence[tuple[datetime, float]]) -> float:
    return max(value for _, value in points)
