"""Hook for the `mcp` SDK 2.x: the streams under every dispatcher, and the spans the SDK makes.

As in 1.x, the streams that transports open are watched where they are opened, and those of a
dispatcher over other streams when it is made. The SDK makes spans of its own and carries their
context in `_meta`; they are adopted: where the SDK would make one, the span that the streams have
made is used in its place, with the SDK's attributes added, so that no call is there twice.
"""

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, get_current_span

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.http.asgi import AsgiHook, claim_current
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.channel import Channel

from . import cancellations, in_memory, transports
from .dialect import V2
from .streams import SessionWire, WatchedReadStream, WatchedWriteStream, remember_text

_MANAGER: Final = "mcp.server.streamable_http_manager"


def watch(patches: Patches, exchange: Exchange) -> None:
    """Watch every message that the SDK sends and receives, and adopt its spans."""
    hook = _DispatcherHook(exchange)
    patches.wrap("mcp_types", "jsonrpc_message_adapter.validate_json", remember_text)
    transports.watch(patches, exchange, V2)
    cancellations.watch(patches)
    patches.wrap("mcp.shared.jsonrpc_dispatcher", "JSONRPCDispatcher.__init__", hook.new_dispatcher)
    in_memory.watch(patches, exchange)
    http = _HttpHook(exchange)
    # FastMCP 4 calls the manager, the SDK's own application what the manager is made of.
    for path in ("StreamableHTTPSessionManager.handle_request", "StreamableHTTPASGIApp.__call__"):
        patches.wrap(_MANAGER, path, http.handle_request)
    # Before the modules that use it import it by name.
    patches.wrap("mcp.shared._otel", "otel_span", adopt_span)


class _HttpHook:
    """Tells the two ways apart in which the SDK serves HTTP.

    Requests of the protocol versions with a handshake become messages on a pair of streams, which
    are watched. Each later one (MCP 2026-07-28) is served by itself, and seen as an HTTP request.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._asgi = AsgiHook(exchange)

    async def handle_request(
        self, handle: Callable[..., Awaitable[None]], server: Any, args: Any, kwargs: Any
    ) -> None:
        scope = args[0] if args else kwargs.get("scope", {})
        if _comes_as_streams(scope):
            claim_current()
            await handle(*args, **kwargs)
        else:
            await self._asgi.call(handle, server, args, kwargs)


@shielded
def _comes_as_streams(scope: Any) -> bool:
    """Return whether a request's message will come out of a pair of streams."""
    headers = dict(scope.get("headers", ()))
    version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    with_handshake = getattr(sys.modules[_MANAGER], "HANDSHAKE_PROTOCOL_VERSIONS", ())
    return not version or version in with_handshake


class _DispatcherHook:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def new_dispatcher(
        self, init: Callable[..., None], _dispatcher: Any, args: Any, kwargs: Any
    ) -> None:
        arguments = dict(zip(("read_stream", "write_stream"), args, strict=False)) | kwargs
        read, write = arguments.pop("read_stream"), arguments.pop("write_stream")
        # The SDK may put a stream of its own before a watched one, to look at the first message.
        if not isinstance(read, WatchedReadStream) and not isinstance(write, WatchedWriteStream):
            memory = Channel(peer="memory", transport={})
            text_exchange = SessionWire(self._exchange, memory, V2, V2.as_json)
            read, write = (
                WatchedReadStream(read, text_exchange),
                WatchedWriteStream(write, text_exchange),
            )
        for stream in (read, write):
            if isinstance(stream, WatchedReadStream | WatchedWriteStream):
                stream.text_exchange.read_by_session()
        init(read, write, *args[2:], **arguments)


@contextmanager
def adopt_span(_wrapped: Any, _instance: Any, _args: Any, kwargs: Any) -> Iterator[Span]:
    """Stand in for the SDK's `otel_span`: yield the span that is there instead of a new one.

    A SERVER span is the one that the handler works for. A CLIENT span is made by the write stream,
    later than the SDK asks for one: what the SDK says of it is what the write stream says too.
    """
    span = get_current_span() if kwargs.get("kind") is SpanKind.SERVER else INVALID_SPAN
    yield span
