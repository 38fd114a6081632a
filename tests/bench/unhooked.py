"""Connections of `websockets` that no hook sees, in a process that has one.

What a hook costs that records nothing is less than what two processes differ by chance, so it is
measured in one: beside connections of these classes, which have the library's own methods.

Import it before the hook is put in place.
"""

from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection
from websockets.client import ClientProtocol
from websockets.protocol import Protocol
from websockets.server import ServerProtocol


class _Server(ServerProtocol):
    send_text = Protocol.send_text
    recv_frame = Protocol.recv_frame


class _Client(ClientProtocol):
    send_text = Protocol.send_text
    recv_frame = Protocol.recv_frame


class UnhookedServer(ServerConnection):
    """A server's connection."""

    recv = Connection.recv

    def connection_made(self, transport: Any) -> None:
        """Have a protocol with the library's own methods."""
        self.protocol.__class__ = _Server
        super().connection_made(transport)


class UnhookedClient(ClientConnection):
    """A client's connection."""

    recv = Connection.recv

    def connection_made(self, transport: Any) -> None:
        """Have a protocol with the library's own methods."""
        self.protocol.__class__ = _Client
        super().connection_made(transport)
