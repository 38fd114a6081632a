"""One HTTP request with a JSON-RPC message that this process serves, and what it answers.

Streamable HTTP (MCP 2025-06-18, basic/transports): a POST's body is a message; its response is one
message as JSON, or several as server-sent events. Calls of one session share a channel, because a
server may ask in one response what the client answers in another request. The response to a GET is
a stream of what the server says unasked; in the older transport (MCP 2024-11-05) that is all that
it says, and its first event tells the session.
"""

import re
from asyncio import get_running_loop
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import Span

from relayscope.conventions.attributes import ERROR_CANCELLED, ERROR_UNANSWERED
from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import Outgoing, TextExchange
from relayscope.instrumentation.traffic.calls import Refusal
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.levels import Direction
from relayscope.instrumentation.traffic.long_text import Gathering, LongText
from relayscope.instrumentation.traffic.message import Kind, Message
from relayscope.instrumentation.traffic.unmatched_answer import NO_ID

from . import sse
from .response_body import ResponseBody, is_message, requests_refused

_PROTOCOL_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
"""In `_meta` of each request since MCP 2026-07-28, in which a client cancels by leaving."""

_SESSION: Final = re.compile(r"[?&]session_?id=([\w-]{1,128})", re.IGNORECASE)


class ChannelsOfSessions(Protocol):
    """Knows which channel a session is on."""

    def lend(self, session_id: str, channel: Channel) -> None:
        """Use this channel for the session's later calls, as long as a layer above holds it."""

    def remember(self, session_id: str, channel: Channel) -> None:
        """Use this channel for the session's later calls."""


class ClientDisconnect(Exception):
    """The client is gone, so that the server drops what is sent."""


