"""The form of the rows in a `Batch`, and the few conversions that make it.

A row is a plain tuple with one value per column of its table in `relayscope.storage.tables`, in
the same order, in the form that binary COPY sends without looking at it again:

===================  =========================================================================
column               value
===================  =========================================================================
timestamptz          int, microseconds since 2000-01-01 UTC (`time`)
smallint, bigint     int; smallint is cut to its lowest 16 bits, unchecked
numeric              int (only `metric_point.count`)
double               float
boolean              bool
text                 str, without NUL and lone surrogates
uuid                 bytes, 16 of them
bytea                bytes
jsonb                bytes, `jsonb`
NULL                 None, where the column allows it
===================  =========================================================================
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final
from uuid import UUID

import orjson

from relayscope.storage.batch import Row

EPOCH: Final = 946_684_800_000_000
"""2000-01-01 UTC, where PostgreSQL starts to count, in microseconds since 1970."""

_JSONB_VERSION: Final = b"\x01"


def time(unix_nano: int) -> tuple[int, int]:
    """Convert OTLP's nanoseconds since 1970 to a timestamptz and its remaining nanoseconds.

    Every uint64 has a timestamptz: 2**64 - 1 is in the year 2554.
    """
    microseconds, nanoseconds = divmod(unix_nano, 1000)
    return microseconds - EPOCH, nanoseconds


def jsonb(value: object) -> bytes:
    """Convert a sanitized value to the binary form of jsonb.

    Raises:
        TypeError: JSON cannot hold it (orjson's `JSONEncodeError`).
    """
    return _JSONB_VERSION + orjson.dumps(value)


def resource(
    attributes: Mapping[str, object], schema_url: str, dropped_attributes_count: int = 0
) -> tuple[UUID, Row]:
    """Make the id and the row of a resource.

    Args:
        attributes: Sanitized, as plain JSON values.
        schema_url: Of the ResourceSpans, ResourceLogs or ResourceMetrics.
        dropped_attributes_count: As received.
    """
    identity = _identity(attributes, schema_url)
    component = attributes.get("service.name")
    return UUID(bytes=identity), (
        identity,
        component if isinstance(component, str) and component else "unknown_service",
        jsonb(attributes),
        schema_url,
        dropped_attributes_count,
    )


def scope(
    name: str,
    version: str,
    attributes: Mapping[str, object],
    schema_url: str = "",
    dropped_attributes_count: int = 0,
) -> tuple[UUID, Row]:
    """Make the id and the row of an instrumentation scope, like `resource`."""
    identity = _identity(name, version, attributes, schema_url)
    return UUID(bytes=identity), (
        identity,
        name,
        version,
        jsonb(attributes),
        schema_url,
        dropped_attributes_count,
    )


def _identity(*parts: object) -> bytes:
    canonical = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return blake2b(canonical, digest_size=16).digest()
