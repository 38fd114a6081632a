"""Newline-delimited messages, out of what a host reads and writes in whatever pieces it likes."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import Outgoing, TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.levels import Direction
from relayscope.instrumentation.traffic.long_text import MOST_KEPT, Gathering, LongText, pieces
from relayscope.instrumentation.traffic.message import is_whole

# Looked up once: see `traffic/level.py`.
_RECEIVED: Final = Direction.RECEIVED
_SENT: Final = Direction.SENT

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class OutgoingLines:
    """Lines that this process writes to one pipe.

    A piece that is a whole line, or a whole JSON object at the start of a line (`print` writes the
    end of the line by itself), is a message that can still be changed. What is written in smaller
    pieces is on the wire before it is a message; it is recorded when its end comes.

    All data of one pipe is text, or all is bytes, as `newline` is.
    """

    def __init__(self, text_exchange: TextExchange, channel: Channel, newline: str | bytes) -> None:
        self._text_exchange = text_exchange
        self._channel = channel
        self._newline: Any = newline
        self._begun = Gathering()
        """The pieces of a line that have been written without its end."""
        self._ended_early = False
        """True where the line's message has been written, and only its end is missing."""
        self._beginning: Any = None
        """The part of a line without its end that is being written."""

    def write(self, write: Callable[[Any], Any], data: Any) -> Any:
        """Write `data` at once, as the host does, and record each message that it completes."""
        outgoing: list[Outgoing[Any]] = []
        ended_early = self._ended_early
        try:
            changed = self._changed(data, outgoing)
            written = write(data if changed is None else changed)
        except BaseException as error:
            self._beginning, self._ended_early = None, ended_early
            for message in outgoing:
                message.failed(error)
            raise
        if self._beginning is not None:
            self._begun.add(self._beginning)
            self._beginning = None
        return written

    @shielded
    def passed(self, data: Any) -> None:
        """Record each message that is complete with `data`, which has been written."""
        self._pass(data, [])

    @shielded
    def ended(self) -> None:
        """Say that nothing more will be written: what was begun is all of its line."""
        if self._begun:
            self._text_exchange.sending_last_part(self._channel, self._begun.take())

    @shielded
    def _changed(self, data: Any, outgoing: list[Outgoing[Any]]) -> Any:
        if self._text_exchange.is_off(self._channel, _SENT) and data[-1:] == self._newline:
            self._begun, self._ended_early = Gathering(), False
            return None
        if len(data) > MOST_KEPT:
            self._pass(data, outgoing)
            return None
        *ends, rest = data.split(self._newline)
        pieces = [self._end(end, outgoing) for end in ends]
        pieces.append(self._begin(rest, outgoing) if rest else rest)
        return self._newline.join(pieces)

    def _pass(self, data: Any, outgoing: list[Outgoing[Any]]) -> None:
        """Take what is too much to be copied: its messages are recorded, and not changed."""
        for part in pieces(data):
            *ends, rest = part.split(b"\n")
            for end in ends:
                if not self._ended_early:
                    self._begun.add(end)
                self._end(self._newline[:0], outgoing)
            if not self._ended_early:
                self._begun.add(rest)

    def _end(self, piece: Any, outgoing: list[Outgoing[Any]]) -> Any:
        """Take the last piece of a line."""
        ended_early, self._ended_early = self._ended_early, False
        if self._begun:
            self._begun.add(piece)
            message = self._text_exchange.sending_last_part(self._channel, self._begun.take())
            if message is not None:
                outgoing.append(message)
        elif ended_early or not piece.strip():
            return piece
        else:
            return self._sending(piece, outgoing)
        return piece

    def _begin(self, piece: Any, outgoing: list[Outgoing[Any]]) -> Any:
        """Take a piece without the line's end."""
        if not self._begun and not self._ended_early and _is_object(piece):
            self._ended_early = True
            return self._sending(piece, outgoing)
        if not self._ended_early:
            self._beginning = piece
        return piece

    def _sending(self, piece: Any, outgoing: list[Outgoing[Any]]) -> Any:
        message = self._text_exchange.sending(self._channel, piece)
        if message is None:
            return piece
        outgoing.append(message)
        return message.data


class IncomingLines:
    """Lines that arrive in one pipe, and the position up to which the host has read them.

    Args:
        text_exchange: Records the messages.
        channel: Of the pipe.
        closed: Called when nothing more will come. A child's channel ends with its stdout; but a
            peer that has closed this process's stdin may still wait for answers.
    """

    def __init__(
        self,
        text_exchange: TextExchange,
        channel: Channel,
        closed: Callable[[], object] | None = None,
    ) -> None:
        self._closed = closed
        self._text_exchange = text_exchange
        self._channel = channel
        self._begun = Gathering()
        self._arrived = 0
        self._unread: deque[tuple[int, Span]] = deque()
        """Spans of messages that the host has not read, each with where its line ends."""

    @property
    def arrived(self) -> int:
        """The number of bytes that have arrived."""
        return self._arrived

    @property
    def has_unread(self) -> bool:
        """True while there may be a message to work for that the host has not read."""
        return bool(self._unread)

    def begin_to_read(self) -> None:
        """Say that the host waits for a message."""
        self._channel.reader_left = False

    def stopped_reading(self) -> None:
        """Say that it waits no more, unless it reads again."""
        self._text_exchange.stopped_reading(self._channel)

    @shielded
    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes, a piece at a time: there may be very many."""
        if self._text_exchange.is_off(self._channel, _RECEIVED) and data[-1:] == b"\n":
            self._arrived += len(data)
            self._begun = Gathering()
            return
        for piece in pieces(data):
            self._feed(piece)

    def _feed(self, data: bytes) -> None:
        *ends, rest = data.split(b"\n")
        for end in ends:
            self._arrived += len(end) + 1
            line: bytes | LongText = end
            if self._begun:
                self._begun.add(end)
                line = self._begun.take()
            self._take(line)
        self._arrived += len(rest)
        self._begun.add(rest)

    def _take(self, line: bytes | LongText) -> None:
        if isinstance(line, bytes):
            line = line.rstrip(b"\r") if line.strip() else b""
        if line:
            span = self._text_exchange.arrived(self._channel, line)
            if span is not None:
                self._unread.append((self._arrived, span))

    @shielded
    def read(self, position: int) -> None:
        """Let the running task work for the last message that it has read.

        Args:
            position: Number of the bytes that it has read of those that have arrived.
        """
        span = None
        while self._unread and self._unread[0][0] <= position:
            _, span = self._unread.popleft()
        if span is not None:
            current_span.enter(span)

    def ended(self) -> None:
        """Say that all has arrived, the last line perhaps without its end."""
        self._take_last()
        self.closed()

    @shielded
    def _take_last(self) -> None:
        if self._begun:
            self._take(self._begun.take())

    def closed(self) -> None:
        """Say that nothing more will be read."""
        if self._closed is not None:
            self._closed()


def _is_object(piece: Any) -> bool:
    braces = ("{", "}") if isinstance(piece, str) else (b"{", b"}")
    return piece.lstrip()[:1] == braces[0] and piece.rstrip()[-1:] == braces[1] and is_whole(piece)
