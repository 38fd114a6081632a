"""Messages as text on a wire: what the hooks of WebSockets and pipes have in common."""

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from . import ambient
from .channel import Channel
from .crossing import Crossing
from .exchange import Exchange
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
    _text: str
    _crossing: Crossing

    @shielded
    def sent(self) -> None:
        """Say that the host's library took it."""
        self._crossing.record(self._text)

    @shielded
    def failed(self, error: BaseException) -> None:
        """Say that the host's library refused it."""
        self._crossing.fail(error)


class Wire:
    """The exchange, as a hook that sees text needs it. Nothing here raises."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @shielded
    def sending(self, channel: Channel, data: _Data) -> Outgoing[_Data]:
        """Return what to send in place of `data`."""
        text = _text(data)
        crossing = self._exchange.sending(channel, Message.of_text(data))
        if crossing.carrier:
            text = spliced(text, crossing.carrier)
            data = cast("_Data", text if isinstance(data, str) else text.encode())
        return Outgoing(data, text, crossing)

    @shielded
    def sent_already(self, channel: Channel, data: str | bytes) -> None:
        """Record a message that can no longer be changed, because a part of it has been sent."""
        self._exchange.sending(channel, Message.of_text(data)).record(_text(data))

    @shielded
    def received(self, channel: Channel, data: str | bytes) -> None:
        """Record an arrived message, and let the running task work for it."""
        crossing = self._exchange.received(channel, Message.of_text(data))
        if crossing.message.method:
            ambient.enter(crossing.span)
        crossing.record(_text(data))

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


def _text(data: str | bytes) -> str:
    """Return the text of a message; bytes that are not UTF-8 stay recognisable as such."""
    return data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
