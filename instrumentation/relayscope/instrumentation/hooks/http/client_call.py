"""One HTTP request that this process makes with a JSON-RPC message, and its response.

The hooks of all HTTP clients have this in common; `server_call.py` is the other end of it.
"""

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import Outgoing, TextExchange
from relayscope.instrumentation.traffic.calls import Refusal
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.levels import Direction
from relayscope.instrumentation.traffic.long_text import LongText
from relayscope.instrumentation.traffic.message import KNOWN_METHODS, Kind, Message

from .response_body import ResponseBody, is_message, refusal_by, requests_refused
from .signed_request import is_signed

Server = tuple[str, int]
"""The host and port of a server."""

_MARKS: Final = (b'"jsonrpc"', b'"method"', b'"result"', b'"error"')
"""A body without any of these is no message, and not parsed: hosts post other JSON by the MiB."""

_UNTOLD: Final = (b"application/octet-stream", b"application/x-www-form-urlencoded", b"text/plain")
"""Content types that say nothing: aiohttp's for bytes, urllib's for everything, aiohttp's for
text."""

_MOST_SESSIONS: Final = 1024
"""Sessions whose channel is remembered; the one unused for longest gives way."""


class ClientChannels:
    """The channels of the servers that this process posts to, one for each session."""

    def __init__(self, text_exchange: TextExchange) -> None:
        self._text_exchange = text_exchange
        self._channels: OrderedDict[tuple[str, int, str], Channel] = OrderedDict()

    def call(
        self, server: Server, session_id: str, body: bytes, headers: Iterable[tuple[str, str]]
    ) -> "ClientCall | None":
        """Return a new call that is about to be sent, None if the body is no message of MCP.

        Args:
            server: The one that it is for.
            session_id: Empty where there is none.
            body: The whole body.
            headers: Of the request; where they sign the body, it is sent as it is.
        """
        message = self._message(server, session_id, body)
        if message is None:
            return None
        channel = self._channel(server, session_id)
        exchange = self._text_exchange
        send = exchange.sending_last_part if is_signed(headers) else exchange.sending
        return ClientCall(exchange, channel, message, send(channel, body), body)

    def call_in_pieces(
        self, server: Server, session_id: str, body: bytes | LongText
    ) -> "ClientCall | None":
        """Return, as `call` does, one whose body has been sent but for its last piece."""
        message = self._message(server, session_id, body)
        if message is None:
            return None
        channel = self._channel(server, session_id)
        outgoing = self._text_exchange.sending_last_part(channel, body)
        return ClientCall(self._text_exchange, channel, message, outgoing, b"")

    def _message(self, server: Server, session_id: str, body: bytes | LongText) -> Message | None:
        """Return the message that a body is, None if it is none, or of another protocol.

        Others speak JSON-RPC, too. A server speaks MCP if it has a session, or was sent what only
        MCP says.
        """
        if not may_be_message(body.head if isinstance(body, LongText) else body):
            return None
        message = Message.of_text(body)
        if message.kind is Kind.UNPARSABLE:
            return None
        is_known = session_id or (*server, session_id) in self._channels
        return message if is_known or _is_of_mcp(message) else None

    def stream(self, server: Server, session_id: str) -> "ClientStream":
        """Return a new stream from the server, should the response be one."""
        return ClientStream(
            self._text_exchange, functools.partial(self._channel, server, session_id)
        )

    def _channel(self, server: Server, session_id: str) -> Channel:
        key = (*server, session_id)
        channel = self._channels.get(key)
        if channel is None:
            channel = Channel.of_socket("http", server)
            channel.session_id = session_id
            self._channels[key] = channel
            if len(self._channels) > _MOST_SESSIONS:
                _, oldest = self._channels.popitem(last=False)
                self._text_exchange.closed(oldest)
        else:
            self._channels.move_to_end(key)
        return channel


