"""Which layer records a connection, where several can see it.

A message of the `mcp` SDK crosses the SDK's streams, and below them a WebSocket, a pipe, or an HTTP
client that has a hook of its own. The highest layer that understands the message claims the
connection: whatever is opened, and every task that is started, while the claim is held, belongs to
it, and the hooks below leave it alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_held: ContextVar[bool] = ContextVar("relayscope_claim", default=False)


def is_held() -> bool:
    """Return whether what happens here is recorded by a layer above."""
    return _held.get()


@contextmanager
def held() -> Iterator[None]:
    """Claim every connection that is opened inside, by this task or one that it starts."""
    token = _held.set(True)
    try:
        yield
    finally:
        _held.reset(token)
