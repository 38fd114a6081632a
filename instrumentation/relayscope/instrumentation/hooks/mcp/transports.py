"""The transports of the `mcp` SDK: functions that open a pair of streams.

A session, or a relay that pumps messages without one, is given two streams and does not know what
they lead to. The function that opened them does: so what it yields is watched, and described.
"""

from collections.abc import Callable
from time import time_ns
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.http.asgi import claim_current, session_channel
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.hooks.pipes.child_process import channel_to_child
from relayscope.instrumentation.runtime.object_proxy import ObjectProxy
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.channel import Channel

from .dialect import Dialect, Render
from .open_responses import OpenResponses
from .streams import (
    SessionWire,
    WatchedReadStream,
    WatchedWriteStream,
    remember_posted,
)

Describe = Callable[[Any, Any, Any], Channel]
"""From the instance, the positional and the keyword arguments of the opener to its channel."""


class Opener(NamedTuple):
    """A function or method of the SDK that opens a pair of streams.

    Attributes:
        connects: True if it fails where the server cannot be reached.
        responses: Makes what knows which messages its transport does not send, if it drops some.
        may_keep_messages: True if its transport may keep a message to itself.
    """

    module: str
    path: str
    describe: Describe
    render: Callable[[Dialect], Render]
    responses: Callable[[Any], OpenResponses] | None = None
    connects: bool = False
    may_keep_messages: bool = False


def _stdio_client(_: Any, args: Any, kwargs: Any) -> Channel:
    server = args[0] if args else kwargs["server"]
    return channel_to_child([server.command, *server.args])


def _stdio_server(_: Any, _args: Any, _kwargs: Any) -> Channel:
    return Channel.of_pipes("stdio")


def _url_client(protocol: str) -> Describe:
    def describe(_: Any, args: Any, kwargs: Any) -> Channel:
        address = urlsplit(str(args[0] if args else kwargs["url"]))
        port = address.port or (443 if address.scheme in ("https", "wss") else 80)
        return Channel.of_socket(protocol, (address.hostname, port))

    return describe


def _http_server(transport: Any, _args: Any, _kwargs: Any) -> Channel:
    return session_channel(getattr(transport, "mcp_session_id", None) or "")


def _websocket_server(_: Any, args: Any, kwargs: Any) -> Channel:
    scope = args[0] if args else kwargs["scope"]
    return Channel.of_socket("websocket", scope.get("client"))


def _json(dialect: Dialect) -> Render:
    return dialect.as_json


def _httpx_json(dialect: Dialect) -> Render:
    return dialect.as_httpx_json


def _python_json(dialect: Dialect) -> Render:
    return dialect.as_python_json


_HTTP_CLIENT: Final = _url_client("http")

OPENERS: Final = (
    Opener("mcp.client.stdio", "stdio_client", _stdio_client, _json),
    Opener("mcp.server.stdio", "stdio_server", _stdio_server, _json),
    Opener("mcp.client.sse", "sse_client", _HTTP_CLIENT, _httpx_json, connects=True),
    Opener(
        "mcp.client.streamable_http",
        "streamable_http_client",
        _HTTP_CLIENT,
        _httpx_json,
        may_keep_messages=True,
    ),
    Opener(
        "mcp.client.streamable_http",
        "streamablehttp_client",
        _HTTP_CLIENT,
        _httpx_json,
        may_keep_messages=True,
    ),
    Opener(
        "mcp.client.websocket",
        "websocket_client",
        _url_client("websocket"),
        _python_json,
        connects=True,
    ),
    Opener("mcp.server.sse", "SseServerTransport.connect_sse", _http_server, _json),
    Opener(
        "mcp.server.streamable_http",
        "StreamableHTTPServerTransport.connect",
        _http_server,
        _json,
        OpenResponses,
    ),
    Opener("mcp.server.websocket", "websocket_server", _websocket_server, _json),
)

_STREAM_FEEDERS: Final = (
    ("mcp.server.streamable_http", "StreamableHTTPServerTransport.handle_request"),
    ("mcp.server.sse", "SseServerTransport.connect_sse"),
    ("mcp.server.sse", "SseServerTransport.handle_post_message"),
    ("mcp.server.websocket", "websocket_server"),
)


_POSTERS: Final = (
    ("mcp.client.streamable_http", "StreamableHTTPTransport._handle_post_request"),
    ("mcp.client.streamable_http", "StreamableHTTPTransport._handle_resumption_request"),
)


def watch(patches: Patches, exchange: Exchange, dialect: Dialect) -> None:
    """Wrap every function of the SDK that opens streams, and what feeds them over HTTP."""
    for opener in OPENERS:
        patches.wrap(opener.module, opener.path, _wrapper(opener, exchange, dialect))
    for module, path in _STREAM_FEEDERS:
        patches.wrap(module, path, claiming)
    for module, path in _POSTERS:
        patches.wrap(module, path, remember_posted)


def claiming(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    """Claim the HTTP request that is being handled: its message comes out of a read stream."""
    claim_current()
    return wrapped(*args, **kwargs)


def _wrapper(
    opener: Opener, exchange: Exchange, dialect: Dialect
) -> Callable[[Any, Any, Any, Any], Any]:
    def wire_to(instance: Any, args: Any, kwargs: Any) -> SessionWire:
        channel = opener.describe(instance, args, kwargs)
        responses = opener.responses(instance) if opener.responses else None
        wire = SessionWire(exchange, channel, dialect, opener.render(dialect), responses)
        wire.may_keep_messages = opener.may_keep_messages
        return wire

    shielded_wire_to = shielded(wire_to)

    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        opening = wrapped(*args, **kwargs)
        text_exchange = shielded_wire_to(instance, args, kwargs)
        if text_exchange is None:
            return opening
        return _Opening(opening, text_exchange, opener, instance)

    return wrapper


class _Opening(ObjectProxy):
    """The SDK's async context manager, yielding watched streams.

    One opener may be made of another (the deprecated `streamablehttp_client` of the new one); what
    is watched already stays as it is.
    """

    def __init__(
        self, opening: Any, text_exchange: SessionWire, opener: Opener, transport: Any
    ) -> None:
        super().__init__(opening)
        self._self_transport = transport
        self._self_wire = text_exchange
        self._self_connects = opener.connects

    async def __aenter__(self) -> Any:
        started, is_outermost = time_ns(), not connection_owner.is_held()
        requests = self._self_wire.http_requests
        with connection_owner.held(requests) as claimed:
            try:
                streams = await self.__wrapped__.__aenter__()
            except Exception as error:
                if self._self_connects and is_outermost:
                    requests.not_opened(error, started)
                raise
        self._self_wire.child = claimed.child
        read, write, *others = streams
        if isinstance(read, WatchedReadStream):
            return streams
        text_exchange = self._self_wire
        watched = WatchedWriteStream(write, text_exchange)
        # The server of the SDK 2.x writes there itself what answers a cancelled request.
        if getattr(self._self_transport, "_write_stream", None) is write:
            self._self_transport._write_stream = watched  # noqa: SLF001  # it has no other
        return (WatchedReadStream(read, text_exchange), watched, *others)

    async def __aexit__(self, *exc_info: object) -> Any:
        self._self_wire.closed()
        return await self.__wrapped__.__aexit__(*exc_info)
