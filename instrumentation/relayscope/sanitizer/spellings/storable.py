"""The step `normalize`: brings what PostgreSQL cannot hold into a form that it can.

Each change is visible where it was made and has a name, so that evidence never changes unseen.
"""

import math
import re
from typing import Any, Final

INT64: Final = range(-(2**63), 2**63)

NUL: Final = "nul"
SURROGATE: Final = "surrogate"
NOT_FINITE: Final = "not-finite"
BIG_INTEGER: Final = "big-integer"

_SURROGATE = re.compile("[\ud800-\udfff]")

_LONGEST_INTEGER: Final = 4096
"""Bits. Python writes longer ones out in quadratic time, and refuses beyond 4,300 digits."""


def storable(value: Any) -> tuple[Any, list[str]]:
    """A text or a number as PostgreSQL can hold it, and the names of what had to change."""
    match value:
        case str():
            return storable_text(value)
        case float():
            return storable_float(value)
        case int() if not isinstance(value, bool):
            return storable_int(value)
        case _:
            return value, []


def storable_text(text: str) -> tuple[str, list[str]]:
    """The text as PostgreSQL can hold it, and the names of what had to change.

    NUL becomes its visible symbol U+2400, half a surrogate pair U+FFFD.
    """
    changes = []
    if "\0" in text:
        text = text.replace("\0", "\N{SYMBOL FOR NULL}")
        changes.append(NUL)
    if not encodable(text):
        text = without_surrogates(text)
        changes.append(SURROGATE)
    return text, changes


def storable_float(number: float) -> tuple[float | str, list[str]]:
    """JSON has no NaN and no infinity; they become text, spelled as in OTLP's JSON."""
    if math.isfinite(number):
        return number, []
    name = "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return name, [NOT_FINITE]


def storable_int(number: int) -> tuple[int | str, list[str]]:
    """An integer beyond 64 bits becomes text: its digits, or its size if it is absurd."""
    if number in INT64:
        return number, []
    if number.bit_length() > _LONGEST_INTEGER:
        return f"[DROPPED:{BIG_INTEGER}]", [BIG_INTEGER]
    return str(number), [BIG_INTEGER]


def encodable(text: str) -> bool:
    """Return whether the text has a UTF-8 form; half a surrogate pair has none."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without_surrogates(text: str) -> str:
    """The text with each half of a surrogate pair replaced, its length unchanged."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
