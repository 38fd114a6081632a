"""Hook for the `mcp` SDK 1.x: the streams under every session, client and server.

The streams that transports open are watched where they are opened; a session over other streams
(in memory) has its streams watched when it is made. The text of a message exists only in the
transport: what arrives is remembered when the SDK parses it, what leaves is rendered exactly as
the transport renders it.

The SDK handles each request in a task of its own, which does not inherit what the reading task
does; so the request's span is made current where the handler starts.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry import context as otel_context

from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.traffic.channel import Channel

from . import transports
from .dialect import V1
from .streams import SessionWire, WatchedReadStream, WatchedWriteStream, remember_text

_SESSION: Final = "mcp.shared.session"


def watch(patches: Patches, exchange: Exchange) -> None:
    """Watch every message that the SDK sends and receives."""
    hook = _SessionHook(exchange)
    patches.wrap("mcp.types", "JSONRPCMessage.model_validate_json", remember_text)
    transports.watch(patches, exchange, V1)
    # It reads the body, to limit it, before it gives the request to a transport.
    patches.wrap(
        "mcp.server.streamable_http_manager",
        "StreamableHTTPSessionManager.handle_request",
        transports.claiming,
    )
    patches.wrap(_SESSION, "BaseSession.__init__", hook.new_session)
    patches.wrap(_SESSION, "BaseSession.send_request", hook.send_request)
    patches.wrap("mcp.server.lowlevel.server", "Server._handle_request", hook.handle_request)


class _SessionHook:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._wires: WeakKeyDictionary[Any, SessionWire] = WeakKeyDictionary()

    def new_session(self, init: Callable[..., None], session: Any, args: Any, kwargs: Any) -> None:
        arguments = dict(zip(("read_stream", "write_stream"), args, strict=False)) | kwargs
        read, write = arguments.pop("read_stream"), arguments.pop("write_stream")
        if isinstance(read, WatchedReadStream):
            text_exchange = read.text_exchange
        else:
            memory = Channel(peer="memory", transport={})
            text_exchange = SessionWire(self._exchange, memory, V1, V1.as_json)
            read, write = (
                WatchedReadStream(read, text_exchange),
                WatchedWriteStream(write, text_exchange),
            )
        text_exchange.read_by_session()
        self._wires[session] = text_exchange
        init(read, write, *args[2:], **arguments)

    async def send_request(
        self, send: Callable[..., Awaitable[Any]], session: Any, args: Any, kwargs: Any
    ) -> Any:
        """Send, and notice if the wait for the answer is given up: nobody else is told.

        The session gives up when its own time is over; its caller does by cancelling it.
        """
        identifier = getattr(session, "_request_id", None)
        try:
            return await send(*args, **kwargs)
        except BaseException as error:
            wire = self._wires.get(session)
            if wire is not None and _has_given_up(error):
                wire.stopped_waiting(identifier)
            raise

    async def handle_request(
        self, handle: Callable[..., Awaitable[None]], _server: Any, args: Any, kwargs: Any
    ) -> None:
        arguments = dict(zip(("message", "req", "session"), args, strict=False)) | kwargs
        with self._working_for(arguments.get("session"), arguments.get("message")):
            await handle(*args, **kwargs)

    @contextmanager
    def _working_for(self, session: Any, responder: Any) -> Iterator[None]:
        """Make the span of the request that `responder` answers current."""
        text_exchange = self._wires.get(session)
        span = (
            text_exchange.span_of(getattr(responder, "request_id", None))
            if text_exchange is not None
            else None
        )
        if span is None:
            yield
            return
        token = otel_context.attach(current_span.within(span, otel_context.get_current()))
        try:
            yield
        finally:
            otel_context.detach(token)


def _has_given_up(error: BaseException) -> bool:
    """Return whether a request ends because nobody waits for its answer any more.

    asyncio's and trio's cancellations are no `Exception`, as all is that the SDK raises.
    """
    said = getattr(error, "error", None)
    timed_out: bool = getattr(said, "code", None) == HTTPStatus.REQUEST_TIMEOUT
    return timed_out or not isinstance(error, Exception)
