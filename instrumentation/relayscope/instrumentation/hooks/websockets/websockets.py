"""Hook for the `websockets` library, 12 and newer: asyncio and sync connections, either side.

All of them leave the protocol to `websockets.protocol.Protocol`, where every message passes as
frames: also those that are broadcast, sent in fragments, or arrive and are never read. The
connections around it know the address, and when the host reads. Legacy connections have a protocol
of their own (`legacy.py`).
"""

import functools
import inspect
import sys
import time
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Generator, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel

from . import closed_connection
from .frames import Socket
from .legacy import LegacyHook

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
        """Return the versions that have the names that are wrapped."""
        return ("websockets >= 12",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        text_exchange = TextExchange(exchange or shared_exchange())
        self._patches = Patches()
        _Hook(text_exchange).patch(self._patches)
        LegacyHook(text_exchange).patch(self._patches)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, text_exchange: TextExchange) -> None:
        self._text_exchange = text_exchange

    def patch(self, patches: Patches) -> None:
        patches.replace(_PROTOCOL, "Protocol.send_text", _sending)
        patches.replace(_PROTOCOL, "Protocol.send_binary", _sending)
        patches.wrap(_PROTOCOL, "Protocol.send_continuation", self.send_continuation)
        patches.replace(_PROTOCOL, "Protocol.recv_frame", _receiving)
        patches.wrap(_ASYNCIO, "Connection.connection_made", self.asyncio_made)
        patches.replace(_ASYNCIO, "Connection.recv", _reading)
        patches.replace(
            _ASYNCIO,
            "Connection.send",
            functools.partial(closed_connection.sending, socket_of=_socket_of),
        )
        patches.wrap(_ASYNCIO, "Connection.recv_streaming", self.asyncio_streaming)
        patches.wrap(_ASYNCIO, "Connection.connection_lost", self.lost)
        patches.wrap("websockets.asyncio.client", "connect.__await__", self.asyncio_connect)
        patches.wrap(_SYNC, "Connection.__init__", self.sync_made)
        patches.wrap(_SYNC, "Connection.recv", self.sync_recv)
        patches.replace(
            _SYNC,
            "Connection.send",
            functools.partial(closed_connection.sync_sending, socket_of=_socket_of),
        )
        patches.wrap(_SYNC, "Connection.recv_streaming", self.sync_streaming)
        patches.wrap(_SYNC, "Connection.recv_events", self.lost)
        patches.wrap("websockets.sync.client", "connect", self.sync_connect)
        patches.wrap("websockets.sync.client", "reconnect.connect", self.sync_reconnect)

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
        if not connection_owner.is_held():
            channel = Channel.of_socket("websocket", connection.remote_address)
            setattr(connection.protocol, _SOCKET, Socket(self._text_exchange, channel))

    def lost(self, lost: Callable[..., None], connection: Any, args: Any, kwargs: Any) -> None:
        try:
            lost(*args, **kwargs)
        finally:
            socket = _socket_of(connection.protocol)
            if socket is not None:
                socket.closed(connection.protocol)

    def sync_recv(self, recv: Callable[..., Any], connection: Any, args: Any, kwargs: Any) -> Any:
        socket = _socket_of(connection.protocol)
        if socket is not None:
            socket.channel.reader_left = False
        try:
            data = recv(*args, **kwargs)
        except TimeoutError:
            if socket is not None:
                socket.stopped_reading()
            raise
        if socket is not None:
            socket.read()
        return data

    async def asyncio_streaming(
        self, stream: Callable[..., AsyncIterator[Any]], connection: Any, args: Any, kwargs: Any
    ) -> AsyncIterator[Any]:
        async for number, fragment in _numbered(stream(*args, **kwargs)):
            if not number:
                _read(connection)
            yield fragment

    def sync_streaming(
        self, stream: Callable[..., Iterator[Any]], connection: Any, args: Any, kwargs: Any
    ) -> Iterator[Any]:
        for number, fragment in enumerate(stream(*args, **kwargs)):
            if not number:
                _read(connection)
            yield fragment

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
        if not connection_owner.is_held():
            self._text_exchange.connect_failed(_channel_to(uri), started, error)


def _socket_of(protocol: Any) -> Socket | None:
    """Return None for a protocol that is used by something else, or claimed."""
    return getattr(protocol, _SOCKET, None)


def _takes(method: Callable[..., None], *names: str) -> bool:
    """Return whether a method takes just what it takes in all versions that are known.

    To pass on whatever comes would take a third of all that is done of a message which is not
    recorded.
    """
    return tuple(inspect.signature(method).parameters) == ("self", *names)


def _sending(original: Callable[..., None]) -> Callable[..., None]:
    """Make what stands in for `Protocol.send_text` and `send_binary`."""

    @functools.wraps(original)
    def send(protocol: Any, data: Any, fin: bool = True) -> None:  # noqa: FBT001, FBT002  # the library's own signature
        socket = getattr(protocol, _SOCKET, None)
        # A message in one frame, as nearly all are, which the level excludes.
        if socket is None or (
            fin and socket.channel.off_sent is socket.text_exchange.exchange.levels
        ):
            original(protocol, data, fin)
        elif fin:
            socket.send(functools.partial(original, protocol), data)
        else:
            socket.send_fragment(lambda part: original(protocol, part, False), data, last=False)

    return send if _takes(original, "data", "fin") else original


def _receiving(original: Callable[..., None]) -> Callable[..., None]:
    """Make what stands in for `Protocol.recv_frame`."""

    @functools.wraps(original)
    def recv_frame(protocol: Any, frame: Any) -> None:
        original(protocol, frame)
        socket = getattr(protocol, _SOCKET, None)
        if socket is not None and frame.opcode < _CONTROL_OPCODES:
            socket.arrived(frame.data, last=frame.fin)

    return recv_frame if _takes(original, "frame") else original


def _reading(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Make what stands in for the asyncio connection's `recv`."""

    @functools.wraps(original)
    async def recv(connection: Any, *args: Any, **kwargs: Any) -> Any:
        socket = getattr(connection.protocol, _SOCKET, None)
        if socket is not None:
            socket.channel.reader_left = False
        try:
            data = await original(connection, *args, **kwargs)
        except CancelledError:
            if socket is not None:
                socket.stopped_reading()
            raise
        if socket is not None:
            # `socket.read()`, with one call less for what is not recorded.
            socket.last_read += 1
            if socket.unread:
                socket.work_for_last_read()
        return data

    return recv


def _read(connection: Any) -> None:
    socket = _socket_of(connection.protocol)
    if socket is not None:
        socket.read()


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
