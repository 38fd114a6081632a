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
from typing import Any


@dataclass(slots=True)
class ConnectionOwner:
    """The layer that records a connection, and what it is told by the hooks below.

    Attributes:
        child: The transport of the child process that was started for the connection.
    """

    child: Any = None


_held: ContextVar[ConnectionOwner | None] = ContextVar("relayscope_connection_owner", default=None)


def is_held() -> bool:
    """Return whether what happens here is recorded by a layer above."""
    return _held.get() is not None


def started(child: Any) -> None:
    """Tell the owner of a child process."""
    owner = _held.get()
    if owner is not None:
        owner.child = child


@contextmanager
def held() -> Iterator[ConnectionOwner]:
    """Own every connection that is opened inside, by this task or one that it starts."""
    owner = ConnectionOwner()
    token = _held.set(owner)
    try:
        yield owner
    finally:
        _held.reset(token)
