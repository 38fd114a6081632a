"""Newline-delimited messages, out of what a host reads and writes in whatever pieces it likes."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import orjson

from relayscope.instrumentation import ambient
from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.levels import Direction
from relayscope.instrumentation.shield import shielded
from relayscope.instrumentation.wire import Outgoing, Wire

# Looked up once: see `level.py`.
_RECEIVED: Final = Direction.RECEIVED
_SENT: Final = Direction.SENT

if TYPE_CHECKING:
    from opentelemetry.trace import Span

LONGEST_LINE: Final = 16 * 1024 * 1024
"""Bytes kept of a line whose end has not come: a peer may send what has no lines at all."""


_PIECE: Final = 1024 * 1024
"""Bytes that are copied at a time of what a host reads at once."""


class OutgoingLines:
    """What this process writes to one pipe.

    A piece that is a whole line, or a whole JSON object at the start of a line (`print` writes the
    end of the line by itself), is a message that can still be changed. What is written in smaller
    pieces is on the wire before it is a message; it is recorded when its end comes.

    All data of one pipe is text, or all is bytes, as `newline` is.
    """

    def __init__(self, wire: Wire, channel: Channel, newline: str | bytes) -> None:
        self._wire = wire
        self._channel = channel
        self._newline: Any = newline
        self._begun: list[Any] = []
        """The pieces of a line that have been written without its end."""
        self._begun_size = 0
        self._ended_early = False
        """Whether the line's message has been written, and only its end is missing."""

    def write(self, write: Callable[[Any], Any], data: Any) -> Any:
        """Write `data` at once, as the host does, and record each message that it completes."""
        outgoing: list[Outgoing[Any]] = []
        changed = self._changed(data, outgoing)
        try:
            return write(data if changed is None else changed)
        except BaseException as error:
            for message in outgoing:
                message.failed(error)
            raise

    @shielded
    def _changed(self, data: Any, outgoing: list[Outgoing[Any]]) -> Any:
        if self._wire.is_off(self._channel, _SENT) and data[-1:] == self._newline:
            self._begun, self._begun_size, self._ended_early = [], 0, False
            return None
        *ends, rest = data.split(self._newline)
        pieces = [self._end(end, outgoing) for end in ends]
        pieces.append(self._begin(rest, outgoing) if rest else rest)
        return self._newline.join(pieces)

    def _end(self, piece: Any, outgoing: list[Outgoing[Any]]) -> Any:
        """Take the last piece of a line."""
        begun, self._begun, self._begun_size = self._begun, [], 0
        ended_early, self._ended_early = self._ended_early, False
        if begun:
            line = self._newline[:0].join((*begun, piece))
            message: Any = self._wire.sending_last_part(self._channel, line)
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
        if not self._ended_early and self._begun_size < LONGEST_LINE:
            self._begun.append(piece)
            self._begun_size += len(piece)
        return piece

    def _sending(self, piece: Any, outgoing: list[Outgoing[Any]]) -> Any:
        message = self._wire.sending(self._channel, piece)
        if message is None:
            return piece
        outgoing.append(message)
        return message.data


class IncomingLines:
    """What arrives in one pipe, and how far the host has read it.

    Args:
        wire: Where messages are told.
        channel: Of the pipe.
        ends_channel: Whether with this pipe's end nothing more will cross the channel. Of a child
            that is so; but who has closed this process's stdin may still be waiting for answers.
    """

    def __init__(self, wire: Wire, channel: Channel, *, ends_channel: bool) -> None:
        self._ends_channel = ends_channel
        self._wire = wire
        self._channel = channel
        self._begun = bytearray()
        self._arrived = 0
        self._unread: deque[tuple[int, Span]] = deque()
        """Spans of messages that the host has not read, each with where its line ends."""

    @property
    def arrived(self) -> int:
        """How many bytes have arrived."""
        return self._arrived

    @property
    def has_unread(self) -> bool:
        """Whether there may be a message to work for that the host has not read."""
        return bool(self._unread)

    @shielded
    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes, a piece at a time: there may be very many."""
        if self._wire.is_off(self._channel, _RECEIVED) and data[-1:] == b"\n":
            self._arrived += len(data)
            self._begun.clear()
            return
        for start in range(0, len(data), _PIECE):
            self._feed(data[start : start + _PIECE])

    def _feed(self, data: bytes | bytearray | memoryview) -> None:
        *ends, rest = bytes(data).split(b"\n")
        for end in ends:
            self._arrived += len(end) + 1
            line = end
            if self._begun:
                line = bytes(self._begun + end)
                self._begun.clear()
            if line.strip():
                span = self._wire.arrived(self._channel, line.rstrip(b"\r"))
                if span is not None:
                    self._unread.append((self._arrived, span))
        self._arrived += len(rest)
        if len(self._begun) < LONGEST_LINE:
            self._begun += rest

    @shielded
    def read(self, position: int) -> None:
        """Let the running task work for the last message that it has read.

        Args:
            position: How many of the bytes that have arrived it has read.
        """
        span = None
        while self._unread and self._unread[0][0] <= position:
            _, span = self._unread.popleft()
        if span is not None:
            ambient.enter(span)

    def closed(self) -> None:
        """Say that nothing more will come."""
        if self._ends_channel:
            self._wire.closed(self._channel)


def _is_object(piece: Any) -> bool:
    braces = ("{", "}") if isinstance(piece, str) else (b"{", b"}")
    return piece.lstrip()[:1] == braces[0] and piece.rstrip()[-1:] == braces[1] and _parses(piece)


def _parses(piece: str | bytes) -> bool:
    try:
        orjson.loads(piece)
    except ValueError:
        return False
    return True