class ServerCall:
    """A POST request that this process answers. Nothing here raises."""

    def __init__(
        self,
        text_exchange: TextExchange,
        sessions: ChannelsOfSessions,
        channel: Channel,
        around: Context | None,
    ) -> None:
        self._text_exchange = text_exchange
        self._around = around
        self._sessions = sessions
        self._channel = channel
        self._body: Gathering | None = Gathering()
        self._request: Message | None = None
        self._unreadable: bytes | LongText | None = None
        """A body that is no JSON-RPC message."""
        self._span: Span | None = None
        self._is_taken = False
        self._is_left = False
        self._is_client_gone = False
        self._response: ResponseBody | None = None
        self._refusal: Gathering | None = None
        self._status = 0
        self._outgoing: list[Outgoing[Any]] = []
        """The messages in the part of the response that is being sent."""

    @property
    def around(self) -> Context | None:
        """The context of the request: of the host's own span of it, or of a header."""
        return self._around

    @shielded
    def handled_here(self) -> None:
        """Take the span that another instrumentation has made of the request, if there is one."""
        self._around = current_span.of_host() or self._around

    @property
    def is_recorded(self) -> bool:
        """True once there is a record of the message in its body."""
        return self._request is not None

    @shielded
    def request_body(self, chunk: bytes) -> None:
        """Take the next part of the request's body."""
        if self._body is not None:
            self._body.add(chunk)

    def request_arrived(self) -> None:
        """Record what the request's body is, and let the running task work for it."""
        self._request_arrived()
        if self._span is not None:
            current_span.enter(self._span)

    @shielded
    def _request_arrived(self) -> None:
        if self._body is None:
            return
        data, self._body = self._body.take(), None
        message = Message.of_text(data)
        if message.kind is Kind.UNPARSABLE:
            self._unreadable = data
            return
        self._request = message
        self.handled_here()
        self._span = self._text_exchange.arrived(self._channel, data, self._around)

    @shielded
    def _unreadable_arrived(self) -> None:
        """Record a body that is no message: a JSON-RPC error refuses it as one."""
        if self._unreadable is not None:
            self._channel.speaks_jsonrpc = True
            self._text_exchange.arrived(self._channel, self._unreadable, self._around)
            self._unreadable = None

    def lend_channel(self, session_id: str) -> Channel:
        """Return the channel, for a layer above that begins this session on it."""
        if session_id and session_id != self._channel.session_id:
            self._sessions.lend(session_id, self._channel)
        return self._channel

    def taken(self) -> Span | None:
        """Leave the message that is recorded to a layer above; return the span to work for."""
        self._is_taken = True
        return self._span

    def left(self) -> None:
        """Leave the message to a layer above, which has got it and records it."""
        self._is_left = True

    @shielded
    def claimed_response_start(self, status: int) -> None:
        """Take the status with which a layer above responds."""
        if self._status:
            # It tries to respond once more, which no server lets it.
            return
        self._status = status
        if status >= HTTPStatus.BAD_REQUEST:
            self._refusal = Gathering()
        elif status != HTTPStatus.ACCEPTED:
            self._body = None

    def claimed_response_body(self, chunk: bytes, *, more: bool) -> None:
        """Take the next part of what a layer above responds; see whether it refuses the request.

        The id of its error tells it from the answers that come out of the layer above.
        """
        if self._refusal is None:
            return
        self._refusal.add(chunk)
        if more:
            return
        refusal, self._refusal = self._refusal.take(), None
        message = Message.of_text(refusal)
        if message.kind is Kind.ERROR and message.id in NO_ID:
            self._refused()
            self._record_text(refusal)

    @shielded
    def _refused(self) -> None:
        """Record what a layer above refuses, unless that has got and recorded it before."""
        if not (self._is_left or self._is_taken):
            self._request_arrived()
            self._unreadable_arrived()
        elif self._body is not None:
            # A session that ends refuses what it has not answered.
            self._request = Message.of_text(self._body.take())
            self._body = None

    @shielded
    def claimed_end(self) -> None:
        """Say that the layer above is done; what it has refused, it does not answer."""
        if self._status == HTTPStatus.ACCEPTED:
            # Whoever reads what the layer above has handed on has been woken before this is run.
            # Only asyncio's loop has an order of that kind.
            with suppress(RuntimeError):
                get_running_loop().call_soon(self._accepted)
        elif not self._is_taken and self._status >= HTTPStatus.BAD_REQUEST:
            self.end()

    @shielded
    def _accepted(self) -> None:
        """Record what was accepted and then read by nobody: its session has just been ended."""
        if not (self._is_left or self._is_taken):
            self._request_arrived()
        self._body = None

    @shielded
    def response_start(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        """Take the response's status and headers, names in lower case."""
        self._status = status
        if self._request is None:
            return
        self._response = ResponseBody(status, headers)
        session_id = headers.get(b"mcp-session-id")
        if session_id and not self._channel.session_id:
            self._sessions.remember(session_id.decode("latin-1"), self._channel)

    def response_body(self, chunk: bytes, *, more: bool) -> bytes:
        """Take the next part of the response's body; return what to send in its place."""
        self._outgoing.clear()
        changed = self._changed(chunk)
        if changed is None:
            self._record(chunk, more=more)
        return chunk if changed is None else changed

    @shielded
    def _changed(self, chunk: bytes) -> bytes | None:
        """Return whole events with context in them, None if the chunk has to stay as it is."""
        if self._response is None or not self._response.is_between_events:
            return None
        return sse.changed(chunk, self._sending)

    def _sending(self, data: bytes) -> bytes | None:
        outgoing = self._text_exchange.sending(self._channel, data) if data.strip() else None
        if outgoing is None:
            return None
        self._outgoing.append(outgoing)
        return outgoing.data

    @shielded
    def _record(self, chunk: bytes, *, more: bool) -> None:
        if self._response is not None:
            for text in self._response.feed(chunk, more=more):
                self._record_text(text)

    def _record_text(self, text: bytes | LongText) -> None:
        self._channel.responding_to = requests_refused(self._request, self._status)
        outgoing = self._text_exchange.sending_last_part(self._channel, text)
        self._channel.responding_to = None
        if outgoing is not None:
            self._outgoing.append(outgoing)

    def failed(self, error: BaseException) -> None:
        """Say that the part of the response that was taken last could not be sent."""
        for outgoing in self._outgoing:
            outgoing.failed(error)

    def client_left(self) -> None:
        """Say that the client had left before the part of the response that was taken last."""
        self.response_unread()
        self.failed(ClientDisconnect("the client had left before"))

    def response_unread(self) -> None:
        """Say that the client has left before the response was complete."""
        self._is_client_gone = True

    @shielded
    def end(self) -> None:
        """Say that the response is complete: what it has not answered stays unanswered."""
        if self._request is not None and self._status != HTTPStatus.ACCEPTED:
            for message in (self._request, *self._request.parts):
                refusal = self._refusal_of_the_response(message)
                self._text_exchange.gave_up(self._channel, message, Direction.RECEIVED, refusal)
        self._leave()

    def _refusal_of_the_response(self, request: Message) -> Refusal:
        """Return the reason for which a request has no answer: a status that nobody got is none."""
        if self._is_client_gone and _PROTOCOL_VERSION in request.meta:
            return Refusal(ERROR_CANCELLED)
        if self._is_client_gone:
            return Refusal(ERROR_UNANSWERED, "the client left before the response")
        return (self._response or ResponseBody(self._status, {})).refusal

    def _leave(self) -> None:
        """Forget a channel that was only of this request."""
        if not self._channel.session_id:
            self._text_exchange.closed(self._channel)


class ServerStream(ServerCall):
    """A request without a message in it. Nothing here raises.

    The response to a GET is what the server says unasked.
    """

    _has_begun = False

    def request_body(self, chunk: bytes) -> None:
        """Take what such a request does not have."""

    def request_arrived(self) -> None:
        """Do nothing: there is no message in it."""

    def _request_arrived(self) -> None:
        """Do nothing: there is no message in it."""

    @shielded
    def response_start(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        """Take the response's status and headers, names in lower case."""
        if status == HTTPStatus.OK and b"text/event-stream" in headers.get(b"content-type", b""):
            self._response = ResponseBody(status, headers)

    @shielded
    def claimed_response_body(self, chunk: bytes, *, more: bool) -> None:
        """Take the next part of what a layer above says; the first may tell the session."""
        if self._refusal is not None:
            super().claimed_response_body(chunk, more=more)
        elif not self._has_begun:
            self._has_begun = True
            session_id = session_in(chunk.decode("utf-8", "replace"))
            if session_id and not self._channel.session_id:
                self._sessions.lend(session_id, self._channel)

    def _sending(self, data: bytes) -> bytes | None:
        if is_message(data):
            return super()._sending(data)
        self._learn_session(data)
        return None

    def _record_text(self, text: bytes | LongText) -> None:
        if is_message(text):
            super()._record_text(text)
        elif isinstance(text, bytes):
            self._learn_session(text)

    def _learn_session(self, address: bytes) -> None:
        session_id = session_in(address.decode("utf-8", "replace"))
        if session_id and not self._channel.session_id:
            self._sessions.remember(session_id, self._channel)

    @shielded
    def end(self) -> None:
        """Say that the stream has ended; another may follow it."""
        self._leave()


def session_in(address: str) -> str:
    """Return the session's id in an address of the older transport, empty if there is none."""
    found = _SESSION.search(address)
    return found[1] if found is not None else ""
