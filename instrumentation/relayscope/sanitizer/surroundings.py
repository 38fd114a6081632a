"""Stretches of a text around some places in it, cut where no spelling is cut in two."""

from collections.abc import Iterable
from typing import Final

Span = tuple[int, int]

_AROUND: Final = 1536
"""Characters on each side of a place. A name and what makes it one stand much nearer."""

_FEW: Final = 512
"""Characters in which a good place for a cut is looked for."""

_SIGNS: Final = ("\n", " ", "\\", "%", "&")


def surroundings(text: str, places: Iterable[int]) -> list[Span]:
    """The stretches, in order and apart; all of the text if they would be most of it.

    Args:
        text: the text.
        places: in any order.
    """
    spans: list[Span] = []
    for place in sorted(places):
        if spans and place + _AROUND <= spans[-1][1]:
            continue
        start, end = _cut(text, place - _AROUND), _cut(text, place + _AROUND)
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, end))
    size = sum(end - start for start, end in spans)
    return spans if size < len(text) // 2 else [(0, len(text))]


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
