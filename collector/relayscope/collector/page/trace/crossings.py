"""Messages on their way: recorded where they were sent, where they were received, or at both ends.

A message between two instrumented components is recorded twice. The two records belong together
when a span of one component is the child of a span of the other, and they are of one kind and one
id. Their texts are the same, unless somebody between the two changed it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from relayscope.collector.query.records import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from relayscope.collector.query.records import Record
    from relayscope.collector.query.trace_tree import Node

_OTHER_END: Final = {"sent": "received", "received": "sent"}
_ASKING: Final = ("request", "notification")


class Party(NamedTuple):
    """A party of a trace: a component, or a peer that records nothing.

    A peer is known by its name at one component: `stdio` of two components are two peers.
    """

    name: str
    seen_by: str | None = None
    """The component that names it so; None for a component."""

    @property
    def key(self) -> str:
        """The party's name in an address."""
        return self.name if self.seen_by is None else f"{self.name} of {self.seen_by}"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A message on its way from one party to another, as one of them or both have recorded it."""

    sent: Message | None
    received: Message | None
    sender: Party
    receiver: Party

    @property
    def message(self) -> Message:
        """The record of who sent it, or else of who received it."""
        if self.sent is not None:
            return self.sent
        if self.received is not None:
            return self.received
        raise ValueError("a crossing without a record")

    @property
    def is_changed(self) -> bool:
        """True if the text that arrived is not the one that was sent."""
        return (
            self.sent is not None
            and self.received is not None
            and self.sent.body is not None
            and self.received.body is not None
            and self.sent.body_digest != self.received.body_digest
        )

    @property
    def call(self) -> str | None:
        """The span of the call that it belongs to, as its maker has it; else as its server does."""
        asking = self.message.kind in _ASKING
        maker, server = (self.sent, self.received) if asking else (self.received, self.sent)
        known = maker or server
        return known.span_id if known else None


def crossings(nodes: Sequence[Node], loose: Sequence[Record]) -> list[Crossing]:
    """All messages of a trace that were sent or received, each once, in the order of the tree.

    Args:
        nodes: The spans of the trace.
        loose: The records that belong to no span.
    """
    twins = _twins(nodes)
    parties = _Parties(twins, nodes)
    messages = [message for node in nodes for message in node.messages]
    without_span = [record for record in loose if isinstance(record, Message)]
    if without_span:
        _match_loose(without_span, messages, twins, parties)
    messages += without_span
    found = []
    for message in messages:
        here, there, twin = Party(message.component), parties.other_end(message), twins.get(message)
        if message.direction == "sent":
            found.append(Crossing(message, twin, here, there))
        elif message.direction == "received" and twin is None:
            found.append(Crossing(None, message, there, here))
    return found


class _Twins:
    """The other record of each message that has two."""

    def __init__(self) -> None:
        self._twins: dict[int, Message] = {}

    def get(self, message: Message) -> Message | None:
        """The other record of it, if there is one."""
        return self._twins.get(id(message))

    def match(self, waiting: _Waiting, messages: Iterable[Message]) -> None:
        """Match messages with those that wait and are alike: one was sent and one received."""
        for message in messages:
            if id(message) in self._twins:
                continue
            alike = waiting.at_other_end(message)
            while alike and id(alike[0]) in self._twins:
                alike.popleft()
            for one in alike:
                if id(one) not in self._twins and one.component != message.component:
                    self._twins[id(one)], self._twins[id(message)] = message, one
                    break


class _Waiting:
    """Messages whose other record is looked for, by what the two have in common."""

    def __init__(
        self, likeness: Callable[[Message], Any], messages: Iterable[Message] = ()
    ) -> None:
        self._likeness = likeness
        self._messages: dict[tuple[str | None, Any], deque[Message]] = {}
        for message in messages:
            self.add(message)

    def add(self, message: Message) -> None:
        """Add one that was sent or received later."""
        self._messages.setdefault((message.direction, self._likeness(message)), deque()).append(
            message
        )

    def at_other_end(self, message: Message) -> deque[Message]:
        """Those that are like it and were sent if it was received, in their order."""
        other_end = _OTHER_END.get(message.direction or "")
        if other_end is None:
            return deque()
        return self._messages.get((other_end, self._likeness(message)), deque())


def _twins(nodes: Iterable[Node]) -> _Twins:
    twins = _Twins()
    # One span may be the parent of a thousand: what it said is put in order once.
    waiting: dict[tuple[int, Any], _Waiting] = {}
    for node in nodes:
        parent = node.parent
        if parent is None:
            continue
        for likeness in (_said, _meant):
            alone = [message for message in node.messages if twins.get(message) is None]
            if not alone:
                break  # most texts arrive as they were sent
            if (id(parent), likeness) not in waiting:
                waiting[id(parent), likeness] = _Waiting(likeness, parent.messages)
            twins.match(waiting[id(parent), likeness], alone)
    return twins


def _match_loose(
    loose: Iterable[Message], others: Iterable[Message], twins: _Twins, parties: _Parties
) -> None:
    """Match messages that belong to no span with those of the component at their other end."""
    said_by: dict[str, _Waiting] = {}
    for message in others:
        said_by.setdefault(message.component, _Waiting(_said)).add(message)
    for message in loose:
        other_end = parties.other_end(message)
        if other_end.seen_by is None and other_end.name in said_by:
            twins.match(said_by[other_end.name], (message,))
        said_by.setdefault(message.component, _Waiting(_said)).add(message)


def _said(message: Message) -> tuple[str | None, str | None, bytes]:
    return message.kind, message.request_id, message.body_digest


def _meant(message: Message) -> tuple[str | None, str | None]:
    return message.kind, message.request_id


class _Parties:
    """Return the party at the other end of each connection."""

    def __init__(self, twins: _Twins, nodes: Iterable[Node]) -> None:
        self._twins = twins
        self._known: dict[tuple[str, str | None], str] = {}
        supposed: dict[tuple[str, str | None], str] = {}
        for node in nodes:
            other = _at_other_end(node)
            for message in node.messages:
                connection = (message.component, message.channel)
                if (twin := twins.get(message)) is not None:
                    self._known.setdefault(connection, twin.component)
                elif other is not None:
                    supposed.setdefault(connection, other)
        self._known = supposed | self._known

    def other_end(self, message: Message) -> Party:
        """The component there, or else the peer as this one names it."""
        if (twin := self._twins.get(message)) is not None:
            return Party(twin.component)
        known = self._known.get((message.component, message.channel))
        return Party(known) if known else Party(message.peer or "?", message.component)


def _at_other_end(node: Node) -> str | None:
    """The other component that served the call of this span, or made the one that it served."""
    span = node.span
    if span is None:
        return None
    others = node.children if span.kind == "client" else [node.parent] if node.parent else []
    names = (other.span.component for other in others if other.span is not None)
    return next((name for name in names if name != span.component), None)
