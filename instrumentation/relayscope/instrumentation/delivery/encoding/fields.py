"""The fields of records in the spool.

A record is a msgpack array; its first element says which of three kinds it is, its second is the
record's number in its process. `record.py` writes it, in the host. The forwarder only reads it:
nothing here imports the sanitizer, which is a fifth of what a forwarder takes to start.

Host and forwarder may be of two releases: there is one forwarder for a component, whichever of its
environments was updated first. So a release appends fields, with a default, and changes none; what
it has appended is left out by a forwarder that does not know it.
"""

from typing import Any, Final, NamedTuple

import msgpack

LOG: Final = 1
SPAN: Final = 2
ACCOUNT: Final = 3

FULL: Final = "full"
UNAVAILABLE: Final = "unavailable"
FAILED: Final = "failed"
"""In accounts: a record was dropped because the spool has no room, because nothing can be written
there, or because it could not be packed."""

Scope = tuple[str, str, str, dict[str, Any]]


class LogFields(NamedTuple):
    """A log record out of the spool."""

    kind: int
    number: int
    time: int
    observed_time: int
    trace_id: bytes
    span_id: bytes
    flags: int
    severity_number: int
    severity_text: str
    event_name: str
    body: Any
    attributes: dict[str, Any]
    dropped_attributes: int
    scope: Scope
    resource: dict[str, Any] | None
    """Attributes of its resource, where that is not the process's own."""


class SpanFields(NamedTuple):
    """A span out of the spool; events and links are tuples in the order of OTLP's fields."""

    kind: int
    number: int
    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    parent_is_remote: bool
    trace_state: str
    name: str
    span_kind: int
    start_time: int
    end_time: int
    attributes: dict[str, Any]
    events: list[tuple[str, int, dict[str, Any], int]]
    links: list[tuple[bytes, bytes, bool, str, dict[str, Any], int]]
    status_code: int
    status_message: str
    dropped: tuple[int, int, int]
    scope: Scope
    resource: dict[str, Any] | None


class AccountFields(NamedTuple):
    """The totals that a process reports about its own records; this record has no number."""

    kind: int
    number: int
    emitted: int
    dropped: dict[str, int]
    ended: bool


Fields = LogFields | SpanFields | AccountFields
_KINDS: Final[dict[int, type[Fields]]] = {
    LOG: LogFields,
    SPAN: SpanFields,
    ACCOUNT: AccountFields,
}


def unpack(record: bytes) -> Fields:
    """Return the fields of a record.

    Raises:
        ValueError: It is of a kind that is not known here, or was never one.
    """
    try:
        fields = msgpack.unpackb(record, strict_map_key=False, unicode_errors="surrogatepass")
        kind = _KINDS[fields[0]]
        return kind(*fields[: len(kind._fields)])
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("not a record of this version") from error
