"""The waterfall: a row for each span, message and record, and beside it when that was.

A bar's place is a share of the trace's time in thousandths, so that the browser fits it to whatever
width there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup, escape

from relayscope.collector.page.trace import words
from relayscope.collector.page.trace.scale import WHOLE
from relayscope.collector.query.records import Message, SpanEvent
from relayscope.collector.query.trace_tree import Node
from relayscope.collector.text.quantities import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relayscope.collector.page.trace.places import Places
    from relayscope.collector.page.trace.scale import Scale
    from relayscope.collector.page.trace.shown import Shown
    from relayscope.collector.query.records import Record
    from relayscope.collector.query.trace_tree import Entry

_DEEPEST: Final = 12
"""Levels that are told apart by their margin; deeper ones share one."""

_SHORT: Final = 10
"""Thousandths from which on a bar can be seen by itself."""

_NEAR_END: Final = 700
"""Thousandths from which on there is no room for a duration behind the bar."""

_LEAST: Final = '<rect class="least" x="{x}%" y="8" width="3" height="10" rx="1"/>'
_MARK: Final = '<rect class="mark" x="{}%" y="6" width="1" height="14"/>'.format

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
        took: Its duration.
        start: The place at which its bar or mark begins, in thousandths.
        length: The length of its bar.
        marks: The places of a span's messages on its bar.
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
    took: str = ""
    start: float = 0
    length: float = 0
    marks: tuple[float, ...] = ()
    hidden: int = 0
    brief: int = 0
    is_parent: bool = False

    def drawing(self, *, is_zoomed: bool) -> Markup:
        """Return what the row's SVG shows; as a template it took a third of the page's time."""
        x = self.start / 10
        if is_zoomed and not self.length and self.start in {0, WHOLE}:
            return Markup()  # What is at an edge of a time that is seen closer is beyond it.
        if self.what != "span":
            return Markup(f'<circle class="point" cx="{x}%" cy="13" r="3"/>')  # noqa: S704  # a number
        least = _LEAST.format(x=x) if self.length < _SHORT else ""
        marks = "".join(map(_MARK, (mark / 10 for mark in self.marks)))
        end = self.start + self.length
        place = (
            f'x="{x}%" dx="-6" y="17" text-anchor="end"'
            if end > _NEAR_END
            else f'x="{end / 10}%" dx="8" y="17"'
        )
        return Markup(  # noqa: S704  # numbers, and what is escaped
            f'<rect class="bar" x="{x}%" y="8" width="{self.length / 10}%" height="10" rx="2"/>'
            f"{least}{marks}<text {place}>{escape(self.took)}</text>"
        )


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
        said = [str(item.attributes.get(f"exception.{key}") or "") for key in ("type", "message")]
        return Row(
            name=name,
            what="event",
            depth=depth,
            component=component,
            sign="•",
            label=words.short(item.name),
            said=words.short(": ".join(filter(None, said))),
            severity="warn" if item.name == "exception" else "",
            **scale.when(item.time, component),
        )
    return _record(name, depth, item, scale)


def _span(name: str, depth: int, node: Node, shown: Shown, scale: Scale) -> Row:
    span = node.span
    if span is None:
        component = next((record.component for record in node.records), "")
        return Row(
            name=name,
            what="span",
            depth=depth,
            component=component,
            sign="",
            label=f"span {words.short(node.span_id)}",
            trouble="not recorded",
            severity="warn",
            **scale.when(node.start, component),
            hidden=shown.folded[name],
            brief=shown.brief[name],
            is_parent=bool(node.children or node.records),
        )
    start, end = (scale.place(time, span.component) for time in (span.start, span.end))
    trouble = (words.no_answer(span) or words.failure(span)) if span.failed else ""
    return Row(
        name=name,
        what="span",
        depth=depth,
        component=span.component,
        sign="",
        label=words.short(span.name),
        said=f"{span.kind} {duration_text(span.end - span.start)}",
        trouble=trouble or ("its parent is below it" if node.in_cycle else ""),
        severity="error" if span.failed else "warn" if node.in_cycle else "",
        **scale.when(span.start, span.component),
        took=duration_text(span.end - span.start),
        length=round(max(end - start, 0), 1),
        marks=tuple(scale.place(message.time, message.component) for message in node.messages),
        hidden=shown.folded[name],
        brief=shown.brief[name],
        is_parent=bool(node.children or node.records or span.events),
    )


def _record(name: str, depth: int, record: Record, scale: Scale) -> Row:
    when = scale.when(record.time, record.component)
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
            **when,
        )
    number = record.severity_number
    return Row(
        name,
        "log",
        depth,
        record.component,
        "•",
        words.log_label(record),
        words.short(record.body or ""),
        severity="error" if number >= words.ERROR else "warn" if number >= words.WARN else "",
        **when,
    )
