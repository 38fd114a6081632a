"""The members of a JSON object in a text, one after the other, with their places."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in typeshed
from typing import Any, Final, NamedTuple

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\n\r]*")


class Member(NamedTuple):
    """One member.

    Attributes:
        start: The character at which its value begins.
        end: The character behind its value; None where the text ends before, or is no JSON.
    """

    key: str
    value: Any
    start: int
    end: int | None


def members(text: str, start: int) -> Iterator[Member]:
    """Go through the members of the object that opens at `start`; only the last may have no end.

    Raises:
        ValueError: There is no object, or something else than a member in it.
    """
    if text[start : start + 1] != "{":
        raise ValueError(f"not a JSON object at character {start}")
    position = skip_space(text, start + 1)
    if text[position : position + 1] == "}":
        return
    while True:
        if text[position : position + 1] != '"':
            raise ValueError(f"not a JSON key at character {position}")
        key, position = scanstring(text, position + 1, True)
        position = skip_space(text, position)
        if text[position : position + 1] != ":":
            raise ValueError(f"not a JSON member at character {position}")
        value_start = skip_space(text, position + 1)
        value: Any = None
        end: int | None = None
        with suppress(ValueError, RecursionError):
            value, end = _DECODER.raw_decode(text, value_start)
        # A number that ends with the text may have more digits.
        if end is None or end == len(text):
            yield Member(key, None, value_start, None)
            return
        yield Member(key, value, value_start, end)
        position = skip_space(text, end)
        if text[position : position + 1] != ",":
            return
        position = skip_space(text, position + 1)


def skip_space(text: str, position: int) -> int:
    """Return the place of the next character that is no white space."""
    match = _SPACE.match(text, position)
    return match.end() if match else position
