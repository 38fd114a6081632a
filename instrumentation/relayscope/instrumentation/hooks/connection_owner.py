"""Which layer records a connection, where several can see it.

A message of the `mcp` SDK crosses the SDK's streams, and below them a WebSocket, a pipe, or an HTTP
client that has a hook of its own. The highest layer that understands the message claims the
connection: whatever is opened, and every task that is started, while the claim is held, belongs to
it, and the hooks below leave it alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Claim:
    """What the layer above is told of what it has claimed.

    Attributes:
        child: The transport of the child that was started to talk to.
    """

    child: Any = None


_held: ContextVar[Claim | None] = ContextVar("relayscope_claim", default=None)


def is_held() -> bool:
    """Return whether what happens here is recorded by a layer above."""
    return _held.get() is not None


def started(child: Any) -> None:
    """Tell the layer above of a child."""
    claim = _held.get()
    if claim is not None:
        claim.child = child


@contextmanager
def held() -> Iterator[Claim]:
    """Claim every connection that is opened inside, by this task or one that it starts."""
    claim = Claim()
    token = _held.set(claim)
    try:
        yield claim
    finally:
        _held.reset(token)
