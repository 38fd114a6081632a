"""A WebSocket's messages, out of its data frames, and how far the host has read them."""

from collections import deque
from collections.abc import Callable
from typing import Any

from opentelemetry.trace import Span  # noqa: TC002  # beside imports that are used

from relayscope.instrumentation import ambient
from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.ending import Ending
from relayscope.instrumentation.long_text import Gathering, LongText
from relayscope.instrumentation.shield import shielded
from relayscope.instrumentation.wire import Outgoing, Wire


class Fragments:
    """Puts the frames of one direction together."""

    def __init__(self) -> None:
        self._begun = Gathering()

    def add(self, data: bytes, *, last: bool) -> bytes | LongText | None:
        """Take the next frame; return the message that ends with it."""
        if last and not self._begun:
            return data
        self._begun.add(data)
        return self._begun.take() if last else None


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

    def send(self, send: Callable[[bytes], None], data: Any) -> None:
        """Send a message that is one frame."""
        outgoing = self._wire.sending(self.channel, bytes(data))
        if outgoing is None:
            send(data)
        else:
            _send(send, outgoing.data, outgoing)

    def send_fragment(self, send: Callable[[bytes], None], data: Any, *, last: bool) -> None:
        """Send a frame of a message in fragments: what has been sent cannot be changed."""
        _send(send, data, self._sending_fragment(data, last=last))

    @shielded
    def _sending_fragment(self, data: Any, *, last: bool) -> Outgoing[Any] | None:
        message = self._sent.add(bytes(data), last=last)
        return None if message is None else self._wire.sending_last_part(self.channel, message)

    def closed(self, close_code: int | None, close_reason: str | None) -> None:
        """Say that nothing more will cross."""
        self._wire.closed(self.channel, Ending(close_code, close_reason or ""))


def _send(send: Callable[[bytes], None], data: Any, outgoing: Outgoing[Any] | None) -> None:
    try:
        send(data)
    except BaseException as error:
        if outgoing is not None:
            outgoing.failed(error)
        raise
