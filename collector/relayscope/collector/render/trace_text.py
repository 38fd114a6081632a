"""A trace for people: one line per span, message and log record, in the order things happened.

::

      0.00 ms  client  tools/call get_time  client · 12.4 ms  stdio
      0.05 ms  ├→ tools/call #3  187 B  {"name":"get_time","arguments":{"timezone":"UTC"}}
      0.61 ms  ├─ relay  tools/call get_time  server · 11.2 ms  stdio
      0.63 ms  │  ├← tools/call #3  187 B  as sent
     ...
     12.31 ms  └← result #3  231 B  as sent

The first column is the time since the trace began, by the clock of the one who recorded it. The
arrow is that component's view: `→` it sent this, `←` it received this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import chain, cycle
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, chop_cells
from rich.text import Text

from relayscope.collector.query.records import Message, SpanEvent, text_of
from relayscope.collector.query.trace_facts import Facts
from relayscope.collector.query.trace_tree import Node, repeats
from relayscope.collector.render.cut_text import cut_words, is_cut
from relayscope.collector.render.labels import (
    count,
    exception_text,
    failure,
    log_text,
    message_label,
)
from relayscope.collector.render.page_link import linked, trace_address
from relayscope.collector.render.tree_guides import TreeGuides
from relayscope.collector.text.message_summary import gist
from relayscope.collector.text.printable import lines, one_line
from relayscope.collector.text.quantities import duration_text, offset_text, size_text, took_text
from relayscope.conventions.attributes import (
    ERROR_ANSWERED_ABOVE,
    ERROR_CANCELLED,
    ERROR_CROWDED_OUT,
    ERROR_STOPPED_READING,
    ERROR_TIMEOUT,
    ERROR_UNANSWERED,
    PEER,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relayscope.collector.query.records import Record, Span
    from relayscope.collector.query.trace_tree import Entry, Trace

_COMPONENT_STYLES: Final = ("cyan", "magenta", "blue", "green", "bright_cyan", "bright_magenta")
_QUIET: Final = "bright_black"
_ODD: Final = "yellow"
_WRONG: Final = "bold red"
_ARROWS: Final = {"sent": "→", "received": "←"}
_NS: Final = 10**9
_GIVEN_UP: Final = (
    ERROR_CANCELLED,
    ERROR_TIMEOUT,
    ERROR_STOPPED_READING,
    ERROR_ANSWERED_ABOVE,
)
_UNANSWERED: Final = (ERROR_UNANSWERED, ERROR_CROWDED_OUT)
"""`error.type` of calls without an answer: how long they were waited for is known, or not."""
_WARN, _ERROR = 13, 17  # severity numbers of the OpenTelemetry log data model


class Messages(Enum):
    """Forms in which the text of messages is shown."""

    GIST = "gist"
    """Its summary, cut to the width; nothing if it arrived as it was sent."""
    LINE = "line"
    """All of it on the message's line, whatever its length: for pipes and `grep`."""
    WHOLE = "whole"
    """All of it, below the message's line, wrapped to the width."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of a trace.

    `width` is the columns that a line may have; None for no bound. `page` is the address of the
    page in a browser, if there is one. `has_stacks` puts the stack of an exception on the line of
    the log record that tells of it.
    """

    messages: Messages
    width: int | None = None
    page: str = ""
    has_stacks: bool = False


def trace_lines(trace: Trace, layout: Layout) -> Iterator[Text]:
    """The trace, line by line."""
    page = _Page(trace, layout)
    yield from page.head()
    if layout.page:
        yield Text(trace_address(layout.page, trace.trace_id.hex), _QUIET)
    yield Text()
    guides = TreeGuides()
    for entry in trace.entries():
        yield from page.entry(entry, guides)


