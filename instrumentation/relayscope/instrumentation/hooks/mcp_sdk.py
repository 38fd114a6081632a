"""Hook for the `mcp` SDK 1.x: the streams under every session, client and server.

Every session of the SDK reads and writes through two streams (`BaseSession.__init__`), whatever
its transport. The text of a message exists only in the transport: what arrives is remembered when
the SDK parses it, what leaves is rendered here exactly as the transports render it.

The SDK handles each request in a task of its own, which does not inherit what the reading task
does; so the request's span is made current where the handler starts.
"""

from collections.abc import Awaitable, Callable, Collection
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry import context as otel_context
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import set_span_in_context

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.process import shared_exchange

from .mcp_streams import SessionWire, WatchedReadStream, WatchedWriteStream, remember_text
from .mcp_transports import Transports
from .patches import Patches

_SESSION: Final = "mcp.shared.session"


class McpInstrumentor(BaseInstrumentor):
    """Watches every message that sessions of the `mcp` SDK 1.x send and receive."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions whose sessions have the wrapped methods."""
        return ("mcp >= 1.10, < 2",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = _Hook(exchange or shared_exchange())
        self._patches = Patches()
        self._patches.wrap(_SESSION, "BaseSession.__init__", hook.new_session)
        self._patches.wrap(_SESSION, "BaseSession.__aexit__", hook.exit_session)
        self._patches.wrap(
            "mcp.server.lowlevel.server", "Server._handle_request", hook.handle_request
        )
        self._patches.wrap(
            "mcp.client.session", "ClientSession._received_request", hook.received_request
        )
        self._patches.wrap("mcp.types", "JSONRPCMessage.model_validate_json", remember_text)
        hook.transports.watch(self._patches)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, exchange: Exchange) -> None:
        self.transports = Transports()
        self._exchange = exchange
        self._wires: WeakKeyDictionary[Any, SessionWire] = WeakKeyDictionary()

    def new_session(self, init: Callable[..., None], session: Any, args: Any, kwargs: Any) -> None:
        arguments = dict(zip(("read_stream", "write_stream"), args, strict=False)) | kwargs
        read, write = arguments.pop("read_stream"), arguments.pop("write_stream")
        wire = SessionWire(self._exchange, self.transports.channel_of(read))
        self._wires[session] = wire
        init(WatchedReadStream(read, wire), WatchedWriteStream(write, wire), *args[2:], **arguments)

    async def exit_session(
        self, aexit: Callable[..., Awaitable[bool | None]], session: Any, args: Any, kwargs: Any
    ) -> bool | None:
        try:
            return await aexit(*args, **kwargs)
        finally:
            wire = self._wires.pop(session, None)
            if wire is not None:
                wire.closed()

    async def handle_request(
        self, handle: Callable[..., Awaitable[None]], _server: Any, args: Any, kwargs: Any
    ) -> None:
        arguments = dict(zip(("message", "req", "session"), args, strict=False)) | kwargs
        with self._working_for(arguments.get("session"), arguments.get("message")):
            await handle(*args, **kwargs)

    async def received_request(
        self, received: Callable[..., Awaitable[None]], session: Any, args: Any, kwargs: Any
    ) -> None:
        responder = args[0] if args else kwargs.get("responder")
        with self._working_for(session, responder):
            await received(*args, **kwargs)

    @contextmanager
    def _working_for(self, session: Any, responder: Any) -> Any:
        """Make the span of the request that `responder` answers current."""
        wire = self._wires.get(session)
        span = wire.span_of(getattr(responder, "request_id", None)) if wire is not None else None
        if span is None:
            yield
            return
        token = otel_context.attach(set_span_in_context(span))
        try:
            yield
        finally:
            otel_context.detach(token)
