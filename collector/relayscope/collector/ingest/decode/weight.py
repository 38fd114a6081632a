"""Bounds on what a request becomes in memory, which its bytes do not bound.

A message without fields is two bytes on the wire and a hundred in memory: 4 MiB of empty log
records became 800 MiB and 20 s of work. So the messages in a request are counted before it is
parsed, and its items before they become rows (`Decoded.expect`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from relayscope.collector.errors import TooLarge

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

    from relayscope.collector.signals import Signal

MAX_MESSAGES: Final = 1_000_000
"""Messages in a request: at about 100 bytes each, 100 MiB. 20 MiB of log records with 8 attributes
and a body of 420 bytes have half as many."""

MAX_ITEMS: Final = 65_536
"""Items in a request, with what groups them (resources, scopes, metrics) and what hangs on them
(events, links, exemplars). Senders batch some hundreds to ten thousand; a row takes at least half a
kilobyte, a resource 10 µs."""

_SMALL: Final = bytes(range(16))
_LEAST_MESSAGE: Final = 2
_LEAST_OTHER: Final = len(_SMALL) + _LEAST_MESSAGE


def check_protobuf(signal: Signal, raw: bytes) -> None:
    """Let a request be parsed only if it has few enough messages.

    Raises:
        TooLarge: it has too many.
    """
    # Only large requests can have too many, and of these only ones with many small bytes: every
    # message that is shorter than 16 bytes has its length in one. Counting exactly is slow.
    if (
        len(raw) > _LEAST_MESSAGE * MAX_MESSAGES
        and len(raw) - len(raw.translate(None, _SMALL)) + len(raw) // _LEAST_OTHER > MAX_MESSAGES
        and messages_in(raw, signal.descriptor) > MAX_MESSAGES
    ):
        raise TooLarge(f"a request may have {MAX_MESSAGES:,} messages inside")


def check_json(raw: bytes) -> None:
    """Refuse JSON with too many objects and lists; braces in its texts count, too.

    Raises:
        TooLarge: it has too many.
    """
    if len(raw) > MAX_MESSAGES and raw.count(b"{") + raw.count(b"[") > MAX_MESSAGES:
        raise TooLarge(f"a request may have {MAX_MESSAGES:,} objects and lists inside")


def messages_in(raw: bytes, descriptor: Descriptor) -> int:
    """Count the messages in one, at any depth; stops at too many or at damage."""
    count = 0
    position = 0
    pending = [(len(raw), _nested(descriptor))]
    try:
        while pending and count <= MAX_MESSAGES:
            end, nested = pending[-1]
            if position >= end:
                pending.pop()
                continue
            tag, position = _varint(raw, position)
            match tag & 7:
                case 0:  # a varint
                    _, position = _varint(raw, position)
                case 1:  # 64 bits
                    position += 8
                case 5:  # 32 bits
                    position += 4
                case 2:  # bytes with their length before them
                    length, position = _varint(raw, position)
                    inner = nested.get(tag >> 3)
                    if inner is None:
                        position += length
                    else:
                        count += 1
                        pending.append((position + length, _nested(inner)))
                case _:  # nothing that OTLP has
                    break
    except IndexError:  # it ends too early, as the parser will find, too
        pass
    return count


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    """A number in 7 bits per byte, and where the next field begins."""
    value = shift = 0
    while (byte := raw[position]) > 0x7F:  # noqa: PLR2004 - the bit that says that more follows
        value |= (byte & 0x7F) << shift
        shift += 7
        position += 1
    return value | byte << shift, position + 1


@cache  # a handful of message types, known beforehand
def _nested(descriptor: Descriptor) -> dict[int, Descriptor]:
    """The fields that hold messages, by number."""
    return {
        field.number: field.message_type
        for field in descriptor.fields
        if field.message_type is not None
    }
