"""Trace ids in every form that people paste, and short."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from relayscope.collector.query import last_list
from relayscope.collector.query import value_loaders as values
from relayscope.collector.query.errors import RowMissing, TraceAmbiguous, TraceMissing
from relayscope.collector.query.named_query import select

if TYPE_CHECKING:
    import psycopg

_FORMS: Final = (
    re.compile(r"([0-9a-f]{32})"),
    re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"),
    # W3C Trace Context §3.2: version, trace id, parent id, flags; later versions may append fields.
    re.compile(r"(?:traceparent\W+)?[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"),
)
_ROW: Final = re.compile(r"[0-9]{1,5}")
_PREFIX: Final = re.compile(r"[0-9a-f]{6,31}")
_DIGITS: Final = 32

_SHORT: Final = 8
"""Digits of an id in a list: of a million traces stored, one in 4,300 shares them with another."""


class Ids(NamedTuple):
    """The ids that begin with what was given, from the first to the last."""

    first: UUID
    last: UUID


def short(trace_id: str) -> str:
    """The beginning of an id, as lists show it."""
    return trace_id.replace("-", "")[:_SHORT]


def is_row_number(text: str) -> bool:
    """Return whether a text is the number of a row of the last list, and no id."""
    return _ROW.fullmatch(_plain(text)) is not None


def parse_trace_id(text: str) -> Ids:
    """The id in a hex number, a UUID, a whole `traceparent`, or a row of the last list.

    Six digits and more may be the beginning of an id; up to five are the number of a row.

    Raises:
        ValueError: it is none of these, or the id that W3C Trace Context forbids (all zeros).
        RowMissing: the last list has no such row, or it is in no trace.
    """
    plain = _plain(text)
    if _ROW.fullmatch(plain):
        trace_id = last_list.row(int(plain)).trace_id
        if trace_id is None:
            raise RowMissing(f"row {plain} of the last list is in no trace")
        return Ids(trace_id, trace_id)
    for form in _FORMS:
        if (found := form.fullmatch(plain)) and (whole := UUID(found[1])).int:
            return Ids(whole, whole)
    digits = plain.replace("-", "").rstrip("…")
    if _PREFIX.fullmatch(digits):
        return Ids(UUID(digits.ljust(_DIGITS, "0")), UUID(digits.ljust(_DIGITS, "f")))
    raise ValueError(
        "expected a trace id (32 hex digits, its first 6 or more, a UUID, or a traceparent), "
        "or the number of a row of the last list"
    )


def _plain(text: str) -> str:
    return text.strip().strip("\"'").lower()


def find(connection: psycopg.Connection[Any], ids: Ids) -> UUID:
    """The trace that is meant.

    Raises:
        TraceMissing: no id of a trace begins so.
        TraceAmbiguous: several do.
    """
    if ids.first == ids.last:
        return ids.first
    found = [
        UUID(trace_id)
        for (trace_id,) in select(connection, "traces_between", ids._asdict(), values.as_text).rows
    ]
    if not found:
        raise TraceMissing(f"no id of a trace begins with {_beginning(ids)}")
    if len(found) > 1:
        listed = ", ".join(trace_id.hex for trace_id in found)
        raise TraceAmbiguous(f"several traces begin with {_beginning(ids)}: {listed}")
    return found[0]


def _beginning(ids: Ids) -> str:
    return "".join(
        one for one, other in zip(ids.first.hex, ids.last.hex, strict=True) if one == other
    )
