"""The SQL behind what a view shows: its statements with their values, to be read and to be run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from psycopg.sql import Literal

from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString

_PLACES: Final = re.compile(r"%(?:\((\w+)\)s|%)")
_NOT_ASKED: Final = re.compile(
    r"^ *and (?:relayscope_store\.\w+\([\w.]+, NULL(?:::\w+)?\)"
    r"|\((?:NULL::[\w\[\]]+ is null|not false::boolean) or .+\)"
    r"|\(\n +(?:NULL::[\w\[\]]+ is null|not false::boolean)\n +or (?:.*\n)+?  \))\n",
    re.MULTILINE,
)
"""Filters of which nothing is asked, which let everything through. Each has lines of its own, of
which the last one is `  )` if they are several, and no value has line feeds."""


class Statement(NamedTuple):
    """A statement that runs as it stands.

    Attributes:
        about: What it finds, in words.
        text: SQL.
    """

    about: str
    text: str

    @property
    def rows(self) -> int:
        """Lines of its text."""
        return self.text.count("\n") + 1


def behind(bound: Mapping[str, object], *names: LiteralString) -> tuple[Statement, ...]:
    """Return named statements with the values of their parameters."""
    return tuple(Statement(name.replace("_", " "), written(query(name), bound)) for name in names)


def written(statement: LiteralString, bound: Mapping[str, object]) -> str:
    """Return a statement with the values of its parameters in their places."""
    text = _PLACES.sub(lambda found: _literal(bound[found[1]]) if found[1] else "%", statement)
    return _NOT_ASKED.sub("", text)


def _literal(value: object) -> str:
    """A value in SQL, in which characters that cannot be seen have their numbers."""
    text = Literal(value).as_string().strip()
    if text.isprintable():
        return text
    # Where a text has a backslash, it begins with an E and has two.
    shown = "".join(one if one.isprintable() else f"\\U{ord(one):08X}" for one in text)
    return shown if shown.startswith("E") else f"E{shown}"
