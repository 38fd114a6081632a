"""A trace for people: one line per span, message and log record, in the order things happened.

::

      0.00 ms  client  tools/call get_time  client · 12.4 ms · stdio
      0.05 ms  ├→ tools/call #3  187 B  {"name":"get_time","arguments":{"timezone":"UTC"}}
      0.61 ms  ├─ relay  tools/call get_time  server · 11.2 ms · stdio
      0.63 ms  │  ├← tools/call #3  187 B  as sent
     ...
     12.31 ms  └← result #3  231 B  as sent

The first column is the time since the trace began, by the clock of the one who recorded it. The
arrow is that component's view: `→` it sent this, `←` it received this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Final

from rich.cells import chop_cells
from rich.text import Text

from relayscope.collector.reading.duration import duration_text, offset_text, size_text
from relayscope.collector.reading.gist import gist
from relayscope.collector.reading.plain_text import lines, one_line
from relayscope.collector.reading.records import Message, Record, Span, SpanEvent
from relayscope.collector.reading.trace_tree import Node, Trace, repeats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relayscope.collector.reading.trace_tree import Entry

_COMPONENT_STYLES: Final = ("cyan", "magenta", "blue", "green", "bright_cyan", "bright_magenta")
_QUIET: Final = "bright_black"
_ODD: Final = "yellow"
_WRONG: Final = "bold red"
_ARROWS: Final = {"sent": "→", "received": "←"}
_NS: Final = 10**9
# A level of the tree is three columns: beyond this depth lines say their depth and move no further
# to the right, so that the hundredth level of a chain can be read too.
_DEEPEST: Final = 10
_WARN, _ERROR = 13, 17  # severity numbers of the OpenTelemetry log data model


class Messages(Enum):
    """How the text of messages is shown."""

    GIST = "gist"
    """What it says beyond its envelope, cut to the width; nothing if it arrived as it was sent."""
    LINE = "line"
    """All of it on the message's line, whatever its length: for pipes and `grep`."""
    WHOLE = "whole"
    """All of it, below the message's line, wrapped to the width."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a trace is laid out.

    `width` is the columns that a line may have; None for no bound.
    """

    messages: Messages
    width: int | None = None


def trace_lines(trace: Trace, layout: Layout) -> Iterator[Text]:
    """The trace, line by line."""
    page = _Page(trace, layout)
    yield from page.head()
    yield Text()
    guides = _Guides()
    for entry in trace.entries():
        yield from page.entry(entry, guides)


