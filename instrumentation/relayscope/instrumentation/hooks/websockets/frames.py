"""A WebSocket's messages, out of its data frames, and how far the host has read them."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.hooks.close_frames import close_in_frames
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import Outgoing, TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.channel_close import NO_CLOSE_FRAME, ChannelClose
from relayscope.instrumentation.traffic.long_text import Gathering, LongText

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class Fragments:
    """Puts the frames of one direction together.

    Attributes:
        is_open: True if a message has begun and not ended.
    """

    def __init__(self) -> None:
        self._begun = Gathering()
        self.is_open = False

    def add(self, data: bytes, *, last: bool) -> bytes | LongText | None:
        """Take the next frame; return the message that ends with it."""
        self._begun.add(data)
        self.is_open = not last
        return self._begun.take() if last else None


class Socket:
    """One WebSocket: tells the wire of what crosses it. Nothing here raises.

    Attributes:
        text_exchange: Records the messages.
        channel: Of the socket.
        last_read: The number of the message that the host has read last.
        unread: Spans of messages that it has not read, each with the message's number.
    """

    def __init__(self, text_exchange: TextExchange, channel: Channel) -> None:
        self.text_exchange = text_exchange
        self.channel = channel
        self._sent = Fragments()
        self._arrived = Fragments()
        self._last_arrived = self.last_read = 0
        self.unread: deque[tuple[int, Span]] = deque()

    def arrived(self, data: bytes, *, last: bool) -> None:
        """Take a data frame that has arrived."""
        gathered: bytes | LongText | None = None
        if not last or self._arrived.is_open:
            gathered = self._fragment_arrived(data, last=last)
            if gathered is None:
                return
        number = self._last_arrived = self._last_arrived + 1
        if self.channel.off_received is self.text_exchange.exchange.levels:
            return
        span = self.text_exchange.arrived(
            self.channel, bytes(data) if gathered is None else gathered
        )
        # What is read piece by piece has been read before all of it was there.
        if span is not None and number > self.last_read:
            self.unread.append((number, span))

    @shielded
    def _fragment_arrived(self, data: bytes, *, last: bool) -> bytes | LongText | None:
        return self._arrived.add(bytes(data), last=last)

    def read(self) -> None:
        """Let the running task work for the message that it has just read."""
        self.last_read += 1
        if self.unread:
            self.work_for_last_read()

    @shielded
    def work_for_last_read(self) -> None:
        """Let the running task work for the message that was read last."""
        number, span = self.unread[0]
        if number <= self.last_read:
            self.unread.popleft()
            current_span.enter(span)

    def stopped_reading(self) -> None:
        """Say that the host waits for no message any more, unless it reads again."""
        self.text_exchange.stopped_reading(self.channel)

    def send(self, send: Callable[[bytes], None], data: Any) -> None:
        """Send a message that is one frame."""
        outgoing = self.text_exchange.sending(self.channel, bytes(data))
        _send(send, data if outgoing is None else outgoing.data, outgoing)

    def send_fragment(self, send: Callable[[bytes], None], data: Any, *, last: bool) -> None:
        """Send a frame of a message in fragments: what has been sent cannot be changed."""
        _send(send, data, self._sending_fragment(data, last=last))

    @shielded
    def _sending_fragment(self, data: Any, *, last: bool) -> Outgoing[Any] | None:
        message = self._sent.add(bytes(data), last=last)
        return (
            None if message is None else self.text_exchange.sending_last_part(self.channel, message)
        )

    @shielded
    def closed(self, protocol: Any) -> None:
        """Say that nothing more will cross; the library's protocol has the close frames."""
        closing = close_in_frames(protocol) or ChannelClose(NO_CLOSE_FRAME)
        self.text_exchange.closed(self.channel, closing)


def _send(send: Callable[[bytes], None], data: Any, outgoing: Outgoing[Any] | None) -> None:
    try:
        send(data)
    except BaseException as error:
        if outgoing is not None:
            outgoing.failed(error)
        raise
