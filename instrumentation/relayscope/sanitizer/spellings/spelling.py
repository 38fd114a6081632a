"""The way back from how a text reads to how it is written, for the findings in it.

JSON is written by one of a few encoders: the stretch before a finding is written again as they
would write it, and compared. That is a hundred times cheaper than to note each escape.
"""

import json.encoder
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import orjson

from relayscope.sanitizer.findings import Finding

from .views import unescaped

_ENCODERS: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: orjson.dumps(text).decode(),
    json.encoder.encode_basestring_ascii,
)
"""The way of most libraries, with no more escapes than there have to be, and Python's own."""


def written(raw: str, text: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings in the inside of a JSON string, in the coordinates of how it is written.

    Args:
        raw: the inside of the string, as it is written.
        text: the same with its escapes read.
        findings: findings in `text`, in order and apart.
    """
    if raw == text:
        yield from findings
        return
    read = placed = 0
    todo = list(findings)
    for index, finding in enumerate(todo):
        start = _end(raw, placed, text[read : finding.start])
        end = None if start is None else _end(raw, start, text[finding.start : finding.end])
        if start is None or end is None:
            view = unescaped(raw)
            yield from map(view.back, todo[index:])
            return
        replacement = finding.replacement.replace("\\", "\\\\").replace('"', '\\"')
        yield finding.moved(start, end, replacement)
        read, placed = finding.end, end


def _end(raw: str, start: int, stretch: str) -> int | None:
    """Return the end of a stretch that is written at `start` as an encoder would; else None."""
    for encode in _ENCODERS:
        spelled = encode(stretch)[1:-1]
        if raw.startswith(spelled, start):
            return start + len(spelled)
    return None
