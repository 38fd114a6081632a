"""The waterfall: a row for each span, message and record, and beside it when that was.

`waterfall_markup.py` draws them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from relayscope.collector.page.trace import words
from relayscope.collector.query.records import Message, SpanEvent
from relayscope.collector.query.trace_tree import Node
from relayscope.collector.render.labels import exception_text
from relayscope.collector.text.quantities import took_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relayscope.collector.page.trace.places import Places
    from relayscope.collector.page.trace.scale import Scale
    from relayscope.collector.page.trace.shown import Shown
    from relayscope.collector.query.records import Record
    from relayscope.collector.query.trace_tree import Entry

_DEEPEST: Final = 12
"""Levels that are told apart by their margin; deeper ones share one."""

_ARROWS: Final = {"sent": "→", "received": "←"}


class Row(NamedTuple):
    """A line of the waterfall.

    Attributes:
        name: In an address.
        what: `span`, `message`, `log` or `event`.
        depth: Its level of indentation.
        component: The component that recorded it.
        sign: An arrow, or another sign before the label.
        label: Its name, in short.
        said: Its contents, in short.
        trouble: Its fault, in words; `severity` tells how bad it is.
        severity: As for a note of the ladder.
        time: Its time, as text; `at` in ns, by the corrected clock.
        until: The time at which it ended; `took` is its duration, as text.
        node: The span, of whose messages there are marks on its bar.
        hidden: Number of rows that are folded below it.
        brief: Number of spans below it that are too brief to be shown.
        is_parent: True if there is anything below it.
    """

    name: str
    what: str
    depth: int
    component: str
    sign: str
    label: str
    said: str = ""
    trouble: str = ""
    severity: str = ""
    time: str = ""
    at: int = 0
    until: int = 0
    took: str = ""
    node: Node | None = None
    hidden: int = 0
    brief: int = 0
    is_parent: bool = False


def waterfall(places: Places, shown: Shown, scale: Scale) -> Iterator[Row]:
    """The rows that are shown, from the top down."""
    for entry in places.entries:
        name = places.name(entry.item)
        if name in shown.names:
            yield _row(name, entry, places, shown, scale)


def _row(name: str, entry: Entry, places: Places, shown: Shown, scale: Scale) -> Row:
    item, depth = entry.item, min(entry.depth, _DEEPEST)
    if isinstance(item, Node):
        return _span(name, depth, item, shown, scale)
    if isinstance(item, SpanEvent):
        node = places.node(item)
        component = node.span.component if node and node.span else ""
        at = scale.at(item.time, component)
        return Row(
            name=name,
            what="event",
            depth=depth,
            component=component,
            sign="•",
            label=words.short(item.name),
            said=words.short(exception_text(item.attributes)),
            severity="warn" if item.name == "exception" else "",
            time=scale.text(at),
            at=at,
        )
    row = _record(name, depth, item, scale)
    if name not in places.strays:
        return row
    return row._replace(trouble=", ".join(filter(None, [row.trouble, "beside this trace"])))


def _span(name: str, depth: int, node: Node, shown: Shown, scale: Scale) -> Row:
    span = node.span
    if span is None:
        component = next((record.component for record in node.records), "")
        at = scale.at(node.start, component)
        return Row(
            name=name,
            what="span",
            depth=depth,
            component=component,
            sign="",
            label=f"span {words.short(node.span_id)}",
            trouble="not recorded",
            severity="warn",
            time=scale.text(at),
            at=at,
            until=at,
            node=node,
            hidden=shown.folded[name],
            brief=shown.brief[name],
            is_parent=bool(node.children or node.records),
        )
    at = scale.at(span.start, span.component)
    took = took_text(span.start, span.end)
    trouble = (words.no_answer(span) or words.failure(span)) if span.failed else ""
    return Row(
        name=name,
        what="span",
        depth=depth,
        component=span.component,
        sign="",
        label=words.short(span.name),
        said=f"{span.kind} {took}",
        trouble=trouble or ("its parent is below it" if node.in_cycle else ""),
        severity="error" if span.failed else "warn" if node.in_cycle else "",
        time=scale.text(at),
        at=at,
        until=scale.at(span.end, span.component),
        took=took,
        node=node,
        hidden=shown.folded[name],
        brief=shown.brief[name],
        is_parent=bool(node.children or node.records or span.events),
    )


def _record(name: str, depth: int, record: Record, scale: Scale) -> Row:
    at = scale.at(record.time, record.component)
    if isinstance(record, Message):
        odd = record.odd or ""
        return Row(
            name,
            "message",
            depth,
            record.component,
            _ARROWS.get(record.direction or "", "?"),
            words.label(record),
            words.said(record),
            trouble=words.short(odd.replace("_", " ")),
            severity="error" if record.kind == "error" else "warn" if odd else "",
            time=scale.text(at),
            at=at,
        )
    number = record.severity_number
    return Row(
        name,
        "log",
        depth,
        record.component,
        "•",
        words.log_label(record),
        words.log_said(record),
        severity="error" if number >= words.ERROR else "warn" if number >= words.WARN else "",
        time=scale.text(at),
        at=at,
    )
