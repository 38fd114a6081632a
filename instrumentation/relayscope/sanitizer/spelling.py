"""The way back from how a text reads to how it is written, for the findings in it.

Most JSON has no other escapes than those of two characters, so they are counted. Other JSON is
written by one of a few encoders: the stretch before a finding is written again as they would write
it, and compared. Both are a hundred times cheaper than to note each escape.
"""

import json.encoder
from collections.abc import Callable, Iterable, Iterator
from typing import Final, cast

from relayscope.sanitizer.findings import Finding
from relayscope.sanitizer.views import unescaped

_ENCODERS: Final = cast(
    "tuple[Callable[[str], str], ...]",
    (json.encoder.encode_basestring, json.encoder.encode_basestring_ascii),
)

_ESCAPED: Final = '\n"\\\t\r'
_BLANKS: Final = "\n\t\r"
"""Characters that are escaped by one more, and those of them that could stand in a string as they
are, where somebody is no strict reader."""


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
    is_simple = len(raw) == _length(text, 0, len(text)) and not any(map(raw.__contains__, _BLANKS))
    for index, finding in enumerate(todo):
        start: int | None
        end: int | None
        if is_simple:
            start = placed + _length(text, read, finding.start)
            end = start + _length(text, finding.start, finding.end)
        else:
            start = _end(raw, placed, text[read : finding.start])
            end = _end(raw, start, text[finding.start : finding.end]) if start is not None else None
        if start is None or end is None:
            view = unescaped(raw)
            yield from map(view.back, todo[index:])
            return
        replacement = finding.replacement.replace("\\", "\\\\").replace('"', '\\"')
        yield finding.moved(start, end, replacement)
        read, placed = finding.end, end


def _length(text: str, start: int, end: int) -> int:
    """Return the length of a stretch, with each escape of two characters."""
    return end - start + sum(text.count(sign, start, end) for sign in _ESCAPED)


def _end(raw: str, start: int, stretch: str) -> int | None:
    """Return the end of a stretch that is written at `start` as an encoder would; else None."""
    for encode in _ENCODERS:
        spelled = encode(stretch)[1:-1]
        if raw.startswith(spelled, start):
            return start + len(spelled)
    return None
