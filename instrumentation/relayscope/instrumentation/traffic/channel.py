"""One connection between this process and a peer, and the calls that are open on it."""

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from relayscope.conventions.attributes import (
    CLIENT_ADDRESS,
    CLIENT_PORT,
    NETWORK_PROTOCOL_NAME,
    NETWORK_TRANSPORT,
    SERVER_ADDRESS,
    SERVER_PORT,
)

from .calls import OpenCalls
from .level import Level
from .levels import Direction, Levels
from .message import RequestId

if TYPE_CHECKING:
    from relayscope.sanitizer import Value

_LONGEST_VERSION: Final = 64
"""Characters of a protocol's version."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Channel:
    """A connection, as the hook that sees it describes it.

    Attributes:
        peer: The other end: `127.0.0.1:9051`, `stdio`, ...
        transport: `network.*` attributes of the MCP conventions' transport table.
        as_client: Address attributes for spans of calls sent from here (`server.address`, ...).
        as_server: Address attributes for spans of calls received here (`client.address`, ...).
        command_line: Of the peer, if it is a child process.
        speaks_jsonrpc: Set by the first JSON-RPC message; before it, other text is none of ours.
        created: Time at which it was first seen, in nanoseconds since the epoch.
        is_announced: True if there is a record of its opening.
        is_over: True if nothing more will cross it.
        crossed: Number of messages that have crossed it.
        unanswered: Number of its calls that have ended without an answer.
        takes_strings: True if this side takes `"7"` for the answer to 7, as the `mcp` SDK does.
        reader_left: True if the task that read from here was cancelled, and has not come back.
        responding_to: The ids of the requests in the HTTP request in whose response the present
            message is, none of them where that refuses what has no request in it; None where an
            error without an id refuses nothing.
        opened: Time at which the handshake began, in nanoseconds since the epoch, and who began it.
        off_sent: The levels by which no sent message is recorded, once that is known.
        off_received: As `off_sent`, for received messages.
    """

    peer: str
    transport: "dict[str, Value]"
    as_client: "dict[str, Value]" = field(default_factory=dict)
    as_server: "dict[str, Value]" = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    protocol_version: str = ""
    session_id: str = ""
    command_line: str = ""
    speaks_jsonrpc: bool = False
    created: int = field(default_factory=time_ns)
    is_announced: bool = False
    is_over: bool = False
    crossed: dict[Direction, int] = field(
        default_factory=lambda: {Direction.SENT: 0, Direction.RECEIVED: 0}
    )
    unanswered: int = 0
    takes_strings: bool = False
    reader_left: bool = False
    responding_to: tuple[RequestId, ...] | None = None
    opened: tuple[int, Direction] | None = None
    off_sent: Levels | None = None
    off_received: Levels | None = None
    sent: OpenCalls = field(default_factory=OpenCalls)
    received: OpenCalls = field(default_factory=OpenCalls)
    _sequence: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _levels: Levels | None = None
    _gates: dict[Direction, Level | None] = field(default_factory=dict)

    def gate(self, levels: Levels, direction: Direction) -> Level | None:
        """Return the level of all messages in a direction, None if each has to be looked at."""
        if self._levels is not levels:
            self._look_up(levels)
        return self._gates[direction]

    def level_of(self, levels: Levels, direction: Direction, method: str, target: str) -> Level:
        """Return the level of one message; an answer has its request's method and target."""
        if self._levels is not levels:
            self._look_up(levels)
        level = self._gates[direction]
        if level is None:
            level = levels.of_message(self.peer, direction, method, target)
        return level

    def next_sequence(self, direction: Direction) -> int:
        """Return the position of the message that crosses now, from 1."""
        self.crossed[direction] += 1
        return next(self._sequence)

    def learn_handshake(self, result: Any) -> None:
        """Take the protocol's version from the result of `initialize`, if it is there."""
        version = result.get("protocolVersion") if isinstance(result, dict) else None
        if isinstance(version, str):
            self.protocol_version = version[:_LONGEST_VERSION]

    @property
    def is_connection(self) -> bool:
        """True if it lasts for more than one call: an HTTP request without a session does not."""
        return bool(self.session_id) or self.transport.get(NETWORK_PROTOCOL_NAME) != "http"

    @classmethod
    def of_pipes(cls, peer: str) -> "Channel":
        """Return the channel of a pair of pipes."""
        return cls(peer=peer, transport={NETWORK_TRANSPORT: "pipe"})

    @classmethod
    def of_socket(cls, protocol: str, address: object) -> "Channel":
        """Return the channel of a TCP connection.

        Args:
            protocol: `websocket` or `http`.
            address: As for `locate`.
        """
        channel = cls(
            peer="unknown",
            transport={NETWORK_TRANSPORT: "tcp", NETWORK_PROTOCOL_NAME: protocol},
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
                self._levels = self.off_sent = self.off_received = None
                self.peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                self.as_client = {SERVER_ADDRESS: host, SERVER_PORT: port}
                self.as_server = {CLIENT_ADDRESS: host, CLIENT_PORT: port}

    def _look_up(self, levels: Levels) -> None:
        """Remember what the levels say of all messages: they rarely change."""
        self._gates = {each: levels.of_channel(self.peer, each) for each in Direction}
        self._levels = levels
        self.off_sent = levels if self._gates[Direction.SENT] is Level.OFF else None
        self.off_received = levels if self._gates[Direction.RECEIVED] is Level.OFF else None
        self.sent.see_answers(seen=self.off_received is None)
        self.received.see_answers(seen=self.off_sent is None)
