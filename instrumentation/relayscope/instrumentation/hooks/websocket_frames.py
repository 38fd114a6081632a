"""A WebSocket's messages, out of its data frames, and how far the host has read them."""

from collections import deque
from typing import Final

from opentelemetry.trace import Span  # noqa: TC002  # beside imports that are used

from relayscope.instrumentation import ambient
from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.shield import shielded
from relayscope.instrumentation.wire import Wire

LARGEST_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes that are kept of a message in fragments: a peer may never send the last one."""


class Fragments:
    """Puts the frames of one direction together."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_open(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._parts)

    def add(self, data: bytes, *, last: bool) -> bytes | None:
        """Take the next frame; return the message that ends with it."""
        if last and not self._parts:
            return data
        if self._size < LARGEST_MESSAGE:
            self._parts.append(data)
            self._size += len(data)
        if not last:
            return None
        message = b"".join(self._parts)
        self._parts, self._size = [], 0
        return message


class Socket:
    """One WebSocket: tells the wire of what crosses it. Nothing here raises."""

    def __init__(self, wire: Wire, channel: Channel) -> None:
        self.channel = channel
        self._wire = wire
        self._sent = Fragments()
        self._arrived = Fragments()
        self._unread: deque[Span | None] = deque()

    @property
    def unread(self) -> int:
        """How many messages have arrived that the host has not read."""
        return len(self._unread)

    @shielded
    def arrived(self, data: bytes, *, last: bool) -> None:
        """Take a data frame that has arrived."""
        message = self._arrived.add(bytes(data), last=last)
        if message is not None:
            self._unread.append(self._wire.arrived(self.channel, message))

    @shielded
    def read(self) -> None:
        """Let the running task work for the message that it has just read."""
        span = self._unread.popleft() if self._unread else None
        if span is not None:
            ambient.enter(span)

    @shielded
    def sent_fragment(self, data: bytes, *, last: bool) -> None:
        """Take a frame of a message in fragments: what has been sent cannot be changed."""
        message = self._sent.add(bytes(data), last=last)
        if message is not None:
            self._wire.sent_already(self.channel, message)

    def closed(self) -> None:
        """Say that nothing more will cross."""
        self._wire.closed(self.channel)
