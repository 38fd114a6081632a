"""A trace as a tree of calls, whatever its spans say about their parents.

A stored trace may be broken in every way: parents that were never recorded (a client without
OpenTelemetry, a process that died), parents that are their own descendants, one span id used
twice, clocks that differ between machines, ten thousand spans in one chain. Still each span and
each record is in the tree exactly once, and nothing here recurses.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from relayscope.collector.query.records import Message, Record, Span, SpanEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID


@dataclass(slots=True, eq=False)
class Node:
    """A span, or the place of one that was not recorded (`span` is None) but that others name."""

    span_id: str
    span: Span | None
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    in_cycle: bool = False
    """Its recorded parent is its own descendant; it stands as a root instead."""

    @property
    def start(self) -> int:
        """The time at which it began; of a span that was not recorded, the first that is known."""
        if self.span is not None:
            return self.span.start
        times = [record.time for record in self.records]
        times += [child.span.start for child in self.children if child.span is not None]
        return min(times, default=0)

    @property
    def ahead(self) -> int:
        """Nanoseconds by which it starts before its parent; if any, their clocks differ."""
        if self.span is None or self.parent is None or self.parent.span is None:
            return 0
        return max(0, self.parent.span.start - self.span.start)

    @property
    def messages(self) -> Iterator[Message]:
        """Its records that are messages."""
        return (record for record in self.records if isinstance(record, Message))


Item = Node | Record | SpanEvent

_DEEP: Final = 200
"""Spans one below the other that are looked at: a chain of relays has ten, a hostile trace 10,000
with as many that were not recorded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the tree: what stands there, how deep, and whether more follows at that depth."""

    depth: int
    is_last: bool
    item: Item


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace as a tree.

    `loose` are records of the trace that name no span. `strays` are in no trace, but are shown with
    this one, because they may be what was taken for a part of it. `more_spans` and `more_records`
    say that there are more than were loaded.
    """

    trace_id: UUID
    roots: tuple[Node, ...]
    loose: tuple[Record, ...] = ()
    strays: tuple[Record, ...] = ()
    more_spans: bool = False
    more_records: bool = False

    def entries(self) -> Iterator[Entry]:
        """Yield all of it from the top down; within a span, in the order it happened."""
        stack = [iter(_with_last(_in_order(None, self.roots, (*self.loose, *self.strays), ())))]
        while stack:
            if (step := next(stack[-1], None)) is None:
                stack.pop()
                continue
            item, is_last = step
            yield Entry(len(stack) - 1, is_last, item)
            if isinstance(item, Node):
                events = item.span.events if item.span else ()
                stack.append(iter(_with_last(_in_order(item, item.children, item.records, events))))

    def nodes(self) -> Iterator[Node]:
        """The spans from the top down."""
        return (entry.item for entry in self.entries() if isinstance(entry.item, Node))

    def records(self) -> Iterator[Record]:
        """The records without strays, in no order, which is quicker than in any."""
        yield from self.loose
        waiting = list(self.roots)
        while waiting:
            node = waiting.pop()
            yield from node.records
            waiting += node.children


def build(trace_id: UUID, spans: Iterable[Span], records: Iterable[Record]) -> Trace:
    """Put the spans and records of one trace where they belong."""
    nodes = [Node(span.span_id, span) for span in sorted(spans, key=_span_order)]
    by_id: dict[str, Node] = {}
    for node in nodes:
        by_id.setdefault(node.span_id, node)  # of an id used twice, the first is the one meant

    def place(span_id: str) -> Node:
        if (node := by_id.get(span_id)) is None:
            node = by_id[span_id] = Node(span_id, None)
        return node

    for node in nodes:
        if node.span is not None and node.span.parent_span_id:
            node.parent = place(node.span.parent_span_id)
    _break_cycles(nodes)
    loose = []
    for record in sorted(records, key=_record_order):
        if record.span_id:
            place(record.span_id).records.append(record)
        else:
            loose.append(record)
    for node in nodes:
        if node.parent is not None:
            node.parent.children.append(node)
    missing = [node for node in by_id.values() if node.span is None]
    _find_askers(missing, [*nodes, *missing])
    roots = [node for node in nodes + missing if node.parent is None]
    return Trace(trace_id, tuple(sorted(roots, key=lambda node: node.start)), tuple(loose))


