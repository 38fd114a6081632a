"""One request of `http.client` on its way over a connection, and the body of its response."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.long_text import Gathering, LongText

from .client_call import ClientCall, ClientStream, Server, may_be_message
from .framing import Chunked, Framing, Measured

_LENGTH: Final = b"content-length"

_ENOUGH: Final = 1024
"""Bytes of a first piece that tell whether a body may be a message; a host may send GiB of JSON."""


@dataclass(slots=True)
class Pieces:
    """The body of a request, as its pieces pass.

    Attributes:
        call_of: Makes a call of the whole body, None if that is no message.
        is_ours: True if it may be a message, as far as its first piece tells.
    """

    framing: Framing
    call_of: Callable[[bytes | LongText], ClientCall | None]
    is_ours: bool = True
    gathering: Gathering = field(default_factory=Gathering)

    def take(self, piece: bytes) -> ClientCall | None:
        """Take the next piece; return the call that is complete with it."""
        if not self.gathering and len(piece) >= _ENOUGH:
            self.is_ours = may_be_message(piece)
        if self.framing.is_over or not self.is_ours:
            return None
        for data in self.framing.feed(piece):
            self.gathering.add(data)
        return self.complete() if self.framing.is_over else None

    def complete(self) -> ClientCall | None:
        """Return the call of all pieces."""
        return self.call_of(self.gathering.take()) if self.gathering else None


@dataclass(slots=True)
class Request:
    """A request on its way over a connection.

    Attributes:
        call: None as long as its body is not complete.
        body: The body to send; None if that is left to the host.
        pieces: Its body where it comes in pieces.
        to_skip: Bytes that the host is still to send of a body that has been sent already.
        has_begun: True if its head has gone.
    """

    call: ClientCall | ClientStream | None = None
    body: bytes | None = None
    pieces: Pieces | None = None
    to_skip: int = 0
    has_begun: bool = False

    @shielded
    def take(self, piece: Any) -> None:
        """Take the next part of its body, which is about to be sent."""
        if self.pieces is not None and self.call is None:
            self.call = self.pieces.take(bytes(piece))

    @shielded
    def complete(self) -> None:
        """Say that its body has no more pieces, where only that tells its end."""
        if self.pieces is not None and self.call is None:
            self.call = self.pieces.complete()

    def failed(self, error: BaseException, connecting_since: int | None) -> None:
        """Say that it could not be sent.

        Args:
            error: The reason.
            connecting_since: Time at which its connection was tried, in nanoseconds since the
                epoch; None if there was one already.
        """
        if self.call is None:
            return
        if self.has_begun:
            self.call.failed(error)
        elif connecting_since is None:
            self.call.not_sent(error)
        else:
            self.call.not_connected(error, connecting_since)


@dataclass(slots=True)
class Response:
    """The body of a response, as it is read."""

    call: ClientCall | ClientStream
    framing: Framing

    @shielded
    def heard(self, piece: bytes) -> None:
        """Take what was read; nothing where the body ends with its connection."""
        if self.framing.is_over:
            return
        for data in self.framing.feed(piece):
            self.call.response_body(data)
        if self.framing.is_over or not piece:
            self.call.end()


def framing_of(headers: dict[bytes, bytes]) -> Framing:
    """Return the framing of a request's body, from its headers."""
    if b"transfer-encoding" in headers:
        return Chunked()
    return Measured(int(headers.get(_LENGTH, b"0")))


def headers_of(lines: list[bytes]) -> dict[bytes, bytes]:
    """Return the headers among the lines of a request's head, names in lower case."""
    parts = (line.partition(b":") for line in lines[1:])
    return {name.lower(): value.strip() for name, _, value in parts}


def server_of(connection: Any, lines: list[bytes]) -> Server:
    """Return the server that a request is for; the connection may be to a proxy."""
    target = lines[0].split(b" ")[1].decode("latin-1")
    if "://" in target:
        url = urlsplit(target)
        return url.hostname or "", url.port or 80
    if connection._tunnel_host:  # noqa: SLF001  # it has no other
        return connection._tunnel_host, connection._tunnel_port  # noqa: SLF001  # as above
    return connection.host, connection.port


def has_length(lines: list[bytes], length: int) -> bool:
    """Return whether a request's head says, once, that its body has this length."""
    return [line.partition(b":")[2].strip() for line in lines if _is_length(line)] == [
        b"%d" % length
    ]


def set_length(lines: list[bytes], length: int) -> None:
    """Set the length of a request's body in its head."""
    for place, line in enumerate(lines):
        if _is_length(line):
            lines[place] = b"%b: %d" % (line.partition(b":")[0], length)


def _is_length(line: bytes) -> bool:
    return line[: len(_LENGTH) + 1].lower() == _LENGTH + b":"
