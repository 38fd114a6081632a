"""All that is known of the message, span or log record that is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from relayscope.collector.page.trace import words
from relayscope.collector.page.trace.changes import Changes
from relayscope.collector.page.trace.content import received
from relayscope.collector.page.trace.journey import counterparts
from relayscope.collector.page.trace.json_text import laid_out
from relayscope.collector.query.records import Message, Record, SpanEvent
from relayscope.collector.query.trace_tree import Node
from relayscope.collector.render.cut_text import cut_words
from relayscope.collector.render.labels import exception_text
from relayscope.collector.text.printable import json_line, lines, one_line
from relayscope.collector.text.quantities import duration_text, size_text, took_text
from relayscope.collector.text.times import date_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import psycopg

    from relayscope.collector.page.trace.changes import Hop
    from relayscope.collector.page.trace.content import Received
    from relayscope.collector.page.trace.json_text import Line
    from relayscope.collector.page.trace.picture import Picture
    from relayscope.collector.query.records import Span

MOST_CHARACTERS: Final = 60_000
"""Characters of a text that are shown at once: laid out, 2 MB of HTML, and 0.2 s of a browser."""


@dataclass(frozen=True, slots=True)
class Said:
    """The text of a message or record.

    Attributes:
        text: What was recorded of it.
        more: Number of its characters that are not shown.
        cut: A sentence on what was not recorded; empty if all was.
    """

    text: str
    more: int
    cut: str

    @classmethod
    def of(cls, record: Record, text: str, *, whole: bool) -> Said:
        """Show all that was recorded of a text, or its beginning."""
        more = 0 if whole else max(0, len(text) - MOST_CHARACTERS)
        return cls(text, more, cut_words(record, text))

    @property
    def lines(self) -> list[Line]:
        """The shown part, laid out."""
        return laid_out(self.shown)

    @property
    def shown(self) -> str:
        """The shown part, as it was said."""
        return self.text[: len(self.text) - self.more]


@dataclass(frozen=True, slots=True)
class Link:
    """Something else in the trace, and what it is to this.

    Attributes:
        name: In the address.
        text: Its name.
        about: Its relation to this.
        kind: The same for the keyboard: `answer`, `span`, or `message`.
    """

    name: str
    text: str
    about: str
    kind: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The pane beside the trace.

    Attributes:
        name: In the address.
        what: `message`, `span`, `log` or `event`.
        title: Its kind and name.
        component: The component that recorded it.
        badges: Words on its state, and how they are meant: `good`, `bad`, `odd` or `quiet`.
        explained: Sentences on what is wrong with it.
        time: Its time by the recorder's own clock; None if the year is beyond dates.
        facts: Names and values.
        links: Spans and messages that belong to it.
        said: Its text; None if that was not recorded.
        received: Its contents as a model got them.
        not_received: A sentence on why a result's are not known.
        attributes: Names and values.
        hops: The other places that it passed, and what was changed on the way.
        json: All of it, for programs.
    """

    name: str
    what: str
    title: str
    component: str
    badges: tuple[tuple[str, str], ...]
    explained: tuple[str, ...]
    time: datetime | None
    facts: tuple[tuple[str, str], ...]
    links: tuple[Link, ...]
    attributes: tuple[tuple[str, str], ...]
    said: Said | None = None
    received: Received | None = None
    not_received: str = ""
    hops: tuple[Hop, ...] = ()
    json: str = ""


def chosen(
    connection: psycopg.Connection[Any], picture: Picture, name: str, *, whole: bool
) -> Chosen | None:
    """Find all that is known of what has that name; nothing if the trace has none such.

    Args:
        connection: To read changes and long texts from PostgreSQL.
        picture: The trace.
        name: As `places.py` gives it.
        whole: True if a text is to be shown to its end, however long it is.
    """
    item = picture.places.items.get(name)
    if item is None:
        return None
    if isinstance(item, Node):
        return _span(picture, name, item)
    if isinstance(item, SpanEvent):
        return _event(picture, name, item)
    changes = Changes(connection, picture)
    text = changes.text(item)
    said = None if text is None else Said.of(item, text, whole=whole)
    if isinstance(item, Message):
        return _message(picture, item, said, tuple(changes.hops(item)))
    is_stray = name in picture.places.strays
    explained = [exception_text(item.attributes), words.STRAY_CLOSING if is_stray else ""]
    return Chosen(
        name=name,
        what="log",
        title=words.log_label(item),
        component=item.component,
        badges=_severity(item),
        explained=tuple(filter(None, explained)),
        time=date_of(item.time),
        facts=(("time", _nanoseconds(item.time)),),
        links=tuple(_of_span(picture, item)),
        attributes=_attributes(item.attributes),
        said=said,
        json=_json({"component": item.component, "time_unix_nano": item.time, "body": text}, item),
    )


def text_of(connection: psycopg.Connection[Any], picture: Picture, name: str) -> str | None:
    """Find all that was recorded of the text of what has that name; None if it has none."""
    item = picture.places.items.get(name)
    return Changes(connection, picture).text(item) if isinstance(item, Record) else None


