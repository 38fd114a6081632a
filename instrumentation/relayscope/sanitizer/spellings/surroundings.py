"""Stretches of a text around some places in it, cut where no spelling is cut in two."""

from collections.abc import Iterable, Iterator
from typing import Final

Span = tuple[int, int]

_AROUND: Final = 1536
"""Characters on each side of a place. A name and what makes it one stand much nearer."""

_FEW: Final = 512
"""Characters in which a good place for a cut is looked for."""

_TOGETHER: Final = 2 * _AROUND - _FEW
"""Characters between two places. A cut takes 5 µs, and hostile text has a place every few."""

_SIGNS: Final = ("\n", " ", "\\", "%", "&")


def surroundings(text: str, places: Iterable[int]) -> list[Span]:
    """The stretches, in order and apart; all of the text if they would be most of it.

    Args:
        text: the text.
        places: in any order.
    """
    spans: list[Span] = []
    for first, last in _clusters(sorted(places)):
        start, end = _cut(text, first - _AROUND), _cut(text, last + _AROUND)
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, end))
    size = sum(end - start for start, end in spans)
    return spans if size < len(text) // 2 else [(0, len(text))]


def _clusters(places: Iterable[int]) -> Iterator[Span]:
    """Yield the first and the last of places whose surroundings overlap wherever they are cut."""
    first = last = -1
    for place in places:
        if first < 0:
            first = place
        elif place - last > _TOGETHER:
            yield first, last
            first = place
        last = place
    if first >= 0:
        yield first, last


def _cut(text: str, at: int) -> int:
    """A place where the text can be cut, before this one if there is one near."""
    if at <= 0:
        return 0
    if at >= len(text):
        return len(text)
    for sign in _SIGNS:
        found = text.rfind(sign, max(0, at - _FEW), at)
        if found > 0 and text[found - 1] != "\\":
            return found
    return at
