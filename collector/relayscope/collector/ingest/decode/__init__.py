"""OTLP messages to sanitized rows: pure, and the collector's hot path.

`decode` takes one parsed request and gives the one `Batch` that the writer stores for it; `steps`
does the same a few records at a time, so that others can be served in between. Nothing in here
waits, remembers or logs; whatever a client sends, the result is rows and a count of what could not
become a row. Nothing leaves this package unsanitized.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError

from relayscope.collector.errors import Malformed
from relayscope.collector.ingest.decode.logs import add_logs
from relayscope.collector.ingest.decode.metrics import add_metrics
from relayscope.collector.ingest.decode.rows import Decoded
from relayscope.collector.ingest.decode.traces import add_traces
from relayscope.collector.ingest.decode.weight import check_protobuf
from relayscope.collector.signals import LOGS, METRICS, TRACES, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message

    from relayscope.sanitizer import Sanitizer

__all__ = ["Decoded", "decode", "digest_of", "parse", "steps"]

# The pure-Python parser recurses without a bound (CVE-2025-4565); upb refuses at depth 100.
if api_implementation.Type() != "upb":
    raise ImportError("relayscope needs protobuf's upb parser; reinstall protobuf from a wheel")

_ADD: Final[dict[Signal, Callable[..., Iterator[None]]]] = {
    TRACES: add_traces,
    LOGS: add_logs,
    METRICS: add_metrics,
}


def parse(signal: Signal, raw: bytes) -> Message:
    """The request as a protobuf message.

    Raises:
        Malformed: the bytes are not such a message, or it is nested too deeply.
        TooLarge: there are too many messages in it.
    """
    check_protobuf(signal, raw)
    try:
        return signal.request.FromString(raw)
    except DecodeError:
        raise Malformed(f"not a valid {signal.request.DESCRIPTOR.name}") from None


def decode(
    signal: Signal, request: Message, raw: bytes, sanitizer: Sanitizer, arrived: int
) -> Decoded:
    """The rows of one request.

    Args:
        signal: signal of the request.
        request: the parsed request.
        raw: its bytes as they were sent (decompressed); they identify a repeated request.
        sanitizer: sees every text before it becomes part of a row.
        arrived: the time of arrival in Unix nanoseconds, for records that carry no time.

    Raises:
        TooLarge: there are too many items in it.
    """
    decoded = Decoded(digest_of(signal, raw), sanitizer, arrived)
    for _ in steps(signal, request, decoded):
        pass
    return decoded


def steps(signal: Signal, request: Message, decoded: Decoded) -> Iterator[None]:
    """Decode in small steps; after each, a few more records are among the rows.

    Raises:
        TooLarge: there are too many items in it.
    """
    return _ADD[signal](request, decoded)


def digest_of(signal: Signal, raw: bytes) -> bytes:
    """Return the digest of a request: it tells a repeated one from a new one."""
    return hashlib.blake2b(raw, digest_size=16, person=signal.name.encode()).digest()