def _message(
    picture: Picture, message: Message, said: Said | None, hops: tuple[Hop, ...]
) -> Chosen:
    span = picture.span_of(message)
    badges = [(message.kind or "message", "bad" if message.kind == "error" else "quiet")]
    explained = []
    if message.odd:
        badges.append((words.short(message.odd.replace("_", " ")), "odd"))
        explained.append(words.ODD.get(message.odd, ""))
    if picture.places.name(message) in picture.places.strays:
        explained.append(words.STRAY)
    content = received(said.text) if said is not None and message.kind == "result" else None
    if content is not None and content.is_error:
        badges.append(("tool failed", "bad"))
    if span is not None and message.kind == "request" and (why := words.no_answer(span)):
        badges.append(("unanswered", "odd"))
        explained.append(why)
    facts = [
        ("direction", f"{message.direction or '?'} by {message.component}"),
        ("peer", message.peer or "unknown"),
        ("method", message.method or ""),
        ("tool", message.tool or ""),
        ("id", message.request_id or ""),
        ("error code", message.error_code or ""),
        ("size", size_text(message.size)),
        ("message", message.message_id or ""),
        ("time", _nanoseconds(message.time)),
    ]
    links = [
        Link(picture.places.name(other), words.label(other), _apart(message, other), "answer")
        for other in counterparts(picture.places, message)
    ]
    return Chosen(
        name=picture.places.name(message),
        what="message",
        title=words.label(message),
        component=message.component,
        badges=tuple(badges),
        explained=tuple(filter(None, explained)),
        time=date_of(message.time),
        facts=tuple((key, one_line(value)) for key, value in facts if value),
        links=(*links, *_of_span(picture, message)),
        attributes=_attributes(message.attributes),
        said=said,
        received=content,
        not_received=said.cut if said is not None and message.kind == "result" else "",
        hops=hops,
        json=_json(
            {
                "message_id": message.message_id,
                "component": message.component,
                "time_unix_nano": message.time,
                "body": said and said.text,
            },
            message,
        ),
    )


def _apart(message: Message, other: Message) -> str:
    what = "answer" if other.is_answer else "its request"
    when = "later" if other.time >= message.time else "before"
    return f"{what}, {duration_text(abs(other.time - message.time))} {when}"


def _span(picture: Picture, name: str, node: Node) -> Chosen:
    span = node.span
    links = [*_around(picture, node)]
    if span is None:
        return Chosen(
            name=name,
            what="span",
            title=f"span {words.short(node.span_id)}",
            component="",
            badges=(("not recorded", "odd"),),
            explained=("others name it; nothing else is known of it",),
            time=None,
            facts=(),
            links=tuple(links),
            attributes=(),
        )
    explained = []
    if span.failed:
        explained.append(words.no_answer(span) or words.failure(span))
    if node.ahead:
        explained.append(f"it starts {duration_text(node.ahead)} before its parent: clocks differ")
    if node.in_cycle:
        explained.append("its recorded parent is below it")
    facts = [
        ("kind", span.kind),
        ("took", took_text(span.start, span.end)),
        ("status", span.status),
        ("span", span.span_id),
        ("parent", span.parent_span_id or "none"),
        ("start", _nanoseconds(span.start)),
        ("end", _nanoseconds(span.end)),
    ]
    facts += [("links to", f"{link.get('trace_id')} {link.get('span_id')}") for link in span.links]
    return Chosen(
        name=name,
        what="span",
        title=words.short(span.name),
        component=span.component,
        badges=(_outcome(span),),
        explained=tuple(explained),
        time=date_of(span.start),
        facts=tuple((key, one_line(value)) for key, value in facts),
        links=tuple(links),
        attributes=_attributes(span.attributes),
        json=_json(
            {
                "span_id": span.span_id,
                "name": span.name,
                "component": span.component,
                "start_unix_nano": span.start,
                "end_unix_nano": span.end,
            },
            span,
        ),
    )


def _event(picture: Picture, name: str, event: SpanEvent) -> Chosen:
    node = picture.places.node(event)
    span = node.span if node is not None else None
    return Chosen(
        name=name,
        what="event",
        title=words.short(event.name),
        component=span.component if span else "",
        badges=(("event", "quiet"),),
        explained=(),
        time=date_of(event.time),
        facts=(("time", _nanoseconds(event.time)),),
        links=tuple(_of_span(picture, event)),
        attributes=_attributes(event.attributes),
        json=_json({"name": event.name, "time": event.time}, event),
    )


def _of_span(picture: Picture, item: Record | SpanEvent) -> Iterator[Link]:
    node = picture.places.node(item)
    if node is not None:
        text = words.short(node.span.name) if node.span else f"span {words.short(node.span_id)}"
        yield Link(picture.places.name(node), text, "span", "span")


def _around(picture: Picture, node: Node) -> Iterator[Link]:
    if node.parent is not None:
        parent = node.parent
        text = words.short(parent.span.name if parent.span else parent.span_id)
        yield Link(picture.places.name(parent), text, "parent", "span")
    for message in node.messages:
        yield Link(
            picture.places.name(message), words.label(message), message.direction or "", "message"
        )


def _outcome(span: Span) -> tuple[str, str]:
    if words.no_answer(span):
        return "unanswered", "odd"
    return ("failed", "bad") if span.failed else ("ok", "good")


def _severity(record: Record) -> tuple[tuple[str, str], ...]:
    said = words.short(record.severity_text or "no severity")
    number = record.severity_number
    return ((said, "bad" if number >= words.ERROR else "odd" if number >= words.WARN else "quiet"),)


def _attributes(attributes: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (one_line(key), "\n".join(lines(_text(value)))) for key, value in sorted(attributes.items())
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _json(of_it: dict[str, Any], item: Record | Span | SpanEvent) -> str:
    return json_line(orjson.dumps(of_it | {"attributes": item.attributes}).decode())


def _nanoseconds(ns: int) -> str:
    return f"{ns} ns"
