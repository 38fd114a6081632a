"""Lengths of time, as people write them: `30d`, `12h`, `90m`, or as ISO 8601 has them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

_LENGTH: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)")
_UNITS: Final = {
    "ms": "milliseconds",
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
}


def length_of(text: str) -> timedelta | None:
    """Read a number with its unit; None if that is something else.

    Raises:
        OverflowError: Python's lengths are not that long.
    """
    found = _LENGTH.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: float(found[1])}) if found else None


def _with_unit(value: object) -> object:
    """Refuse a number alone, which pydantic takes for seconds where people mean days."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and not value.strip().lstrip("+-").replace(".", "").isdigit():
        try:
            length = length_of(value.strip())
        except OverflowError:
            pass
        else:
            return value if length is None else length
    raise ValueError("expected a number with its unit: 30d, 12h, 90m")


Duration = Annotated[timedelta, Field(ge=timedelta(0)), BeforeValidator(_with_unit)]
"""A length of time, which may be zero."""

Lifetime = Annotated[timedelta, Field(ge=timedelta(hours=1)), BeforeValidator(_with_unit)]
"""Least time for which records are kept: by mistake, or for a test, less would take them all."""
