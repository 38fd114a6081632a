"""Rows of one request, and a count of what could not become a row."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from relayscope.collector.errors import TooLarge
from relayscope.collector.ingest.decode.values import attributes, json_values
from relayscope.collector.ingest.decode.weight import MAX_ITEMS
from relayscope.conventions.attributes import ENTITY_REFS
from relayscope.sanitizer import NORMALIZED
from relayscope.storage import Batch, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.protobuf.message import Message
    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource

    from relayscope.sanitizer import Sanitizer, Value

_AT_ONCE: Final = 8
"""Records that are sanitized together: see `Sanitizer.records`. More save little, and make it
likelier that a suspicious one is among them."""

_BYTES_AT_ONCE: Final = 32 * 2**10
"""Bytes of records that are sanitized together, unless one alone has more: up to 16 ms of work,
after which others can be served."""


_Record = TypeVar("_Record", bound="Message")


class Decoded:
    """One request, decoded and sanitized."""

    __slots__ = ("_left", "_names", "arrived", "batch", "rejected", "sanitizer")

    def __init__(self, digest: bytes, sanitizer: Sanitizer, arrived: int) -> None:
        self.batch = Batch(digest)
        self.rejected: Counter[str] = Counter()
        self.sanitizer = sanitizer
        self.arrived = arrived
        self._left = MAX_ITEMS
        self._names: dict[str, str] = {}

    def expect(self, items: int) -> None:
        """Say that so many more items follow.

        Raises:
            TooLarge: these are too many.
        """
        self._left -= items
        if self._left < 0:
            raise TooLarge(f"a request may have {MAX_ITEMS:,} items")

    def name(self, text: str) -> str:
        """A name, sanitized; the same few come with every record."""
        clean = self._names.get(text)
        if clean is None:
            clean = self._names[text] = self.sanitizer.text(text)
        return clean

    def reject(self, reason: str) -> None:
        """Count an item that cannot be stored; the reason never holds text from telemetry."""
        self.rejected[reason] += 1

    def resource(self, resource: Resource, schema_url: str) -> bytes:
        """The id of a resource, whose row is now part of the batch."""
        self.expect(1)
        plain = attributes(resource.attributes)
        if resource.entity_refs:
            plain[ENTITY_REFS] = [
                {
                    "schema_url": ref.schema_url,
                    "type": ref.type,
                    "id_keys": list(ref.id_keys),
                    "description_keys": list(ref.description_keys),
                }
                for ref in resource.entity_refs
            ]
        identity, row = rows.resource(
            json_values(self.sanitizer.attributes(plain)),
            self.sanitizer.text(schema_url),
            resource.dropped_attributes_count,
        )
        self.batch.resources[identity] = row
        return identity.bytes

    def scope(self, scope: InstrumentationScope, schema_url: str) -> bytes:
        """The id of an instrumentation scope, whose row is now part of the batch."""
        self.expect(1)
        identity, row = rows.scope(
            self.sanitizer.text(scope.name),
            self.sanitizer.text(scope.version),
            json_values(self.sanitizer.attributes(attributes(scope.attributes))),
            self.sanitizer.text(schema_url),
            scope.dropped_attributes_count,
        )
        self.batch.scopes[identity] = row
        return identity.bytes


def mark(attributes: dict[str, Value], odd: list[str]) -> None:
    """Say in a record's attributes what of it makes no sense or could not be stored as sent."""
    already = attributes.get(NORMALIZED)
    attributes[NORMALIZED] = [*(already if isinstance(already, list) else ()), *odd]


def few(records: Sequence[_Record]) -> Iterator[Sequence[_Record]]:
    """The records, as many at a time as one step takes."""
    start = size = 0
    for index, record in enumerate(records):
        more = record.ByteSize()
        if index - start == _AT_ONCE or (index > start and size + more > _BYTES_AT_ONCE):
            yield records[start:index]
            start, size = index, 0
        size += more
    if start < len(records):
        yield records[start:]
