"""Messages as text on a wire: what the hooks of WebSockets and pipes have in common."""

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span

from . import ambient
from .channel import Channel
from .crossing import Crossing
from .exchange import Exchange
from .levels import Direction
from .message import Message
from .meta import spliced
from .shield import shielded

_Data = TypeVar("_Data", bound=str | bytes)


@dataclass(slots=True, frozen=True)
class Outgoing(Generic[_Data]):
    """A message that is about to be sent.

    Attributes:
        data: What to send, of the type that the host wanted to send.
    """

    data: _Data
    _crossing: Crossing

    @shielded
    def sent(self) -> None:
        """Say that the host's library took it."""
        self._crossing.record(self.data)

    @shielded
    def failed(self, error: BaseException) -> None:
        """Say that the host's library refused it."""
        self._crossing.fail(error)


class Wire:
    """The exchange, as a hook that sees text needs it. Nothing here raises."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @shielded
    def sending(self, channel: Channel, data: _Data) -> Outgoing[_Data] | None:
        """Return what to send in place of `data`, None if it is sent as it is and not recorded."""
        if self._exchange.is_off(channel, Direction.SENT):
            return None
        crossing = self._exchange.sending(channel, Message.of_text(data))
        if crossing.carrier:
            data = _with_context(data, crossing)
        return Outgoing(data, crossing)

    @shielded
    def sent_already(self, channel: Channel, data: str | bytes) -> None:
        """Record a message that can no longer be changed, because a part of it has been sent."""
        if not self._exchange.is_off(channel, Direction.SENT):
            self._exchange.sending(channel, Message.of_text(data)).record(data)

    @shielded
    def arrived(
        self, channel: Channel, data: str | bytes, around: Context | None = None
    ) -> Span | None:
        """Record a message that has arrived.

        Args:
            channel: Where it arrived.
            data: Its text.
            around: What the transport says of the context, such as an HTTP request's header.

        Returns:
            The span that its reader works for, if it is a request or a notification.
        """
        if self._exchange.is_off(channel, Direction.RECEIVED):
            return None
        crossing = self._exchange.received(channel, Message.of_text(data), around)
        crossing.record(data)
        return (
            None if not crossing.message.method or crossing.span is INVALID_SPAN else crossing.span
        )

    def received(self, channel: Channel, data: str | bytes, around: Context | None = None) -> None:
        """Record a message that has arrived, and let the running task work for it."""
        span = self.arrived(channel, data, around)
        if span is not None:
            ambient.enter(span)

    @shielded
    def gave_up(self, channel: Channel, request: Message, error_type: str) -> None:
        """Say that a request's answer can no longer come."""
        self._exchange.give_up(channel, request, error_type)

    @shielded
    def closed(self, channel: Channel) -> None:
        """Say that nothing more will cross the channel."""
        self._exchange.close(channel)

    @shielded
    def connect_failed(self, channel: Channel, started: int, error: BaseException) -> None:
        """Say that a connection, tried at `started` (ns since the epoch), could not be made."""
        self._exchange.connect_failed(channel, started, error)


def _with_context(data: _Data, crossing: Crossing) -> _Data:
    """Return a message's text with the context to carry.

    Text that cannot be changed with certainty stays as it is: nested more deeply than Python's
    scanner goes, or no UTF-8.
    """
    try:
        text = spliced(data if isinstance(data, str) else data.decode(), crossing.carrier)
    except (ValueError, RecursionError):
        return data
    return cast("_Data", text if isinstance(data, str) else text.encode())
