"""Whom a new rule does not reach, as lines for who has set it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from relayscope.conventions.environment import RELAYSCOPE_OPAMP_ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GONE: Final = frozenset({"ended", "silent"})
_MOST_NAMES: Final = 5
_LONGEST_NAME: Final = 80


def unreached(found: Mapping[str, Any], component: str, url: str) -> Iterator[str]:
    """Yield what to say of a rule about components, after an overview of the collector at a URL."""
    meant = [
        process
        for process in found["processes"]
        if process["state"] not in _GONE and fnmatchcase(process["component"], component)
    ]
    deaf = sorted({each["component"] for each in meant if each["state"] == "unreachable"})
    if deaf:
        yield (
            f"this does not reach {_listed(deaf)}: records come, and nobody asks for levels. Where "
            f"the collector's ports are not 4317 and 4318, {RELAYSCOPE_OPAMP_ENDPOINT}={url} in "
            "the environment of what is traced says where to ask"
        )
    elif not meant:
        yield (
            f"this reaches nobody now: no process of {_shown(component)} asks for levels "
            "(`relayscope level list`). Those that begin later take it"
        )


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    shown = ", ".join(map(_shown, names[:_MOST_NAMES]))
    return f"{shown} and {more:,} more" if more > 0 else shown


def _shown(name: str) -> str:
    """Return a name without characters that steer the terminal."""
    harmless = "".join(letter if letter.isprintable() else "?" for letter in name)
    return harmless if len(harmless) <= _LONGEST_NAME else f"{harmless[: _LONGEST_NAME - 1]}…"
