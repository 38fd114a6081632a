"""JSON laid out for people, every token as it was sent.

The text is not parsed into values and written anew: that would change numbers, escapes, members
that are there twice and what breaks off, which is what a reader may be looking for. Only white
space between tokens is ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_CLOSES: Final = {"{": "}", "[": "]"}
_WORDS: Final = ("true", "false", "null")

_DEEPEST: Final = 24
"""Levels that are told apart by their margin; deeper ones share one."""


class Piece(NamedTuple):
    """A stretch of a line: `key`, `string`, `number`, `word`, or `mark` for what is between."""

    kind: str
    text: str


@dataclass(slots=True)
class Line:
    """A line, and how far in it stands."""

    depth: int
    pieces: list[Piece] = field(default_factory=list)


def laid_out(text: str) -> list[Line]:
    """The lines of a text: of JSON one for each member and element, of other text its own."""
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return [Line(0, [Piece("string", line)]) for line in text.expandtabs(4).split("\n")]
    pieces = _TOKEN.findall(text)
    line = Line(0)
    found = [line]
    depth = 0
    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else ""
        if piece in _CLOSES:
            line.pieces.append(Piece("mark", piece))
            if following != _CLOSES[piece]:
                depth += 1
                line = _new_line(found, depth)
            continue
        if piece in ("}", "]"):
            if place and _CLOSES.get(pieces[place - 1]) != piece:
                depth = max(0, depth - 1)
                line = _new_line(found, depth)
            line.pieces.append(Piece("mark", piece))
        elif piece == ",":
            line.pieces.append(Piece("mark", ","))
            line = _new_line(found, depth)
        elif piece == ":":
            line.pieces.append(Piece("mark", ": "))
        else:
            if line.pieces and line.pieces[-1].kind != "mark":
                line.pieces.append(Piece("mark", " "))  # no JSON, so its words stay apart
            line.pieces.append(Piece(_kind(piece, following), piece))
    return [line for line in found if line.pieces]


def _new_line(found: list[Line], depth: int) -> Line:
    line = Line(min(depth, _DEEPEST))
    found.append(line)
    return line


def _kind(piece: str, following: str) -> str:
    if piece.startswith('"'):
        return "key" if following == ":" else "string"
    return "word" if piece in _WORDS else "number"