class _Page:
    """State that all lines of one trace share."""

    def __init__(self, trace: Trace, layout: Layout) -> None:
        self._trace = trace
        self._layout = layout
        self._facts = Facts.of(trace, list(trace.nodes()))
        self._styles = dict(zip(self._facts.components, cycle(_COMPONENT_STYLES), strict=False))
        self._strays = frozenset(map(id, trace.strays))
        self._repeats = repeats(trace) if layout.messages is Messages.GIST else set[int]()
        self._time_width = max(
            len(self._offset(self._facts.start)), len(self._offset(self._facts.end))
        )

    def head(self) -> Iterator[Text]:
        """Yield the heading of the trace."""
        facts = self._facts
        began = datetime.fromtimestamp(facts.start // _NS, UTC)
        shown = [
            f"{began:%Y-%m-%d %H:%M:%S}.{facts.start // 10**6 % 1000:03d} UTC",
            duration_text(facts.extent),
            count(len(facts.spans), "span"),
            count(facts.messages, "message"),
        ]
        if logs := len(facts.records) - facts.messages:
            shown.append(count(logs, "log record"))
        yield Text.assemble(("trace ", _QUIET), (self._trace.trace_id.hex, "bold"))
        yield self._cut(Text(" · ".join(shown), _QUIET))
        names = [Text(self._name(name), style) for name, style in self._styles.items()]
        yield self._cut(Text(", ").join(names))
        if findings := list(self._findings()):
            yield self._cut(Text(" · ", _QUIET).join(findings))

    def _findings(self) -> Iterator[Text]:
        """Yield what a reader in a hurry should look for."""
        facts, trace = self._facts, self._trace
        if facts.failed:
            yield Text(f"{count(facts.failed, 'span')} failed", _WRONG)
        if facts.odd:
            yield Text(count(facts.odd, "odd message"), _ODD)
        if len(trace.roots) > 1:
            yield Text(f"{len(trace.roots)} roots", _ODD)
        if facts.missing:
            yield Text(f"{count(facts.missing, 'span')} not recorded", _ODD)
        if facts.ahead:
            yield Text(f"clocks differ at {count(facts.ahead, 'span')}", _ODD)
        if trace.more_spans:
            yield Text(f"more than {len(facts.spans):,} spans: --limit", _ODD)
        if trace.more_records:
            yield Text(f"more than {len(facts.records):,} records: --limit", _ODD)

    def entry(self, entry: Entry, guides: TreeGuides) -> Iterator[Text]:
        """The lines of one entry of the tree."""
        item = entry.item
        if isinstance(item, Node):
            yield from self._node(item, guides.branch(entry, "─ "), guides.below(entry))
        elif isinstance(item, SpanEvent):
            yield self._line(item.time, guides.branch(entry, "• "), self._event(item))
        elif isinstance(item, Message):
            arrow = f"{_ARROWS.get(item.direction or '', '?')} "
            yield self._line(item.time, guides.branch(entry, arrow), self._message(item))
            yield from self._whole(item, guides.below(entry))
        else:
            yield self._line(item.time, guides.branch(entry, "• "), self._log(item))
            yield from self._whole(item, guides.below(entry))

    def _node(self, node: Node, branch: str, below: str) -> Iterator[Text]:
        """Yield a span's line, and its failure on one of its own where both have no room in one."""
        head, failed, rest = self._span(node), _failure(node), self._about(node)
        whole = Text.assemble(head, failed, rest)
        width = self._layout.width
        room = None if width is None else width - self._time_width - len("  ") - cell_len(branch)
        is_one_line = self._layout.messages is Messages.LINE
        if not failed or room is None or is_one_line or whole.cell_len <= room:
            yield self._line(node.start, branch, whole)
            return
        yield self._line(node.start, branch, Text.assemble(head, rest))
        yield self._cut(Text.assemble((f"{'':{self._time_width}}  {below}", _QUIET), failed[2:]))

    def _span(self, node: Node) -> Text:
        span = node.span
        if span is None:
            return Text(f"span {one_line(node.span_id)}, not recorded", _ODD)
        text = Text.assemble(
            (self._name(span.component), self._styles[span.component]),
            ("  ", ""),
            (self._name(span.name), "bold"),
            (f"  {span.kind} · {_took(span)}", _QUIET),
        )
        return text.append(" · ok", "green") if span.status == "ok" else text

    def _about(self, node: Node) -> Text:
        """All else that there is to say of a span."""
        text, span = Text(), node.span
        if span is None:
            return text
        if node.ahead:
            text.append(f"  ! starts {duration_text(node.ahead)} before its parent", _ODD)
        if node.in_cycle:
            text.append(f"  ! its parent {one_line(span.parent_span_id or '')} is below it", _ODD)
        peers = (message.peer for message in node.messages if message.peer)
        # A connection that was not made has no messages.
        if peer := next(peers, None) or text_of(span.attributes.get(PEER)):
            text.append(f"  {one_line(peer)}", _QUIET)
        for link in span.links:
            text.append(f"  links to {one_line(str(link.get('trace_id')))}", _QUIET)
        return text

    def _name(self, name: str) -> str:
        """A name, cut where lines are: one that is too long leaves room for the rest."""
        text = Text(one_line(name))
        if self._layout.width is not None:
            text.truncate(max(1, self._layout.width // 3), overflow="ellipsis")
        return text.plain

    def _message(self, message: Message) -> Text:
        style = _WRONG if message.kind == "error" else "bold"
        at = trace_address(self._layout.page, self._trace.trace_id.hex, message.message_id)
        text = Text.assemble((one_line(message_label(message)), linked(style, at)))
        text.append(f"  {size_text(message.size)}", _QUIET)
        self._tell_cut(message, text)
        if message.odd is not None:
            text.append(f"  ! {one_line(message.odd)}", _ODD)
        self._tell_stray(message, text)
        body = message.body
        if body is None:
            return text.append("  text not recorded", _QUIET)
        if self._layout.messages is Messages.LINE:
            return text.append(f"  {one_line(body)}")
        if self._layout.messages is Messages.GIST:
            if id(message) in self._repeats:
                return text.append("  as sent", _QUIET)
            said = one_line(gist(body))
            return text.append(
                f"  {said}" if said else "", "red" if message.kind == "error" else ""
            )
        return text

    def _event(self, event: SpanEvent) -> Text:
        style = _ODD if event.name == "exception" else "bold"
        text = Text.assemble((one_line(event.name), style))
        said = exception_text(event.attributes)
        return text.append(f"  {one_line(said)}" if said else "")

    def _log(self, record: Record) -> Text:
        number = record.severity_number
        style = _WRONG if number >= _ERROR else _ODD if number >= _WARN else _QUIET
        text = Text.assemble((one_line(record.severity_text or record.event_name or "log"), style))
        if record.severity_text and record.event_name:
            text.append(f"  {one_line(record.event_name)}", _QUIET)
        self._tell_cut(record, text)
        self._tell_stray(record, text)
        if self._layout.messages is not Messages.WHOLE:
            text.append(f"  {one_line(log_text(record.body, record.attributes))}")
        if self._layout.has_stacks and (stack := _stack(record)):
            text.append(f"  {one_line(stack)}")
        return text

    def _line(self, time: int, branch: str, text: Text) -> Text:
        offset = self._offset(time).rjust(self._time_width)
        return self._cut(Text.assemble((f"{offset}  {branch}", _QUIET), text))

    def _offset(self, time: int) -> str:
        return offset_text(time - self._facts.zero, self._facts.extent)

    def _tell_cut(self, record: Record, text: Text) -> None:
        """Say of a text that it is only a beginning; how much it is, where all of it is shown."""
        if self._layout.messages is Messages.GIST:
            text.append("  ! cut" if is_cut(record, record.body) else "", _ODD)
        elif words := cut_words(record, record.body):
            text.append(f"  ! {words}", _ODD)

    def _tell_stray(self, record: Record, text: Text) -> None:
        """Say of a record that it is not in the trace, but was on one of its connections."""
        text.append("  ! beside this trace" if id(record) in self._strays else "", _ODD)

    def _whole(self, record: Record, guides: str) -> Iterator[Text]:
        """Yield all of a body where it is asked for, wrapped by characters.

        Words of JSON are no place to break at.
        """
        if self._layout.messages is not Messages.WHOLE:
            return
        margin = f"{'':{self._time_width}}  {guides}"
        room = None if self._layout.width is None else max(20, self._layout.width - len(margin))
        is_log = not isinstance(record, Message)
        below = (_stack(record) or exception_text(record.attributes)) if is_log else ""
        for line in chain(lines(record.body or ""), lines(below) if below else ()):
            for piece in [line] if room is None else chop_cells(line, room) or [""]:
                yield Text.assemble((margin, _QUIET), piece)

    def _cut(self, text: Text) -> Text:
        if self._layout.width is not None and self._layout.messages is not Messages.LINE:
            text.truncate(self._layout.width, overflow="ellipsis")
        return text


def _failure(node: Node) -> Text:
    span = node.span
    if span is None or not span.failed:
        return Text()
    return Text(f"  ✗ {one_line(failure(span))}", _WRONG)


def _stack(record: Record) -> str:
    """The stack of the exception that a log record tells of; empty if it has none."""
    return (text_of(record.attributes.get("exception.stacktrace")) or "").rstrip("\n")


def _took(span: Span) -> str:
    """Return the time until its answer, or until nobody waited for that any more."""
    took = took_text(span.start, span.end)
    if span.error_type in _GIVEN_UP:
        return f"given up after {took}"
    return f"no answer in {took}" if span.error_type in _UNANSWERED else took
