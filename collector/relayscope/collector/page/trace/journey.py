"""The way of a message beyond one crossing: what a relay got it from, and what it made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relayscope.collector.page.trace.places import Places
    from relayscope.collector.query.records import Message
    from relayscope.collector.query.trace_tree import Node


def came_from(places: Places, message: Message) -> list[Message]:
    """The messages that its sender had received when it sent this: those that it passes on."""
    if message.direction != "sent":
        return []
    return list(_passed(places, message))


def went_on_as(places: Places, message: Message) -> list[Message]:
    """The messages that its receiver sent because of it, as far as they are of the same method."""
    if message.direction != "received":
        return []
    return list(_passed(places, message))


def _passed(places: Places, message: Message) -> Iterator[Message]:
    """Yield the same request or answer at the other side of the component that recorded it."""
    node = places.node(message)
    if node is None:
        return
    other_direction = "received" if message.direction == "sent" else "sent"
    for other in _across(node):
        for candidate in other.messages:
            if (
                candidate.component == message.component
                and candidate.direction == other_direction
                and candidate.is_answer == message.is_answer
                and (candidate.method or message.method) == (message.method or candidate.method)
            ):
                yield candidate


def _across(node: Node) -> list[Node]:
    """The spans at a relay's other side: what it called while it served this, or the reverse."""
    span = node.span
    if span is None:
        return []
    if span.kind == "client":
        return [node.parent] if node.parent is not None else []
    return [child for child in node.children if child.span and child.span.kind == "client"]


def counterparts(places: Places, message: Message) -> list[Message]:
    """The answers to a request, or the request of an answer, at the same end."""
    node = places.node(message)
    if node is None:
        return []
    return [
        one
        for one in node.messages
        if one is not message
        and one.direction != message.direction
        and one.is_answer != message.is_answer
    ]
