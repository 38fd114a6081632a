"""Two traces as ladders beside each other, what is in both on one level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from relayscope.collector.page.trace.ladder import HEAD, ROW, Ladder, distance, ladder, parties

if TYPE_CHECKING:
    from relayscope.collector.page.compare.alignment import Alignment
    from relayscope.collector.page.trace.picture import Picture

MOST: Final = 2000
"""Rows that are drawn."""

_ROOM: Final = 664
"""Width of each of two ladders beside each other, on a screen of 1,440 pixels."""


@dataclass(frozen=True, slots=True)
class Ladders:
    """The ladder of each, the names of steps that differ, and where the first of them is."""

    left: Ladder
    right: Ladder
    differing: frozenset[str]
    parting_y: int | None


def ladders(alignment: Alignment, left: Picture, right: Picture) -> Ladders:
    """Draw them."""
    pairs = alignment.pairs[:MOST]
    ours = [(place, pair.left) for place, pair in enumerate(pairs) if pair.left is not None]
    theirs = [(place, pair.right) for place, pair in enumerate(pairs) if pair.right is not None]
    lanes = [parties(picture.exchange) for picture in (left, right)]
    apart = distance("fitting", max(map(len, lanes)), _ROOM)
    drawn = [
        ladder(
            [step for _, step in steps],
            shown,
            picture.scale,
            apart=apart,
            levels=[place for place, _ in steps],
        )
        for steps, shown, picture in zip((ours, theirs), lanes, (left, right), strict=True)
    ]
    parts_at = alignment.parts_at
    parting = None if parts_at is None else HEAD + ROW * parts_at + ROW // 3
    differing = frozenset(
        name
        for pair in pairs
        if not pair.is_same
        for step in (pair.left, pair.right)
        if step is not None
        for name in step.names
    )
    return Ladders(drawn[0], drawn[1], differing, parting)
