"""Says where in a JSON text a place is, for people: `$.params.arguments[0].password`."""

import json
from collections.abc import Callable

from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.findings import TooManyFindings

from .strings import json_string
from .values import JsonValues

_DEEPEST = 16
"""Pieces of a path that are shown. Nobody reads more, and hostile text has thousands."""


def path_within(text: str, at: int, shown: Callable[[str], str]) -> str:
    """The way from the whole text to a place in it, through JSON in JSON; empty if it is no JSON.

    Args:
        text: the text.
        at: the place.
        shown: makes of a member's name what may be shown of it.
    """
    path = ""
    while text[:64].lstrip().startswith(("{", "[")):
        pieces, start = _descend(text, at, shown)
        path += f" > ${pieces}"
        string = json_string(text, start) if text.startswith('"', start) else None
        if string is None:
            break
        inside = json_string(text[: max(at, start + 1)], start)
        text, at = string.text, len(inside.text) if inside else 0
    return path


def _descend(text: str, at: int, shown: Callable[[str], str]) -> tuple[str, int]:
    """The path to the innermost value around a place, and where that value starts."""
    values = JsonValues(text, Allowance.of(text))
    start = len(text) - len(text.lstrip())
    pieces = ""
    try:
        for _ in range(_DEEPEST):
            step = _step(text, values, start, at, shown)
            if step is None:
                return pieces, start
            piece, start = step
            pieces += piece
    except TooManyFindings:
        pass
    return pieces + "..", start


def _step(
    text: str, values: JsonValues, start: int, at: int, shown: Callable[[str], str]
) -> tuple[str, int] | None:
    if text.startswith("{", start):
        for member in values.members(start + 1):
            if at < member.place.end:
                name = _readable(member.name)
                return (f".{shown(name)}", member.place.start) if at >= member.place.start else None
    if text.startswith("[", start):
        for index, item in enumerate(values.items(start + 1)):
            if at < item.end:
                return (f"[{index}]", item.start) if at >= item.start else None
    return None


def _readable(name: str) -> str:
    try:
        return str(json.loads(f'"{name}"', strict=False))
    except ValueError:
        return name
