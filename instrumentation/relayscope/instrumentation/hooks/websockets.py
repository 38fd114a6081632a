"""Hook for the `websockets` library, 12 and newer: asyncio and sync connections, either side.

All of them leave the protocol to `websockets.protocol.Protocol`, where every message passes as
frames: also those that are broadcast, sent in fragments, or arrive and are never read. The
connections around it know the address, and when the host reads. Legacy connections have a protocol
of their own (`websockets_legacy.py`).
"""

import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Generator, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import claim
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.hooks.websocket_frames import Socket
from relayscope.instrumentation.hooks.websockets_legacy import LegacyHook
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.shield import shielded
from relayscope.instrumentation.wire import Wire

_ASYNCIO: Final = "websockets.asyncio.connection"
_SYNC: Final = "websockets.sync.connection"
_PROTOCOL: Final = "websockets.protocol"
_SOCKET: Final = "_relayscope_socket"
"""Attribute of a protocol: to look it up by a weak key takes 1 us, several times a message."""

_CONTROL_OPCODES: Final = 0x08
"""Opcodes from here on are no data (RFC 6455, section 5.2)."""


class WebsocketsInstrumentor(BaseInstrumentor):
    """Watches every message that connections of `websockets` send and receive."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions that have what is wrapped."""
        return ("websockets >= 12",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        wire = Wire(exchange or shared_exchange())
        self._patches = Patches()
        _Hook(wire).patch(self._patches)
        LegacyHook(wire).patch(self._patches)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def patch(self, patches: Patches) -> None:
        patches.wrap(_PROTOCOL, "Protocol.send_text", self.send)
        patches.wrap(_PROTOCOL, "Protocol.send_binary", self.send)
        patches.wrap(_PROTOCOL, "Protocol.send_continuation", self.send_continuation)
        patches.wrap(_PROTOCOL, "Protocol.recv_frame", self.recv_frame)
        patches.wrap(_ASYNCIO, "Connection.connection_made", self.asyncio_made)
        patches.follow(_ASYNCIO, "Connection.recv", self.read)
        patches.wrap(_ASYNCIO, "Connection.recv_streaming", self.asyncio_streaming)
        patches.wrap(_ASYNCIO, "Connection.connection_lost", self.lost)
        patches.wrap("websockets.asyncio.client", "connect.__await__", self.asyncio_connect)
        patches.wrap(_SYNC, "Connection.__init__", self.sync_made)
        patches.wrap(_SYNC, "Connection.recv", self.sync_recv)
        patches.wrap(_SYNC, "Connection.recv_streaming", self.sync_streaming)
        patches.wrap(_SYNC, "Connection.recv_events", self.lost)
        patches.wrap("websockets.sync.client", "connect", self.sync_connect)
        patches.wrap("websockets.sync.client", "reconnect.connect", self.sync_reconnect)

    def send(self, send: Callable[..., None], protocol: Any, args: Any, kwargs: Any) -> None:
        socket = _socket_of(protocol)
        if socket is None:
            return send(*args, **kwargs)
        data = args[0] if args else kwargs["data"]
        last = args[1] if len(args) > 1 else kwargs.get("fin", True)
        if last:
            socket.send(send, data)
        else:
            socket.send_fragment(lambda fragment: send(fragment, False), data, last=False)
        return None

    def send_continuation(
        self, send: Callable[..., None], protocol: Any, args: Any, kwargs: Any
    ) -> None:
        socket = _socket_of(protocol)
        if socket is None:
            return send(*args, **kwargs)
        data = args[0] if args else kwargs["data"]
        last = args[1] if len(args) > 1 else kwargs["fin"]
        socket.send_fragment(lambda fragment: send(fragment, last), data, last=last)
        return None

    def recv_frame(
        self, recv_frame: Callable[..., None], protocol: Any, args: Any, kwargs: Any
    ) -> None:
        recv_frame(*args, **kwargs)
        socket = _socket_of(protocol)
        frame = args[0] if args else kwargs["frame"]
        if socket is not None and frame.opcode < _CONTROL_OPCODES:
            socket.arrived(frame.data, last=frame.fin)

    def asyncio_made(
        self, connection_made: Callable[..., None], connection: Any, args: Any, kwargs: Any
    ) -> None:
        connection_made(*args, **kwargs)
        self._made(connection)

    def sync_made(self, init: Callable[..., None], connection: Any, args: Any, kwargs: Any) -> None:
        init(*args, **kwargs)
        self._made(connection)

    @shielded
    def _made(self, connection: Any) -> None:
        if not claim.is_held():
            channel = Channel.of_socket("websocket", connection.remote_address)
            setattr(connection.protocol, _SOCKET, Socket(self._wire, channel))

    def lost(self, lost: Callable[..., None], connection: Any, args: Any, kwargs: Any) -> None:
        try:
            lost(*args, **kwargs)
        finally:
            socket = _socket_of(connection.protocol)
            if socket is not None:
                protocol = connection.protocol
                socket.closed(protocol.close_code, protocol.close_reason)

    def sync_recv(self, recv: Callable[..., Any], connection: Any, args: Any, kwargs: Any) -> Any:
        data = recv(*args, **kwargs)
        self.read(connection)
        return data

    async def asyncio_streaming(
        self, stream: Callable[..., AsyncIterator[Any]], connection: Any, args: Any, kwargs: Any
    ) -> AsyncIterator[Any]:
        async for number, fragment in _numbered(stream(*args, **kwargs)):
            if not number:
                self.read(connection)
            yield fragment

    def sync_streaming(
        self, stream: Callable[..., Iterator[Any]], connection: Any, args: Any, kwargs: Any
    ) -> Iterator[Any]:
        for number, fragment in enumerate(stream(*args, **kwargs)):
            if not number:
                self.read(connection)
            yield fragment

    def read(self, connection: Any) -> None:
        socket = _socket_of(connection.protocol)
        if socket is not None:
            socket.read()

    def asyncio_connect(
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
            self._failed(connect.uri, started, error)
            raise

    def sync_connect(self, connect: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
        if hasattr(sys.modules[connect.__module__], "reconnect"):
            # From version 17 on, all that is left of it is a call of `reconnect.connect`.
            return connect(*args, **kwargs)
        started = time.time_ns()
        try:
            return connect(*args, **kwargs)
        except Exception as error:
            self._failed(args[0] if args else kwargs.get("uri"), started, error)
            raise

    def sync_reconnect(
        self, connect: Callable[[], Any], opening: Any, _args: Any, _kwargs: Any
    ) -> Any:
        started = time.time_ns()
        try:
            return connect()
        except Exception as error:
            self._failed(getattr(opening, "uri", None), started, error)
            raise

    def _failed(self, uri: Any, started: int, error: Exception) -> None:
        if not claim.is_held():
            self._wire.connect_failed(_channel_to(uri), started, error)


def _socket_of(protocol: Any) -> Socket | None:
    """Return None for a protocol that is used by something else, or claimed."""
    return getattr(protocol, _SOCKET, None)


async def _numbered(stream: AsyncIterator[Any]) -> AsyncIterator[tuple[int, Any]]:
    number = 0
    async for item in stream:
        yield number, item
        number += 1


def _channel_to(uri: Any) -> Channel:
    """Return the channel that a `connect()` would have opened."""
    try:
        address = urlsplit(str(uri))
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
