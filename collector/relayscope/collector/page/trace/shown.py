"""The shown part of a trace: not what is folded, too brief, or of a kind that is hidden.

What is looked for is shown wherever it is. So is what failed, however brief it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from relayscope.collector.page.trace.exchange import kind_of
from relayscope.collector.query.records import SpanEvent
from relayscope.collector.query.trace_tree import Node

if TYPE_CHECKING:
    from collections.abc import Container

    from relayscope.collector.page.trace.address import Address
    from relayscope.collector.page.trace.places import Places
    from relayscope.collector.query.trace_tree import Item

_MS: Final = 10**6


@dataclass(frozen=True, slots=True)
class Shown:
    """The names of what is shown; how much is folded, and too brief, below which span."""

    names: frozenset[str]
    folded: Counter[str] = field(default_factory=Counter)
    brief: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, places: Places, address: Address, found: Container[str]) -> Shown:
        """Find out what an address shows of a trace, in which some things were found."""
        led_to = _led_to(places, found)
        names: set[str] = set()
        folded: Counter[str] = Counter()
        brief: Counter[str] = Counter()
        above: list[tuple[str, Counter[str] | None]] = []
        """For each span above: its name, and what counts that which it hides."""
        for entry in places.entries:
            del above[entry.depth :]
            item = entry.item
            name = places.name(item)
            holder = above[-1] if above else ("", None)
            hides = holder[1]
            is_wanted = name in found or name in led_to
            if hides is not None and not is_wanted:
                hides[holder[0]] += 1
                if isinstance(item, Node):
                    above.append(holder)
                continue
            if isinstance(item, Node):
                if not is_wanted and above and _is_brief(item, address):
                    brief[holder[0]] += 1
                    above.append((holder[0], brief))
                    continue
                names.add(name)
                above.append((name, folded if _is_folded(name, entry.depth, address) else None))
            elif name in found or _kind(item) not in address.without:
                names.add(name)
        return cls(frozenset(names), folded, brief)


def _led_to(places: Places, found: Container[str]) -> set[str]:
    """The spans above what was found."""
    above: set[str] = set()
    for name, item in places.items.items():
        if name in found:
            node = places.node(item)
            if node is not None and node is item:
                node = node.parent
            while node is not None and (held := places.name(node)) not in above:
                above.add(held)
                node = node.parent
    return above


def _is_folded(name: str, depth: int, address: Address) -> bool:
    if name in address.fold:
        return True
    return address.depth is not None and depth + 1 >= address.depth and name not in address.open


def _is_brief(node: Node, address: Address) -> bool:
    span = node.span
    if address.longer is None or span is None or span.failed:
        return False
    if any(message.odd or message.kind == "error" for message in node.messages):
        return False
    return span.end - span.start < address.longer * _MS


def _kind(item: Item) -> str:
    if isinstance(item, Node):
        return "span"
    return "event" if isinstance(item, SpanEvent) else kind_of(item)
