"""Hook for aiohttp's WebSockets, client and server."""

import time
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Collection
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
from relayscope.instrumentation.traffic.channel_close import ChannelClose

_SIDES: Final = (
    ("aiohttp.client_ws", "ClientWebSocketResponse"),
    ("aiohttp.web_ws", "WebSocketResponse"),
)
_SENT: Final = (str, bytes, bytearray, memoryview)
_TEXT: Final = 1
_BINARY: Final = 2
_CLOSED: Final = (0x08, 0x100, 0x101, 0x102)
"""`aiohttp.WSMsgType`: data, and what comes when a connection is over or broken."""


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


class _Hook:
    def __init__(self, text_exchange: TextExchange) -> None:
        self._text_exchange = text_exchange
        self._channels: WeakKeyDictionary[Any, Channel | None] = WeakKeyDictionary()

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
        channel = self._channel(socket) if isinstance(data, _SENT) else None
        if channel is None:
            return None
        sent = data if isinstance(data, str) else bytes(data)
        return self._text_exchange.sending(channel, sent)

    async def receive(
        self, receive: Callable[..., Awaitable[Any]], socket: Any, args: Any, kwargs: Any
    ) -> Any:
        channel = self._channels.get(socket)
        if channel is not None:
            channel.reader_left = False
        try:
            message = await receive(*args, **kwargs)
        except (CancelledError, TimeoutError):
            if channel is not None:
                self._text_exchange.stopped_reading(channel)
            raise
        channel = self._channel(socket)
        if channel is not None:
            if message.type in (_TEXT, _BINARY):
                self._text_exchange.received(channel, message.data)
            elif message.type in _CLOSED:
                self._text_exchange.closed(channel, _channel_close(socket))
        return message

    async def close(
        self, close: Callable[..., Awaitable[bool]], socket: Any, args: Any, kwargs: Any
    ) -> bool:
        try:
            return await close(*args, **kwargs)
        finally:
            channel = self._channels.get(socket)
            if channel is not None:
                self._text_exchange.closed(channel, _channel_close(socket))

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
    def _channel(self, socket: Any) -> Channel | None:
        """Return the connection's channel, None if a layer above has claimed it."""
        if socket not in self._channels:
            address = socket.get_extra_info("peername")
            self._channels[socket] = (
                None if connection_owner.is_held() else Channel.of_socket("websocket", address)
            )
        return self._channels[socket]


def _channel_close(socket: Any) -> ChannelClose:
    return ChannelClose(close_code=socket.close_code)