class ClientStream:
    """A GET request that this process makes. Nothing raises.

    Its response tells whether it is for what the server says unasked: not every client asks for an
    event stream by name.
    """

    def __init__(self, text_exchange: TextExchange, channel_of: Callable[[], Channel]) -> None:
        self._text_exchange = text_exchange
        self._channel_of = channel_of
        self._channel: Channel | None = None
        self._response: ResponseBody | None = None

    @property
    def is_heard(self) -> bool:
        """True where the response may have messages."""
        return self._channel is not None

    def not_connected(self, error: BaseException, started: int) -> None:
        """Do nothing: a request that was not sent has no record."""

    def not_sent(self, error: BaseException) -> None:
        """Do as `not_connected` does."""

    def failed(self, error: BaseException) -> None:
        """Do as `not_connected` does."""

    @shielded
    def response_start(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        """Take the response's status and headers, names in lower case."""
        if status == HTTPStatus.OK and b"text/event-stream" in headers.get(b"content-type", b""):
            self._response = ResponseBody(status, headers)
            self._channel = self._channel_of()

    @shielded
    def response_body(self, chunk: bytes) -> None:
        """Take the next part of the response's body, in the task that reads it."""
        if self._response is not None and self._channel is not None:
            for text in self._response.feed(chunk, more=True):
                if is_message(text):
                    self._text_exchange.received(self._channel, text)

    def end(self) -> None:
        """Say that the stream has ended; another may follow it."""


class ClientCall:
    """A POST request that this process makes. Nothing here raises.

    Attributes:
        body: The body to send.
        is_heard: True if the response may have messages.
    """

    is_heard = True

    def __init__(
        self,
        text_exchange: TextExchange,
        channel: Channel,
        message: Message,
        outgoing: Outgoing[Any] | None,
        body: bytes,
    ) -> None:
        self._text_exchange = text_exchange
        self._channel = channel
        self._message = message
        self._outgoing = outgoing
        self._response: ResponseBody | None = None
        self._status = 0
        self._is_over = False
        self.body: bytes = body if outgoing is None else outgoing.data

    def not_connected(self, error: BaseException, started: int) -> None:
        """Say that the server, tried at `started` (ns since the epoch), was not reached."""
        self.not_sent(error)
        self._text_exchange.connect_failed(self._channel, started, error)

    def not_sent(self, error: BaseException) -> None:
        """Say that the request did not go out."""
        if self._outgoing is not None:
            self._outgoing.failed(error)

    @shielded
    def failed(self, error: BaseException) -> None:
        """Say that what was sent, wholly or in part, has no response, or only a part of one."""
        self._is_over = True
        self._give_up(refusal_by(error))

    @shielded
    def response_start(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        """Take the response's status and headers, names in lower case."""
        self._status = status
        self._response = ResponseBody(status, headers)

    @shielded
    def response_body(self, chunk: bytes) -> None:
        """Take the next part of the response's body, in the task that reads it."""
        if self._response is not None and not self._is_over:
            for text in self._response.feed(chunk, more=True):
                self._received(text)

    @shielded
    def end(self) -> None:
        """Say that the response is complete, or never came: what it has not answered stays so."""
        if self._is_over:
            return
        self._is_over = True
        response = self._response or ResponseBody(self._status, {})
        for text in response.feed(b"", more=False):
            self._received(text)
        if self._status != HTTPStatus.ACCEPTED:
            self._give_up(response.refusal)
        if self._status >= HTTPStatus.BAD_REQUEST and self._outgoing is not None:
            self._outgoing.refused(response.refusal)

    def _received(self, text: bytes | LongText) -> None:
        self._channel.responding_to = requests_refused(self._message, self._status)
        self._text_exchange.received(self._channel, text)
        self._channel.responding_to = None

    def _give_up(self, refusal: Refusal) -> None:
        for message in (self._message, *self._message.parts):
            self._text_exchange.gave_up(self._channel, message, Direction.SENT, refusal)


def is_json(content_type: bytes) -> bool:
    """Return whether a body is said to be JSON."""
    return b"json" in content_type.lower()


def may_be_json(content_type: bytes) -> bool:
    """Return whether a body is said to be JSON, or its client was not told what it is."""
    return not content_type or is_json(content_type) or content_type.lower().startswith(_UNTOLD)


def may_be_message(body: bytes) -> bool:
    """Return whether a body, or its beginning, has anything that every message has."""
    return any(mark in body for mark in _MARKS)


def _is_of_mcp(message: Message) -> bool:
    return any(each.method in KNOWN_METHODS for each in (message, *message.parts))