class _Page:
    """What all lines of one trace share."""

    def __init__(self, trace: Trace, layout: Layout) -> None:
        self._trace = trace
        self._layout = layout
        nodes = list(trace.nodes())
        self._spans = [node.span for node in nodes if node.span]
        self._nodes = nodes
        self._records = [*trace.loose, *chain.from_iterable(node.records for node in nodes)]
        times = [span.start for span in self._spans] + [record.time for record in self._records]
        ends = [span.end for span in self._spans] + times
        first_root = next((node.start for node in trace.roots if node.span), min(times, default=0))
        self._zero = first_root
        self._earliest = min(times, default=0)
        self._extent = max(ends, default=0) - self._earliest
        self._time_width = max(
            len(offset_text(time - self._zero, self._extent))
            for time in (min(times, default=0), max(times, default=0))
        )
        self._components: dict[str, str] = {}
        for component in chain(
            (span.component for span in self._spans),
            (record.component for record in self._records),
        ):
            style = _COMPONENT_STYLES[len(self._components) % len(_COMPONENT_STYLES)]
            self._components.setdefault(component, style)
        self._repeats = repeats(trace) if layout.messages is Messages.GIST else set[int]()

    def head(self) -> Iterator[Text]:
        """What the trace is, before its lines."""
        messages = sum(isinstance(record, Message) for record in self._records)
        logs = len(self._records) - messages
        began = datetime.fromtimestamp(self._earliest / _NS).astimezone()
        facts = [
            f"{began:%Y-%m-%d %H:%M:%S}.{self._earliest // 10**6 % 1000:03d} {began:%z}",
            duration_text(self._extent),
            _count(len(self._spans), "span"),
            _count(messages, "message"),
        ]
        facts += [_count(logs, "log record")] if logs else []
        yield Text.assemble(("trace ", _QUIET), (self._trace.trace_id.hex, "bold"))
        yield self._cut(Text(" · ".join(facts), _QUIET))
        yield self._cut(
            Text(", ").join(
                Text(one_line(component), style) for component, style in self._components.items()
            )
        )
        if findings := list(self._findings()):
            yield self._cut(Text(" · ", _QUIET).join(findings))
        more = [
            noun
            for noun, is_more in (
                ("spans", self._trace.more_spans),
                ("records", self._trace.more_records),
            )
            if is_more
        ]
        if more:
            yield Text(f"there are more {' and '.join(more)} than shown: --limit", _ODD)

    def _findings(self) -> Iterator[Text]:
        """What a reader in a hurry should look for."""
        failed = sum(span.failed for span in self._spans)
        odd = sum(isinstance(r, Message) and r.odd is not None for r in self._records)
        missing = sum(node.span is None for node in self._nodes)
        ahead = sum(node.ahead > 0 for node in self._nodes)
        roots = len(self._trace.roots)
        if failed:
            yield Text(f"{_count(failed, 'span')} failed", _WRONG)
        if odd:
            yield Text(_count(odd, "odd message"), _ODD)
        if roots > 1:
            yield Text(f"{roots} roots", _ODD)
        if missing:
            yield Text(f"{_count(missing, 'span')} not recorded", _ODD)
        if ahead:
            yield Text(f"clocks differ at {_count(ahead, 'span')}", _ODD)

    def entry(self, entry: Entry, guides: _Guides) -> Iterator[Text]:
        """The lines of one entry of the tree."""
        item = entry.item
        if isinstance(item, Node):
            yield self._line(item.start, guides.branch(entry, "─ "), self._span(item))
        elif isinstance(item, SpanEvent):
            yield self._line(item.time, guides.branch(entry, "• "), self._event(item))
        elif isinstance(item, Message):
            arrow = f"{_ARROWS.get(item.direction or '', '?')} "
            yield self._line(item.time, guides.branch(entry, arrow), self._message(item))
            if self._layout.messages is Messages.WHOLE:
                yield from self._below(item.body or "", guides.below(entry))
        else:
            yield self._line(item.time, guides.branch(entry, "• "), self._log(item))
            if self._layout.messages is Messages.WHOLE:
                yield from self._below(item.body or "", guides.below(entry))

    def _span(self, node: Node) -> Text:
        span = node.span
        if span is None:
            return Text(f"span {one_line(node.span_id)}, not recorded", _ODD)
        text = Text.assemble(
            (one_line(span.component), self._components[span.component]),
            "  ",
            (one_line(span.name), "bold"),
            "  ",
        )
        peer = next((message.peer for message in node.messages if message.peer), None)
        facts = [span.kind, duration_text(span.end - span.start), one_line(peer or "")]
        text.append(" · ".join(fact for fact in facts if fact), _QUIET)
        for link in span.links:
            text.append(f" · links to {one_line(str(link.get('trace_id')))}", _QUIET)
        if span.status == "ok":
            text.append(" · ok", "green")
        if span.failed:
            text.append(f"  ✗ {_failure(span)}", _WRONG)
        if node.ahead:
            text.append(f"  ! starts {duration_text(node.ahead)} before its parent", _ODD)
        if node.in_cycle:
            text.append(f"  ! its parent {one_line(span.parent_span_id or '')} is below it", _ODD)
        return text

    def _message(self, message: Message) -> Text:
        style = _WRONG if message.kind == "error" else "bold"
        text = Text.assemble((one_line(_label(message)), style))
        text.append(f"  {size_text(message.size)}", _QUIET)
        if message.odd is not None:
            text.append(f"  ! {one_line(message.odd)}", _ODD)
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
        said = [
            str(event.attributes[key])
            for key in ("exception.type", "exception.message")
            if key in event.attributes
        ]
        return text.append(f"  {one_line(': '.join(said))}" if said else "")

    def _log(self, record: Record) -> Text:
        number = record.severity_number
        style = _WRONG if number >= _ERROR else _ODD if number >= _WARN else _QUIET
        text = Text.assemble((one_line(record.severity_text or record.event_name or "log"), style))
        if record.severity_text and record.event_name:
            text.append(f"  {one_line(record.event_name)}", _QUIET)
        if self._layout.messages is not Messages.WHOLE:
            text.append(f"  {one_line(record.body or '')}")
        return text

    def _line(self, time: int, branch: str, text: Text) -> Text:
        offset = offset_text(time - self._zero, self._extent).rjust(self._time_width)
        return self._cut(Text.assemble((f"{offset}  {branch}", _QUIET), text))

    def _below(self, body: str, guides: str) -> Iterator[Text]:
        """All of a body, wrapped by characters: words of JSON are no place to break at."""
        margin = f"{'':{self._time_width}}  {guides}"
        room = None if self._layout.width is None else max(20, self._layout.width - len(margin))
        for line in lines(body):
            for piece in [line] if room is None else chop_cells(line, room) or [""]:
                yield Text.assemble((margin, _QUIET), piece)

    def _cut(self, text: Text) -> Text:
        if self._layout.width is not None and self._layout.messages is not Messages.LINE:
            text.truncate(self._layout.width, overflow="ellipsis")
        return text


class _Guides:
    """The lines at the left that show what belongs to what."""

    def __init__(self) -> None:
        self._continues: list[bool] = []

    def branch(self, entry: Entry, joint: str) -> str:
        """The guides of an entry's own line; entries come in the order of `Trace.entries`."""
        del self._continues[entry.depth :]
        self._continues.append(not entry.is_last)
        if entry.depth == 0:
            return "" if joint == "─ " else joint
        corner = "└" if entry.is_last else "├"
        return f"{self._stems(entry.depth)}{corner}{joint}"

    def below(self, entry: Entry) -> str:
        """The guides of lines below an entry, that still belong to it."""
        return f"{self._stems(entry.depth + 1)}  "

    def _stems(self, depth: int) -> str:
        shown = self._continues[1:depth]
        if depth > _DEEPEST:
            return f"{'':{3 * (_DEEPEST - 2)}}({depth}) "
        return "".join("│  " if continues else "   " for continues in shown)


def _label(message: Message) -> str:
    """What kind of message it is, and which: `tools/call #3`, `result #3`, `error -32601`."""
    parts = []
    if message.kind in ("request", "notification") and message.method:
        parts.append(message.method)
    else:
        parts.append(message.kind or "message")
    if message.error_code is not None:
        parts.append(message.error_code)
    if message.request_id is not None:
        parts.append(f"#{message.request_id}")
    return " ".join(parts)


def _failure(span: Span) -> str:
    facts = [span.error_type or "error", span.status_message or ""]
    return one_line(": ".join(fact for fact in facts if fact))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
