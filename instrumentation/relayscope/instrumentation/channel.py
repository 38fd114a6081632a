"""One connection between this process and a peer, and the calls that are open on it."""

import itertools
import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from opentelemetry.trace import Span

from relayscope.sanitizer import Value

from . import names
from .message import RequestId


@dataclass(slots=True, eq=False)
class Call:
    """A request whose answer has not crossed the channel yet.

    Attributes:
        span: CLIENT for a request this process sent, SERVER for one it received.
        traceparent: What the request carried when it arrived, empty when it was sent from here.
    """

    span: Span
    method: str
    target: str
    traceparent: str = ""


class Match(NamedTuple):
    """What an answer's id found."""

    call: Call
    id_reused: bool
    """Whether other calls with the same id are open, so that the pairing is by order alone."""


class OpenCalls:
    """Open calls of one direction, by request id; first in, first out where an id is reused."""

    def __init__(self) -> None:
        self._by_id: dict[str, deque[Call]] = {}

    def add(self, identifier: RequestId, call: Call) -> bool:
        """Remember a call; return whether another one with the same id is open."""
        calls = self._by_id.setdefault(_key(identifier), deque())
        calls.append(call)
        return len(calls) > 1

    def get(self, identifier: RequestId) -> Call | None:
        """Return the newest call with this id without closing it."""
        calls = self._by_id.get(_key(identifier))
        return calls[-1] if calls else None

    def take(self, identifier: RequestId) -> Match | None:
        """Close the oldest call with this id.

        SDKs answer `"7"` to `7` (`_normalize_request_id` in mcp 1.x), so an id of the right type
        is looked for first and then its twin of the other type.
        """
        for key in (_key(identifier), _twin_key(identifier)):
            calls = self._by_id.get(key)
            if calls:
                call = calls.popleft()
                if not calls:
                    del self._by_id[key]
                return Match(call, id_reused=bool(calls))
        return None

    def drain(self) -> Iterator[Call]:
        """Close every call, oldest id first."""
        while self._by_id:
            yield from self._by_id.pop(next(iter(self._by_id)))


def _key(identifier: RequestId) -> str:
    # 1, 1.0 and True are one dictionary key in Python but not on the wire.
    return f"{type(identifier).__name__}:{identifier}"


def _twin_key(identifier: RequestId) -> str:
    other = "int" if isinstance(identifier, str) else "str"
    return f"{other}:{identifier}"


@dataclass(slots=True, eq=False)
class Channel:
    """A connection, as the hook that sees it describes it.

    Attributes:
        peer: Who is at the other end: `127.0.0.1:9051`, `stdio`, ...
        transport: `network.*` attributes of the MCP conventions' transport table.
        as_client: Address attributes for spans of calls sent from here (`server.address`, ...).
        as_server: Address attributes for spans of calls received here (`client.address`, ...).
        speaks_jsonrpc: Set by the first JSON-RPC message; before it, other text is none of ours.
    """

    peer: str
    transport: dict[str, Value]
    as_client: dict[str, Value] = field(default_factory=dict)
    as_server: dict[str, Value] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    protocol_version: str = ""
    session_id: str = ""
    speaks_jsonrpc: bool = False
    sent: OpenCalls = field(default_factory=OpenCalls)
    received: OpenCalls = field(default_factory=OpenCalls)
    _sequence: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def next_sequence(self) -> int:
        """Return the position of the message that crosses now, from 1."""
        return next(self._sequence)

    @classmethod
    def of_pipes(cls, peer: str) -> "Channel":
        """Return the channel of a pair of pipes."""
        return cls(peer=peer, transport={names.NETWORK_TRANSPORT: "pipe"})

    @classmethod
    def of_socket(cls, protocol: str, address: object) -> "Channel":
        """Return the channel of a TCP connection.

        Args:
            protocol: `websocket` or `http`.
            address: As for `locate`.
        """
        channel = cls(
            peer="unknown",
            transport={names.NETWORK_TRANSPORT: "tcp", names.NETWORK_PROTOCOL_NAME: protocol},
        )
        channel.locate(address)
        return channel

    def locate(self, address: object) -> None:
        """Set the peer from its address, once that is known.

        Args:
            address: A host and a port, as `socket.getpeername` gives them; anything else leaves
                the peer unknown.
        """
        match address:
            case (str(host), int(port), *_):
                self.peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                self.as_client = {names.SERVER_ADDRESS: host, names.SERVER_PORT: port}
                self.as_server = {names.CLIENT_ADDRESS: host, names.CLIENT_PORT: port}
