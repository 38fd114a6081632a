"""OTLP's JSON encoding to the same messages that protobuf gives.

Hand-written, because OTLP's JSON is not protobuf's (ids are hex) and protobuf's reader can be made
to recurse (CVE-2026-0994). Driven by the message descriptors: a new field of OTLP needs no code.

As OTLP says: field names in lowerCamelCase, ids in hex, enums as numbers, 64-bit integers as
numbers or text, unknown fields ignored. Names of before OTLP 0.15 are read, too: what was sent
under them would be lost. An id that is not hex counts as an id of wrong length: it costs its item
(`decode` rejects or marks it), not the request.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from relayscope.collector.errors import Malformed
from relayscope.collector.ingest.decode.weight import check_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from relayscope.collector.signals import Signal

MAX_DEPTH: Final = 100
"""Messages inside the request's message; upb refuses what is deeper, too."""

_LONGEST_PATH: Final = 12
"""Names of a path that are told; values nest."""

_FORMER_NAMES: Final = {
    "scope": "instrumentationLibrary",
    "scope_spans": "instrumentationLibrarySpans",
    "scope_logs": "instrumentationLibraryLogs",
    "scope_metrics": "instrumentationLibraryMetrics",
}
"""What exporters of before June 2022 say (Node.js up to 0.29): a scope had another name."""

_IDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
_NOT_AN_ID: Final = b"?"


def parse_json(signal: Signal, raw: bytes) -> Message:
    """The request as a protobuf message.

    Raises:
        Malformed: the bytes are not such a message in JSON, or it is nested too deeply.
        TooLarge: there are too many messages in it.
    """
    check_json(raw)
    message = signal.request()
    name = signal.request.DESCRIPTOR.name
    try:
        source = _load(raw)
    except (ValueError, RecursionError):
        raise Malformed(f"not a valid {name} in JSON: it is no JSON") from None
    try:
        _fill(message, source, MAX_DEPTH)
    except _Unfit as unfit:
        raise Malformed(f"not a valid {name} in JSON: {unfit}") from None
    return message


class _Unfit(ValueError):
    """A value that its field cannot have; its text has names and numbers, nothing of the value.

    Attributes:
        expected: Kind of value that the field has.
        path: Names of fields and their places in lists, the innermost first.
    """

    def __init__(self, expected: str, *path: str) -> None:
        super().__init__()
        self.expected = expected
        self.path = [*path]

    def __str__(self) -> str:
        path = self.path[::-1]
        shown = ".".join(path[:_LONGEST_PATH]) + ("..." if len(path) > _LONGEST_PATH else "")
        return f"expected {self.expected}" + (f" as {shown}" if shown else "")


def _load(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        # orjson refuses what JavaScript writes for half a surrogate pair; that is one character's
        # fault, not the request's.
        return json.loads(raw)


class _Field(NamedTuple):
    name: str
    repeated: bool
    convert: Callable[[Any], Any] | None
    """None for messages."""
    expected: str


def _fill(message: Message, source: Any, depth: int) -> None:
    if depth < 0:
        raise _Unfit("fewer levels")
    if not isinstance(source, dict):
        raise _Unfit("an object")
    fields = _fields(message.DESCRIPTOR)
    for key, value in source.items():
        field = fields.get(key)
        if field is None or value is None:
            continue
        try:
            _set(message, field, value, depth)
        except _Unfit as unfit:
            place = len(getattr(message, field.name)) - 1 if field.repeated else None
            unfit.path.append(key if place is None else f"{key}[{place}]")
            raise
        except (ValueError, TypeError):
            raise _Unfit(field.expected, key) from None


def _set(message: Message, field: _Field, value: Any, depth: int) -> None:
    if field.repeated:
        if not isinstance(value, list):
            raise TypeError
        target = getattr(message, field.name)
        if field.convert:
            target.extend(map(field.convert, value))
        else:
            for item in value:
                _fill(target.add(), item, depth - 1)
    elif field.convert:
        setattr(message, field.name, field.convert(value))
    else:
        target = getattr(message, field.name)
        target.SetInParent()
        _fill(target, value, depth - 1)


@cache  # a handful of message types, known beforehand
def _fields(descriptor: Descriptor) -> dict[str, _Field]:
    return {
        name: _Field(field.name, field.is_repeated, _conversion(field), _expected(field))
        for field in descriptor.fields
        for name in (field.json_name, _FORMER_NAMES.get(field.name, field.json_name))
    }


def _conversion(field: FieldDescriptor) -> Callable[[Any], Any] | None:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _id if field.name in _IDS else _base64
    return _CONVERSIONS.get(field.cpp_type, _integer)


def _expected(field: FieldDescriptor) -> str:
    if field.is_repeated:
        return "a list"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return "hexadecimal text" if field.name in _IDS else "base64"
    return _KINDS.get(field.cpp_type, "an integer")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    try:
        value.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _id(value: Any) -> bytes:
    try:
        return bytes.fromhex(_text(value))
    except ValueError:
        return _NOT_AN_ID


def _base64(value: Any) -> bytes:
    return base64.b64decode(_text(value), validate=True)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _enum(value: Any) -> int:
    if isinstance(value, str):
        raise TypeError
    return _integer(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    # orjson makes floats of integers that are too long; beyond 2**53 those are not exact.
    if isinstance(value, float) and (not value.is_integer() or abs(value) > 2**53):
        raise ValueError
    if isinstance(value, str) and len(value) > 20:  # noqa: PLR2004 - the digits of -2**63 and 2**64
        raise ValueError
    return int(value)


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


_CONVERSIONS: Final[dict[int, Callable[[Any], Any] | None]] = {
    FieldDescriptor.CPPTYPE_MESSAGE: None,
    FieldDescriptor.CPPTYPE_STRING: _text,
    FieldDescriptor.CPPTYPE_DOUBLE: _double,
    FieldDescriptor.CPPTYPE_BOOL: _bool,
    FieldDescriptor.CPPTYPE_ENUM: _enum,
}

_KINDS: Final = {
    FieldDescriptor.CPPTYPE_MESSAGE: "an object",
    FieldDescriptor.CPPTYPE_STRING: "text",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_ENUM: "an enum's number",
}
"""Values of a field, in words; the others are integers."""
