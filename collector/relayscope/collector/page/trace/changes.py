"""The other crossings of a message, and what was changed on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import dict_row

from relayscope.collector.page.trace import words
from relayscope.collector.page.trace.journey import came_from, went_on_as
from relayscope.collector.query.named_query import in_our_words
from relayscope.collector.query.queries import query
from relayscope.collector.query.records import Message
from relayscope.collector.render.labels import count
from relayscope.collector.text.printable import one_line
from relayscope.collector.text.quantities import duration_text
from relayscope.conventions.attributes import MESSAGE_SHA256

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from relayscope.collector.page.trace.picture import Picture
    from relayscope.collector.query.records import Record

_MOST_HOPS: Final = 8
_MOST_DIFFERENCES: Final = 200
_LONGEST_VALUE: Final = 2000
_LONGEST_COMPARED: Final = 1_000_000
"""Characters of two texts that are compared: PostgreSQL takes half a second for such."""

_OF_THE_HOP: Final = ("$.id", "$.params._meta.traceparent", "$.params._meta.tracestate")
"""Paths that differ from hop to hop by their nature: a relay's own id, and trace context."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which two messages differ; `is_of_the_hop` if all relays change it."""

    path: str
    left: str
    right: str
    difference: str
    is_of_the_hop: bool


@dataclass(frozen=True, slots=True)
class Hop:
    """The message as it was before or after, at another place.

    Attributes:
        name: In the address.
        label: Its kind, method and id there.
        where: The way that it had gone, or went on.
        is_before: True if it came before the one that is chosen.
        is_other_end: True if it is the same message at the other end of the connection.
        took: Time from the one to the other, by each one's own clock.
        differences: Differences of the texts, the earlier one left; None if a text is missing.
        more: Number of further differences.
    """

    name: str
    label: str
    where: str
    is_before: bool
    is_other_end: bool
    took: str
    differences: tuple[Difference, ...] | None
    more: int = 0

    @property
    def changed(self) -> tuple[Difference, ...]:
        """Changes beyond those of every hop."""
        return tuple(one for one in self.differences or () if not one.is_of_the_hop)

    @property
    def changed_words(self) -> str:
        """Number of the changes beyond those of every hop."""
        return f"{count(len(self.changed) + self.more, 'change')} on the way"

    @property
    def of_the_hop(self) -> tuple[Difference, ...]:
        """Changes that every hop makes."""
        return tuple(one for one in self.differences or () if one.is_of_the_hop)


class Changes:
    """Reads texts and compares them."""

    def __init__(self, connection: psycopg.Connection[Any], picture: Picture) -> None:
        self._connection = connection
        self._picture = picture
        self._texts: dict[tuple[str, int, str | None], str | None] = {}

    def text(self, record: Record) -> str | None:
        """All that a record says."""
        if record.body is None or record.body_length <= len(record.body):
            return record.body
        message_id = record.message_id if isinstance(record, Message) else None
        key = (record.component, record.time, message_id)
        if key not in self._texts:
            asked = {"trace_id": self._picture.trace.trace_id, "times": [record.time]}
            for row in self._rows("texts_of_records", asked):
                of_row = f"{row['channel']}/{row['sequence']}" if row["channel"] else None
                self._texts[row["component"], int(row["time_unix_nano"]), of_row] = row["body"]
        return self._texts.get(key, record.body)

    def hops(self, message: Message) -> Iterator[Hop]:
        """The message's crossings before this one, at its other end, and after it."""
        places = self._picture.places
        crossing = self._picture.crossing(message)
        if crossing is None:
            return
        ways: list[tuple[Message, Message, Message]] = []
        """Another message, and the two to compare, the earlier first."""
        if (sent := crossing.sent) is not None:
            ways += [(one, one, sent) for one in came_from(places, sent)]
        if crossing.sent is not None and crossing.received is not None:
            other = crossing.received if message is crossing.sent else crossing.sent
            ways.append((other, crossing.sent, crossing.received))
        if (arrived := crossing.received) is not None:
            ways += [(one, arrived, one) for one in went_on_as(places, arrived)]
        for other, earlier, later in ways[:_MOST_HOPS]:
            differences, more = self._compared(earlier, later)
            yield Hop(
                name=places.name(other),
                label=words.label(other),
                where=_where(other, self._picture),
                is_before=other is earlier,
                is_other_end=other is crossing.sent or other is crossing.received,
                took=duration_text(self._picture.time(later) - self._picture.time(earlier)),
                differences=differences,
                more=more,
            )

    def _compared(self, left: Message, right: Message) -> tuple[tuple[Difference, ...] | None, int]:
        if left.body is None or right.body is None:
            return None, 0
        if left.body_digest == right.body_digest:
            # Of texts that were cut, the digests of all that was said are known.
            ends = {one.attributes.get(MESSAGE_SHA256) for one in (left, right)}
            return (() if len(ends) == 1 else None), 0
        if left.body_length + right.body_length > _LONGEST_COMPARED:
            return None, 0
        rows = self._rows("difference", {"a": self.text(left), "b": self.text(right)})
        found = tuple(
            Difference(
                one_line(row["path"] or "$"),
                _value(row["left"]),
                _value(row["right"]),
                row["difference"],
                row["path"] in _OF_THE_HOP,
            )
            for row in rows[:_MOST_DIFFERENCES]
        )
        return found, max(0, len(rows) - _MOST_DIFFERENCES)

    def _rows(self, name: Any, asked: dict[str, Any]) -> list[dict[str, Any]]:
        with in_our_words(), self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query(name), asked).fetchall()


def _where(message: Message, picture: Picture) -> str:
    crossing = picture.crossing(message)
    if crossing is None:
        return message.component
    ends = f"{one_line(crossing.sender.name)} → {one_line(crossing.receiver.name)}"
    return f"{ends}, {message.direction} by {one_line(message.component)}"


def _value(value: str | None) -> str:
    if value is None:
        return ""
    return one_line(value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…")
