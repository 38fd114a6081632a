"""The layer that records a connection, where several can see it.

A message of the `mcp` SDK crosses the SDK's streams, and below them a WebSocket, a pipe, or an HTTP
client that has a hook of its own. The highest layer that understands the message owns the
connection: whatever is opened, and every task that is started, while it is held, belongs to
it, and the hooks below leave it alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from relayscope.instrumentation.traffic.calls import Refusal


class Requester(Protocol):
    """An owner whose messages are the bodies of HTTP requests. Nothing here raises."""

    def not_connected(self, body: bytes, error: BaseException, started: int) -> None:
        """Take that the server, tried at `started` (ns since the epoch), was not reached."""

    def not_sent(self, body: bytes, error: BaseException) -> None:
        """Take that a request did not go out."""

    def failed(self, body: bytes, refusal: Refusal) -> None:
        """Take that no response came to a request, or only a part of one."""

    def refused(self, body: bytes, refusal: Refusal) -> None:
        """Take what a response says in place of an answer; more of it may follow."""

    def refused_others(self, body: bytes, refusal: Refusal) -> None:
        """Take all that a response says by which messages were refused that have no answer."""


@dataclass(slots=True)
class ConnectionOwner:
    """The layer that records a connection, and what it is told by the hooks below.

    Attributes:
        requester: Takes what became of HTTP requests, where they carry its messages.
        child: The transport of the child process that was started for the connection.
    """

    requester: Requester | None = None
    child: Any = None


_held: ContextVar[ConnectionOwner | None] = ContextVar("relayscope_connection_owner", default=None)


def is_held() -> bool:
    """Return whether what happens here is recorded by a layer above."""
    return _held.get() is not None


def requester() -> Requester | None:
    """Return who is to be told of HTTP requests that are made here."""
    owner = _held.get()
    return None if owner is None else owner.requester


def started(child: Any) -> None:
    """Tell the owner of a child process."""
    owner = _held.get()
    if owner is not None:
        owner.child = child


@contextmanager
def held(requester: Requester | None = None) -> Iterator[ConnectionOwner]:
    """Own every connection that is opened inside, by this task or one that it starts."""
    owner = ConnectionOwner(requester)
    token = _held.set(owner)
    try:
        yield owner
    finally:
        _held.reset(token)
