"""The channels of the HTTP sessions that this process serves."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final
from weakref import WeakValueDictionary

from opentelemetry.context import Context

from relayscope.instrumentation.context.extraction import extracted
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel

from .server_call import ServerCall, ServerStream, session_in

_METHODS: Final = ("POST", "GET", "DELETE")
"""Those of streamable HTTP: each can be answered, or refused, with a message."""

_MOST_SESSIONS: Final = 1024
"""Sessions whose channel is remembered; the one unused for longest gives way."""


def context_of(headers: Mapping[bytes, bytes]) -> Context | None:
    """Return the trace context that an HTTP request's headers carry, names in lower case."""
    if b"traceparent" not in headers:
        return None
    carrier = {
        name: headers[name.encode()].decode("latin-1")
        for name in ("traceparent", "tracestate", "baggage")
        if name.encode() in headers
    }
    return extracted(carrier, Context())


class Sessions:
    """The channels of the HTTP sessions that this process serves."""

    def __init__(self, text_exchange: TextExchange) -> None:
        self._text_exchange = text_exchange
        self._channels: OrderedDict[str, Channel] = OrderedDict()
        self._lent: WeakValueDictionary[str, Channel] = WeakValueDictionary()

    def call(
        self,
        method: str,
        client: tuple[str, int] | None,
        query: str,
        headers: Mapping[bytes, bytes],
    ) -> ServerCall | None:
        """Return what watches a request, None if no message can be in it.

        It is on the session's channel, or on one of its own without a session.

        Args:
            method: HTTP's.
            client: Its host and port.
            query: Of the address, in which the older transport has the session's id.
            headers: Of the request, names in lower case.
        """
        if method not in _METHODS:
            return None
        session_id = headers.get(b"mcp-session-id", b"").decode("latin-1")
        channel = self._channel(client, session_id or session_in(f"?{query}"))
        if method == "POST":
            return ServerCall(self._text_exchange, self, channel, context_of(headers))
        return ServerStream(self._text_exchange, self, channel, None)

    def _channel(self, client: tuple[str, int] | None, session_id: str) -> Channel:
        lent = self._lent.get(session_id) if session_id else None
        if lent is not None:
            return lent
        channel = self._channels.get(session_id) if session_id else None
        if channel is None:
            channel = Channel.of_socket("http", client)
            if session_id:
                self.remember(session_id, channel)
        else:
            self._channels.move_to_end(session_id)
        return channel

    def lend(self, session_id: str, channel: Channel) -> None:
        """Use this channel for the session's later calls, as long as a layer above holds it."""
        channel.session_id = session_id
        self._lent[session_id] = channel

    def remember(self, session_id: str, channel: Channel) -> None:
        """Use this channel for the session's later calls."""
        channel.session_id = session_id
        self._channels[session_id] = channel
        while len(self._channels) > _MOST_SESSIONS:
            _, oldest = self._channels.popitem(last=False)
            self._text_exchange.closed(oldest)
