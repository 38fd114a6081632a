"""Hook for the legacy connections of `websockets`, which were its default until version 13."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel

from .frames import Socket

_MODULE: Final = "websockets.legacy.protocol"
_DATA_OPCODES: Final = (0, 1, 2)
"""Continuation, text, binary (RFC 6455, section 5.2)."""


class LegacyHook:
    """Watches `WebSocketCommonProtocol`, the connection of either side."""

    def __init__(self, text_exchange: TextExchange) -> None:
        self._text_exchange = text_exchange
        self._sockets: WeakKeyDictionary[Any, Socket | None] = WeakKeyDictionary()

    def patch(self, patches: Patches) -> None:
        """Wrap where every frame is written, where every message arrives, and where it is read."""
        patches.wrap(_MODULE, "WebSocketCommonProtocol.write_frame_sync", self._write_frame)
        patches.wrap(_MODULE, "WebSocketCommonProtocol.read_message", self._read_message)
        patches.wrap(_MODULE, "WebSocketCommonProtocol.recv", self._recv)
        patches.wrap(_MODULE, "WebSocketCommonProtocol.connection_lost", self._lost)

    def _write_frame(
        self, write: Callable[..., None], connection: Any, args: Any, kwargs: Any
    ) -> None:
        socket = self._socket(connection)
        if socket is None or kwargs or args[1] not in _DATA_OPCODES:
            return write(*args, **kwargs)
        fin, opcode, data = args

        def write_data(data: bytes) -> None:
            write(fin, opcode, data)

        if fin and opcode != 0:
            socket.send(write_data, data)
        else:
            socket.send_fragment(write_data, data, last=fin)
        return None

    async def _read_message(
        self, read: Callable[..., Awaitable[Any]], connection: Any, args: Any, kwargs: Any
    ) -> Any:
        message = await read(*args, **kwargs)
        socket = self._socket(connection)
        if socket is not None and message is not None:
            data = message.encode() if isinstance(message, str) else message
            socket.arrived(data, last=True)
        return message

    async def _recv(
        self, recv: Callable[..., Awaitable[Any]], connection: Any, args: Any, kwargs: Any
    ) -> Any:
        socket = self._socket(connection)
        if socket is not None:
            socket.channel.reader_left = False
        try:
            data = await recv(*args, **kwargs)
        except CancelledError:
            if socket is not None:
                socket.stopped_reading()
            raise
        if socket is not None:
            socket.read()
        return data

    def _lost(self, lost: Callable[..., None], connection: Any, args: Any, kwargs: Any) -> None:
        lost(*args, **kwargs)
        socket = self._socket(connection)
        if socket is not None:
            socket.closed(connection)

    @shielded
    def _socket(self, connection: Any) -> Socket | None:
        if connection not in self._sockets:
            # uvicorn's server is one of these, under an ASGI application, which is watched.
            is_watched = not connection_owner.is_held() and not _is_of_server(type(connection))
            channel = Channel.of_socket("websocket", connection.remote_address)
            self._sockets[connection] = Socket(self._text_exchange, channel) if is_watched else None
        return self._sockets[connection]


def _is_of_server(connection: type) -> bool:
    return connection.__module__.startswith("uvicorn.")
