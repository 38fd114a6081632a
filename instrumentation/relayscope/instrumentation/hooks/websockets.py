"""Hook for the `websockets` library: asyncio connections, client and server."""

import time
from collections.abc import Awaitable, Callable, Collection, Generator
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import claim
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.wire import Wire

_CONNECTION: Final = "websockets.asyncio.connection"


class WebsocketsInstrumentor(BaseInstrumentor):
    """Watches every message that asyncio connections of `websockets` send and receive."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions whose asyncio connections have the wrapped methods."""
        return ("websockets >= 13.1",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = _Hook(Wire(exchange or shared_exchange()))
        self._patches = Patches()
        self._patches.wrap(_CONNECTION, "Connection.send", hook.send)
        self._patches.wrap(_CONNECTION, "Connection.recv", hook.recv)
        self._patches.wrap(_CONNECTION, "Connection.connection_lost", hook.connection_lost)
        self._patches.wrap("websockets.asyncio.client", "connect.__await__", hook.connect)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._channels: WeakKeyDictionary[Any, Channel | None] = WeakKeyDictionary()

    async def send(
        self, send: Callable[..., Awaitable[None]], connection: Any, args: Any, kwargs: Any
    ) -> None:
        data, *others = args or (kwargs.pop("message"),)
        outgoing = None
        # An iterable of fragments is passed on as it is.
        channel = self._channel(connection)
        if channel is not None and isinstance(data, str | bytes):
            outgoing = self._wire.sending(channel, data)
        if outgoing is None:
            return await send(data, *others, **kwargs)
        try:
            await send(outgoing.data, *others, **kwargs)
        except BaseException as error:
            outgoing.failed(error)
            raise
        outgoing.sent()
        return None

    async def recv(
        self, recv: Callable[..., Awaitable[Any]], connection: Any, args: Any, kwargs: Any
    ) -> Any:
        data = await recv(*args, **kwargs)
        channel = self._channel(connection)
        if channel is not None:
            self._wire.received(channel, data)
        return data

    def connection_lost(
        self, connection_lost: Callable[..., None], connection: Any, args: Any, kwargs: Any
    ) -> None:
        connection_lost(*args, **kwargs)
        channel = self._channels.pop(connection, None)
        if channel is not None:
            self._wire.closed(channel)

    def connect(
        self,
        wrapped: Callable[[], Generator[Any, Any, Any]],
        connect: Any,
        _args: Any,
        _kwargs: Any,
    ) -> Generator[Any, Any, Any]:
        return self._connecting(wrapped, connect).__await__()

    async def _connecting(
        self, wrapped: Callable[[], Generator[Any, Any, Any]], connect: Any
    ) -> Any:
        started = time.time_ns()
        try:
            return await _Awaiting(wrapped)
        except Exception as error:
            self._wire.connect_failed(_channel_to(connect), started, error)
            raise

    def _channel(self, connection: Any) -> Channel | None:
        """Return the connection's channel, None if a layer above has claimed it."""
        if connection not in self._channels:
            self._channels[connection] = (
                None
                if claim.is_held()
                else Channel.of_socket("websocket", connection.remote_address)
            )
        return self._channels[connection]


def _channel_to(connect: Any) -> Channel:
    """Return the channel that a `connect()` would have opened."""
    try:
        address = urlsplit(connect.uri)
        port = address.port or (443 if address.scheme == "wss" else 80)
    except ValueError:
        return Channel.of_socket("websocket", None)
    return Channel.of_socket("websocket", (address.hostname, port))


class _Awaiting:
    """Makes the iterator that a wrapped `__await__` returns awaitable again."""

    def __init__(self, wrapped: Callable[[], Generator[Any, Any, Any]]) -> None:
        self._wrapped = wrapped

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._wrapped()
