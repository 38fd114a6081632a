"""Names for all that is in a trace, by which an address says what is chosen.

A span is named by its id, a message by its `message_id`, which is also what lists show. Other log
records and the events of spans have no name of their own: theirs is the moment. Of things that
share a name, the second and later have a number behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relayscope.collector.query.records import Message, SpanEvent
from relayscope.collector.query.trace_tree import Node

if TYPE_CHECKING:
    from relayscope.collector.query.trace_tree import Item, Trace


class Places:
    """All that is in a trace, by name, in the order of the tree.

    Attributes:
        items: By name.
        entries: In the order of the tree, which takes long enough to be found out once.
        nodes: The spans of it.
        loose: The records that belong to no span, strays among them.
        strays: Names of records that are in no trace, but beside this one.
    """

    def __init__(self, trace: Trace) -> None:
        self.items: dict[str, Item] = {}
        self._names: dict[int, str] = {}
        times: dict[str, int] = {}
        self.loose = (*trace.loose, *trace.strays)
        self.entries = tuple(trace.entries())
        self.nodes = tuple(one.item for one in self.entries if isinstance(one.item, Node))
        for entry in self.entries:
            name = named(entry.item)
            times[name] = times.get(name, 0) + 1
            if times[name] > 1:
                name = f"{name}~{times[name]}"
            self.items[name] = entry.item
            self._names[id(entry.item)] = name
        self.strays = frozenset(self._names[id(record)] for record in trace.strays)
        self._holders = {
            id(item): node for node in self.nodes for item in (*node.records, *_events(node))
        }

    def name(self, item: Item) -> str:
        """The name of something that is in the trace."""
        return self._names[id(item)]

    def node(self, item: Item) -> Node | None:
        """The span that it belongs to; a span belongs to itself."""
        return item if isinstance(item, Node) else self._holders.get(id(item))


def _events(node: Node) -> tuple[SpanEvent, ...]:
    return node.span.events if node.span is not None else ()


def named(item: Item) -> str:
    """The name of something, as far as it shares it with nothing else in the trace."""
    if isinstance(item, Node):
        return item.span_id
    if isinstance(item, Message) and item.message_id is not None:
        return item.message_id
    return f"event:{item.time}" if isinstance(item, SpanEvent) else f"log:{item.time}"
