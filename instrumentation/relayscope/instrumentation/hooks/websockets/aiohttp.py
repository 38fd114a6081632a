"""Hook for aiohttp's WebSockets, client and server."""

import time
from asyncio import CancelledError, Task, current_task
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import Outgoing, TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.channel_close import (
    NO_CLOSE_FRAME,
    ChannelClose,
    Closer,
)

_SIDES: Final = (
    ("aiohttp.client_ws", "ClientWebSocketResponse"),
    ("aiohttp.web_ws", "WebSocketResponse"),
)
_SENT: Final = (str, bytes, bytearray, memoryview)
_TEXT: Final = 1
_BINARY: Final = 2
_CLOSE: Final = 0x08
_CLOSED: Final = 0x101
_ERROR: Final = 0x102
"""`aiohttp.WSMsgType`: data, and what comes when a connection is over or broken."""

_NORMAL_CLOSURE: Final = 1000


class AiohttpInstrumentor(BaseInstrumentor):
    """Watches every message that aiohttp's WebSockets send and receive."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions that have the names that are wrapped."""
        return ("aiohttp >= 3.8, < 4",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = _Hook(TextExchange(exchange or shared_exchange()))
        self._patches = Patches()
        for module, side in _SIDES:
            self._patches.wrap(module, f"{side}.send_str", hook.send)
            self._patches.wrap(module, f"{side}.send_bytes", hook.send)
            self._patches.wrap(module, f"{side}.send_frame", hook.send_frame)
            self._patches.wrap(module, f"{side}.receive", hook.receive)
            self._patches.wrap(module, f"{side}.close", hook.close)
        self._patches.wrap("aiohttp.client", "ClientSession._ws_connect", hook.connect)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


@dataclass(slots=True)
class _Watched:
    """One WebSocket.

    Attributes:
        channel: Its channel.
        reader: The task that waits for its next message.
        closing: The close that the host has asked for.
    """

    channel: Channel
    reader: Task[Any] | None = None
    closing: ChannelClose | None = None


class _Hook:
    def __init__(self, text_exchange: TextExchange) -> None:
        self._text_exchange = text_exchange
        self._sockets: WeakKeyDictionary[Any, _Watched | None] = WeakKeyDictionary()

    async def send(
        self, send: Callable[..., Awaitable[None]], socket: Any, args: Any, kwargs: Any
    ) -> None:
        outgoing = self._sending(socket, args[0] if args else kwargs.get("data"))
        if outgoing is None:
            # What cannot be sent is refused in the library's words.
            return await send(*args, **kwargs)
        if not args:
            args, kwargs = (None,), {name: kwargs[name] for name in kwargs if name != "data"}
        try:
            await send(outgoing.data, *args[1:], **kwargs)
        except BaseException as error:
            outgoing.failed(error)
            raise
        return None

    async def send_frame(
        self, send_frame: Callable[..., Awaitable[None]], socket: Any, args: Any, kwargs: Any
    ) -> None:
        opcode = args[1] if len(args) > 1 else kwargs.get("opcode")
        if opcode in (_TEXT, _BINARY) and args:
            await self.send(send_frame, socket, args, kwargs)
        else:
            await send_frame(*args, **kwargs)

    @shielded
    def _sending(self, socket: Any, data: Any) -> Outgoing[Any] | None:
        watched = self._watched(socket) if isinstance(data, _SENT) else None
        if watched is None:
            return None
        sent = data if isinstance(data, str) else bytes(data)
        return self._text_exchange.sending(watched.channel, sent)

    async def receive(
        self, receive: Callable[..., Awaitable[Any]], socket: Any, args: Any, kwargs: Any
    ) -> Any:
        watched = self._watched(socket)
        if watched is None:
            return await receive(*args, **kwargs)
        channel = watched.channel
        channel.reader_left = False
        watched.reader = current_task()
        try:
            message = await receive(*args, **kwargs)
        except (CancelledError, TimeoutError):
            self._text_exchange.stopped_reading(channel)
            raise
        finally:
            watched.reader = None
        if message.type in (_TEXT, _BINARY):
            self._text_exchange.received(channel, message.data)
        elif message.type in (_CLOSE, _CLOSED, _ERROR):
            self._closed(watched, socket, message)
        return message

    async def close(
        self, close: Callable[..., Awaitable[bool]], socket: Any, args: Any, kwargs: Any
    ) -> bool:
        watched = self._sockets.get(socket)
        # aiohttp closes by itself what has come to its end: `receive` says so, and why.
        if watched is None or watched.reader is current_task():
            return await close(*args, **kwargs)
        if not socket.closed:
            watched.closing = _asked_for(kwargs)
        try:
            return await close(*args, **kwargs)
        finally:
            self._closed(watched, socket)

    async def connect(
        self, connect: Callable[..., Awaitable[Any]], _: Any, args: Any, kwargs: Any
    ) -> Any:
        started = time.time_ns()
        try:
            return await connect(*args, **kwargs)
        except Exception as error:
            if not connection_owner.is_held():
                url = urlsplit(str(args[0] if args else kwargs.get("url")))
                port = url.port or (443 if url.scheme in ("wss", "https") else 80)
                channel = Channel.of_socket("websocket", (url.hostname, port))
                self._text_exchange.connect_failed(channel, started, error)
            raise

    @shielded
    def _closed(self, watched: _Watched, socket: Any, message: Any = None) -> None:
        """Record how a connection has ended: perhaps with a message that tells of it."""
        closing = watched.closing
        if closing is None and message is not None:
            closing = _told_by(message)
        error = socket.exception()
        if isinstance(error, ConnectionError):
            closing, error = None, None
        # aiohttp calls 1000 also what has ended without a close frame.
        if closing is None:
            closing = ChannelClose(NO_CLOSE_FRAME, str(error or ""))
        self._text_exchange.closed(watched.channel, closing)

    @shielded
    def _watched(self, socket: Any) -> _Watched | None:
        """Return what is known of a connection, None if a layer above has claimed it."""
        if socket not in self._sockets:
            address = socket.get_extra_info("peername")
            self._sockets[socket] = (
                None
                if connection_owner.is_held()
                else _Watched(Channel.of_socket("websocket", address))
            )
        return self._sockets[socket]


def _told_by(message: Any) -> ChannelClose | None:
    """Return the close that a message tells of which is no data, None if there was no frame."""
    if message.type == _CLOSE:
        return ChannelClose(message.data, message.extra or "", closed_by=Closer.PEER)
    # What is too large, or no WebSocket: aiohttp answers it with the error's code, and no reason.
    code = getattr(message.data, "code", None)
    if message.type == _ERROR and isinstance(code, int):
        return ChannelClose(code, str(message.data), closed_by=Closer.SELF)
    return None


@shielded
def _asked_for(arguments: Mapping[str, Any]) -> ChannelClose:
    reason = bytes(arguments.get("message", b"")).decode("utf-8", "replace")
    return ChannelClose(arguments.get("code", _NORMAL_CLOSURE), reason, closed_by=Closer.SELF)
