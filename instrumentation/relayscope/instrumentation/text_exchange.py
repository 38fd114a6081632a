"""Messages as text on a wire: what the hooks of WebSockets and pipes have in common."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span

from .context import current_span
from .context.meta import spliced
from .runtime.shield import shielded
from .traffic.calls import Refusal
from .traffic.channel import Channel
from .traffic.channel_close import UNKNOWN_CLOSE, ChannelClose
from .traffic.crossing import Crossing
from .traffic.level import Level
from .traffic.levels import Direction
from .traffic.long_text import Text
from .traffic.message import Kind, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exchange import Exchange

# Looked up once: see `traffic/level.py`.
_RECEIVED: Final = Direction.RECEIVED
_SENT: Final = Direction.SENT
_OFF: Final = Level.OFF
_UNPARSABLE: Final = Kind.UNPARSABLE

_LARGEST_KEPT: Final = 64 * 1024
"""Bytes of a message that is kept in case it is passed on."""

_Data = TypeVar("_Data", bound=str | bytes)


@dataclass(slots=True)
class Outgoing(Generic[_Data]):
    """A message that is recorded, and about to be sent.

    Attributes:
        data: The text to send, of the type that the host wanted to send.
    """

    data: _Data
    _crossing: Crossing
    _exchange: "Exchange"

    @shielded
    def failed(self, error: BaseException) -> None:
        """Say that the host's library refused it."""
        self._exchange.send_failed(self._crossing, error)

    @shielded
    def refused(self, refusal: Refusal) -> None:
        """Say that the peer refused it; of a request, the call says so."""
        crossing = self._crossing
        if all(part.message.kind is not Kind.REQUEST for part in (crossing, *crossing.parts)):
            self._exchange.refused(crossing, refusal)


class _Reader:
    """Reads messages, and knows the newest again: a relay sends on what it has just received.

    To read one of 500 bytes took 11 us in a relay, where other code runs in between.
    """

    def __init__(self) -> None:
        self._newest: tuple[Text, Message] = "", Message(_UNPARSABLE)

    def message_of(self, text: Text) -> Message:
        """Return the message that is this text."""
        newest, message = self._newest
        # Compared within one type: under `python -bb`, the other comparison raises.
        if type(text) is type(newest) and text == newest:
            return message
        message = Message.of_text(text)
        if len(text) <= _LARGEST_KEPT:
            self._newest = text, message
        return message


class TextExchange:
    """The exchange, as a hook that sees text needs it. Nothing here raises.

    Attributes:
        exchange: Pairs and records the messages.
    """

    def __init__(self, exchange: "Exchange") -> None:
        self.exchange = exchange
        self._message_of = _Reader().message_of

    def is_off(self, channel: Channel, direction: Direction) -> bool:
        """Return whether nothing is recorded of what crosses a channel in a direction."""
        try:
            return channel.gate(self.exchange.levels, direction) is _OFF
        except Exception as error:  # noqa: BLE001  # told by who is shielded
            self._tell(error)
            return False

    @shielded
    def _tell(self, error: Exception) -> None:
        """Raise why there is no exchange: it is news to the first who needs one, and no more."""
        raise error

    @shielded
    def sending(self, channel: Channel, data: _Data) -> Outgoing[_Data] | None:
        """Record a message that is about to be sent.

        Returns:
            The message to send in place of `data`; None if that is sent as it is, unrecorded.
        """
        if channel.gate(self.exchange.levels, _SENT) is _OFF:
            return None
        crossing = self.exchange.sending(channel, self._message_of(data))
        if crossing.carrier:
            data = _with_context(data, crossing)
        self.exchange.record(crossing, data)
        return Outgoing(data, crossing, self.exchange)

    @shielded
    def sending_last_part(self, channel: Channel, data: Text) -> Outgoing[Any] | None:
        """Record a message that can no longer be changed, because a part of it has been sent."""
        if self.exchange.is_off(channel, _SENT):
            return None
        message = self._message_of(data)
        if message.takes_meta:
            message = replace(message, takes_meta=False)
        crossing = self.exchange.sending(channel, message)
        self.exchange.record(crossing, data)
        return Outgoing(data, crossing, self.exchange)

    @shielded
    def arrived(self, channel: Channel, data: Text, around: Context | None = None) -> Span | None:
        """Record a message that has arrived.

        Args:
            channel: The channel on which it arrived.
            data: Its text.
            around: The context that the transport carries, as in an HTTP request's header.

        Returns:
            The span that its reader works for, if it is a request or a notification.
        """
        if channel.gate(self.exchange.levels, _RECEIVED) is _OFF:
            return None
        crossing = self.exchange.received(channel, self._message_of(data), around)
        self.exchange.record(crossing, data)
        return (
            None if not crossing.message.method or crossing.span is INVALID_SPAN else crossing.span
        )

    def received(self, channel: Channel, data: Text, around: Context | None = None) -> None:
        """Record a message that has arrived, and let the running task work for it."""
        span = self.arrived(channel, data, around)
        if span is not None:
            current_span.enter(span)

    @shielded
    def gave_up(
        self, channel: Channel, request: Message, direction: Direction, refusal: Refusal
    ) -> None:
        """Say that the answer to a request, which went this way, can no longer come."""
        self.exchange.give_up(channel, request, direction, *refusal)

    @shielded
    def stopped_reading(self, channel: Channel) -> None:
        """Say that a read of a channel was cancelled, or took too long."""
        self.exchange.stopped_reading(channel)

    @shielded
    def gave_up_all(self, channel: Channel) -> None:
        """Say that no answer can come any more."""
        self.exchange.give_up_all(channel)

    @shielded
    def closed(self, channel: Channel, channel_close: ChannelClose = UNKNOWN_CLOSE) -> None:
        """Say that nothing more will cross the channel."""
        self.exchange.close(channel, channel_close)

    @shielded
    def connect_failed(self, channel: Channel, started: int, error: BaseException) -> None:
        """Say that a connection, tried at `started` (ns since the epoch), could not be made."""
        self.exchange.connect_failed(channel, started, error)


class LateTextExchange(TextExchange):
    """One whose exchange is made when something crosses for the first time."""

    def __init__(self, make: "Callable[[], Exchange]") -> None:
        self._make = make
        self._message_of = _Reader().message_of

    def __getattr__(self, name: str) -> "Exchange":
        # Not a cached property, whose lock a forked child could find closed.
        if name != "exchange":
            raise AttributeError(name)
        self.exchange = self._make()
        return self.exchange


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
