"""The records of a trace that hold a text: those that are shown, and those beyond."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg.rows import DictRow, dict_row

from relayscope.collector.page.trace.places import Places
from relayscope.collector.query.named_query import in_our_words
from relayscope.collector.query.queries import query
from relayscope.collector.query.records import Message, Record
from relayscope.collector.query.trace_tree import Node

if TYPE_CHECKING:
    import psycopg

    from relayscope.collector.query.trace_tree import Item, Trace


class Found(NamedTuple):
    """Names of what was found.

    Attributes:
        shown: What was loaded of it.
        before: What comes before all that was loaded, in the order of time.
        behind: The rest of what was not loaded.
    """

    shown: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


NOTHING: Final = Found()


def found_in(connection: psycopg.Connection[Any], trace: Trace, text: str) -> Found:
    """Look for a text in all of a trace, loaded or not, and in what is beside it."""
    with in_our_words(), connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            query("found_in_trace"), {"trace_id": trace.trace_id, "text": text.replace("\0", "")}
        ).fetchall()
    waiting = {_key(row): row for row in rows}
    places = Places(trace)
    beside = {id(record) for record in trace.strays if text.lower() in _text_of(record).lower()}
    shown = []
    for name, item in places.items.items():
        key = _key_of(item)
        if key in waiting or id(item) in beside:
            shown.append((name, key))
    for _, key in shown:
        waiting.pop(key, None)
    began = min((record.time for record in trace.records()), default=0)
    beyond = sorted(waiting.values(), key=lambda row: int(row["time_unix_nano"]))
    return Found(
        tuple(name for name, _ in shown),
        tuple(_name(row) for row in beyond if row["time_unix_nano"] < began),
        tuple(_name(row) for row in beyond if row["time_unix_nano"] >= began),
    )


_Key = tuple[object, ...]


def _key(row: DictRow) -> _Key:
    if row["what"] == "span":
        return (row["span_id"],)
    return (row["component"], int(row["time_unix_nano"]), row["channel"], row["sequence"])


def _key_of(item: Item) -> _Key:
    if isinstance(item, Node):
        return (item.span_id if item.span is not None else None,)
    if isinstance(item, Message):
        sequence = str(item.sequence) if item.channel else None
        return (item.component, item.time, item.channel, sequence)
    return (item.component, item.time, None, None) if isinstance(item, Record) else ()


def _text_of(record: Record) -> str:
    """The text in which `found_in_trace` would look: what is beside a trace is loaded whole."""
    return " ".join(
        filter(
            None,
            (
                record.component,
                record.event_name,
                record.severity_text,
                record.body,
                json.dumps(record.attributes, ensure_ascii=False),
            ),
        )
    )


def _name(row: DictRow) -> str:
    """The name by which an address chooses it."""
    if row["what"] == "span":
        return str(row["span_id"])
    if row["channel"] is not None:
        return f"{row['channel']}/{row['sequence']}"
    return f"log:{row['time_unix_nano']}"