def repeats(trace: Trace) -> set[int]:
    """Return the `id()` of each received message whose text is as it was sent.

    A message between two instrumented components is recorded twice. The two belong together when a
    span of one component is the child of a span of another, and id, kind and text are the same.
    """
    found = set()
    for node in trace.nodes():
        if node.parent is None:
            continue
        here = {_fingerprint(message): message for message in node.messages}
        for message in node.parent.messages:
            twin = here.get(_fingerprint(message))
            if twin and twin.component != message.component:
                if (message.direction, twin.direction) == ("sent", "received"):
                    found.add(id(twin))
                elif (message.direction, twin.direction) == ("received", "sent"):
                    found.add(id(message))
    return found


def _fingerprint(message: Message) -> tuple[str | None, str | None, bytes]:
    return message.kind, message.request_id, message.body_digest


def _find_askers(missing: Iterable[Node], nodes: Sequence[Node]) -> None:
    """Put each span that was not recorded below that of the call that it served.

    A process that died, or has not answered yet, has recorded the request that it received, and the
    one who asked has recorded the same.
    """
    asked: dict[tuple[str | None, str | None, bytes], deque[tuple[str, Node]]] = defaultdict(deque)
    for node in nodes:
        for message in _requests(node, "sent"):
            asked[_fingerprint(message)].append((message.component, node))
    for node in missing:
        for message in _requests(node, "received"):
            askers = asked[_fingerprint(message)]
            while askers and _is_served(askers[0][1]):
                askers.popleft()
            if askers and askers[0][0] != message.component and _may_be_below(node, askers[0][1]):
                node.parent = askers.popleft()[1]
                node.parent.children.append(node)
                break


def _requests(node: Node, direction: str) -> Iterator[Message]:
    """The requests of which there is a text: without it, all of a number are alike."""
    for message in node.messages:
        if message.kind == "request" and message.direction == direction and message.body_digest:
            yield message


def _is_served(asker: Node) -> bool:
    return any(child.span is None or child.span.kind == "server" for child in asker.children)


def _may_be_below(node: Node, asker: Node) -> bool:
    """Return whether `asker` is another, which is not itself below `node`, as far as one looks."""
    above: Node | None = asker
    for _ in range(_DEEP):
        if above is None or above is node:
            break
        above = above.parent
    return above is None


def _break_cycles(nodes: Sequence[Node]) -> None:
    """Make the earliest span of each cycle a root."""
    order = {node: position for position, node in enumerate(nodes)}
    done: set[Node] = set()
    for start in nodes:
        path: list[Node] = []
        on_path: set[Node] = set()
        node: Node | None = start
        while node is not None and node not in done and node not in on_path:
            path.append(node)
            on_path.add(node)
            node = node.parent
        if node is not None and node in on_path:
            earliest = min(path[path.index(node) :], key=order.__getitem__)
            earliest.parent = None
            earliest.in_cycle = True
        done |= on_path


def _in_order(
    node: Node | None,
    children: Iterable[Node],
    records: Iterable[Record],
    events: Iterable[SpanEvent],
) -> list[Item]:
    """Return what stands under a node, by time.

    A child of another component has another clock. Where that would put it before the message that
    caused it, or after the answer that came of it, it stands beside that message.
    """
    own_clock = node.span.component if node and node.span else None
    others = any(child.span and child.span.component != own_clock for child in children)
    sent, answered = _first_sent_and_last_received(node if others else None)

    def place(child: Node) -> tuple[int, int]:
        start = child.start
        if own_clock is not None and child.span and child.span.component != own_clock:
            if sent is not None and start < sent:
                return sent, 1
            if answered is not None and start >= answered:
                return answered, -1
        return start, 1

    placed: list[tuple[tuple[int, int], Item]] = []
    placed += [((record.time, 0), record) for record in records]
    placed += [((event.time, 0), event) for event in events]
    placed += [(place(child), child) for child in children]
    placed.sort(key=lambda entry: entry[0])  # stable: equal times stay in the order they came in
    return [item for _, item in placed]


def _first_sent_and_last_received(node: Node | None) -> tuple[int | None, int | None]:
    times: dict[str | None, list[int]] = {}
    for message in node.messages if node else ():
        times.setdefault(message.direction, []).append(message.time)
    sent = min(times.get("sent", ()), default=None)
    answered = max(times.get("received", ()), default=None)
    if sent is None or answered is None or answered < sent:
        return sent, None
    return sent, answered


def _with_last(items: list[Item]) -> Iterator[tuple[Item, bool]]:
    return ((item, position == len(items)) for position, item in enumerate(items, 1))


def _span_order(span: Span) -> tuple[int, int, str]:
    return span.start, -span.end, span.span_id


def _record_order(record: Record) -> tuple[int, str, int]:
    if isinstance(record, Message):
        return record.time, record.channel or "", record.sequence
    return record.time, "", 0
