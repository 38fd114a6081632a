"""The values of a result, as text or as JSON, without a change to what they say.

psycopg makes Python objects of them, which cannot hold all that PostgreSQL can (an infinite
timestamp, the year 20000, the digits of a numeric). So values stay the text that PostgreSQL writes,
and only where JSON has a form of its own they take it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import orjson
from psycopg.adapt import Loader
from psycopg.types.string import TextLoader

if TYPE_CHECKING:
    from psycopg.abc import Buffer
    from psycopg.adapt import AdaptersMap

_TIMESTAMP: Final = re.compile(r"(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)?(:\d\d)?")
"""A timestamp of the ISO date style, up to where `BC` would stand."""


def as_text(adapters: AdaptersMap) -> None:
    """Give all values as PostgreSQL writes them."""
    for known in adapters.types:
        adapters.register_loader(known.oid, TextLoader)
        if known.array_oid:
            adapters.register_loader(known.array_oid, TextLoader)


def as_json(adapters: AdaptersMap) -> None:
    """Give all values as what orjson writes as the nearest JSON.

    Booleans, arrays and JSON are what they are; numbers keep all their digits, but NaN and the
    infinite ones are strings, as JSON has none; timestamps are ISO 8601 with a `T`; everything else
    is a string.
    """
    for known in adapters.types:
        if known.name not in _NATIVE:
            adapters.register_loader(known.oid, _JSON_LOADERS.get(known.name, TextLoader))


class _Number(Loader):
    def load(self, data: Buffer) -> orjson.Fragment | str:
        text = bytes(data)
        return orjson.Fragment(text) if text[-1:].isdigit() else text.decode()


class _Json(Loader):
    def load(self, data: Buffer) -> orjson.Fragment:
        # Line feeds can only stand between tokens: in strings JSON has them escaped.
        return orjson.Fragment(bytes(data).replace(b"\n", b" ").replace(b"\r", b" "))


class _Timestamp(Loader):
    def load(self, data: Buffer) -> str:
        text = bytes(data).decode()
        if found := _TIMESTAMP.fullmatch(text):
            date, time, hours, minutes = found.groups()
            return f"{date}T{time}{hours + (minutes or ':00') if hours else ''}"
        return text


_NATIVE: Final = frozenset({"bool", "int2", "int4", "int8", "oid"})
"""Types of which psycopg makes the Python object that orjson writes as the same JSON."""

_JSON_LOADERS: Final[dict[str, type[Loader]]] = {
    "float4": _Number,
    "float8": _Number,
    "numeric": _Number,
    "json": _Json,
    "jsonb": _Json,
    "timestamp": _Timestamp,
    "timestamptz": _Timestamp,
}
