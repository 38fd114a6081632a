"""Lengths of time and amounts of bytes as short text."""

from __future__ import annotations

import re
from typing import Final

from rich.filesize import pick_unit_and_suffix

_MS: Final = 10**6
_S: Final = 10**9
_MINUTE: Final = 60 * _S
_HOUR: Final = 60 * _MINUTE

_DAY: Final = 24 * _HOUR
_INTERVAL: Final = re.compile(r"(?:(-?\d+) days? ?)?(?:(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?")


def interval_text(interval: str) -> str:
    """Return an interval of PostgreSQL in the unit that fits it; of years it stays as it is."""
    found = _INTERVAL.fullmatch(interval)
    if not found:
        return interval
    days, sign, hours, minutes, seconds, fraction = found.groups(default="")
    ns = int(hours or 0) * _HOUR + int(minutes or 0) * _MINUTE + int(seconds or 0) * _S
    ns += int(fraction.ljust(9, "0"))
    return duration_text(int(days or 0) * _DAY + (-ns if sign else ns))


def duration_text(ns: int) -> str:
    """Return a duration in the unit that fits it: `0.41 ms`, `12.4 ms`, `1.25 s`, `2 min 3 s`."""
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    if ns < _S:
        return f"{sign}{ns / _MS:.2f} ms" if ns < 10 * _MS else f"{sign}{ns / _MS:.1f} ms"
    if ns < _MINUTE:
        return f"{sign}{ns / _S:.2f} s"
    if ns < _HOUR:
        return f"{sign}{ns // _MINUTE} min {ns % _MINUTE // _S} s"
    return f"{sign}{ns // _HOUR} h {ns % _HOUR // _MINUTE} min"


def took_text(start: int, end: int) -> str:
    """Return how long something took, which has an end or, where that is 0, none."""
    return duration_text(end - start) if end else "no end"


def offset_text(ns: int, extent: int) -> str:
    """Return a moment in a trace of that extent, in one unit for all moments of it."""
    return f"{ns / _MS:.2f} ms" if abs(extent) < 10 * _S else f"{ns / _S:.3f} s"


def size_text(size: int) -> str:
    """Return an amount of bytes: `189 B`, `4.1 kB`, `2.0 MB`."""
    unit, suffix = pick_unit_and_suffix(size, ["B", "kB", "MB", "GB", "TB"], 1000)
    return f"{size} B" if unit == 1 else f"{size / unit:.1f} {suffix}"
