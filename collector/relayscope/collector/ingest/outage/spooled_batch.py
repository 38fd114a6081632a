"""A batch as a record of the outage spool."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgpack

from relayscope.storage import Batch


def pack(batch: Batch) -> bytes:
    """Return a batch as bytes: what `unpack` makes an equal batch of."""
    record: bytes = msgpack.packb(
        (
            batch.digest,
            {key.bytes: row for key, row in batch.resources.items()},
            {key.bytes: row for key, row in batch.scopes.items()},
            batch.spans,
            batch.logs,
            batch.points,
        ),
        # Text from telemetry may hold anything that a Python string may.
        unicode_errors="surrogatepass",
    )
    return record


def unpack(record: bytes) -> Batch:
    """Return the batch that `pack` made these bytes of.

    Raises:
        ValueError: The record is of another kind or version.
    """
    fields: Any = msgpack.unpackb(
        record, use_list=False, strict_map_key=False, unicode_errors="surrogatepass"
    )
    try:
        digest, resources, scopes, *rows = fields
        spans, logs, points = map(list, rows)
        return Batch(digest, _by_id(resources), _by_id(scopes), spans, logs, points)
    except (TypeError, AttributeError) as error:
        raise ValueError("not a record of the outage spool") from error


def _by_id(rows: dict[bytes, Any]) -> dict[UUID, Any]:
    return {UUID(bytes=key): row for key, row in rows.items()}
