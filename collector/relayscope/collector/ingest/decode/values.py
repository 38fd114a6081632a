"""OTLP values and times as plain Python and as what PostgreSQL's binary COPY takes."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    from relayscope.sanitizer import Value

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    """Attributes as a dict; of a repeated key the last value holds."""
    result: dict[str, Value] = {}
    for pair in pairs:
        value = pair.value
        # Most values are texts, some are numbers, and reading a field is cheaper than asking which
        # one is set: 3.2 instead of 4.4 µs for 8 attributes.
        result[pair.key] = value.string_value or value.int_value or plain(value)
    return result


def plain(value: AnyValue) -> Value:  # noqa: PLR0911 - one per kind of value
    """An `AnyValue` as plain Python; None if it holds nothing."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return value.int_value
        case "bool_value":
            return value.bool_value
        case "double_value":
            return value.double_value
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return attributes(value.kvlist_value.values)
        case "bytes_value":
            return value.bytes_value
        case _:  # nothing, or an index into the dictionary that only profiles have
            return None


def jsonb(value: Any) -> bytes:
    """A value as binary COPY takes it for `jsonb`; bytes become `{"$bytes": base64}`."""
    return b"\x01" + orjson.dumps(value, default=_bytes_as_json)


def json_values(value: dict[str, Value]) -> dict[str, object]:
    """Return a mapping with JSON's types alone; bytes become `{"$bytes": base64}`."""
    plain_json: dict[str, object] = orjson.loads(orjson.dumps(value, default=_bytes_as_json))
    return plain_json


def _bytes_as_json(value: object) -> object:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError


def number(value: float) -> float | str:
    """A number as JSON can hold it: NaN and the infinities are text, spelled as in OTLP's JSON."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def trace_id_or_none(sent: bytes, odd: list[str]) -> bytes | None:
    """A trace id; None if there is none, noted in `odd` if what was sent is not one."""
    if len(sent) == 16 and sent != _NO_TRACE:  # noqa: PLR2004 - the length of a trace id
        return sent
    if sent.strip(b"\0"):
        odd.append("trace_id")
    return None


def span_id_or_none(sent: bytes, odd: list[str]) -> bytes | None:
    """A span id; None if there is none, noted in `odd` if what was sent is not one."""
    if len(sent) == 8 and sent != _NO_SPAN:  # noqa: PLR2004 - the length of a span id
        return sent
    if sent.strip(b"\0"):
        odd.append("span_id")
    return None
