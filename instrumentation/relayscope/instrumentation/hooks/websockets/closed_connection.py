"""Messages that a host sends over a connection of `websockets` that has closed.

The library refuses them before they are frames, so that nothing else here sees them.
"""

import functools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import Outgoing

from .frames import Socket

_OPEN: Final = 1
"""`websockets.protocol.State.OPEN`."""

_SENT: Final = (str, bytes, bytearray, memoryview)
"""Types that are one message; of one in fragments nobody knows the end."""

_SocketOf = Callable[[Any], Socket | None]


def sending(original: Callable[..., Awaitable[None]], socket_of: _SocketOf) -> Callable[..., Any]:
    """Make what stands in for the asyncio connection's `send`."""

    @functools.wraps(original)
    async def send(connection: Any, *args: Any, **kwargs: Any) -> None:
        if connection.protocol.state == _OPEN:
            return await original(connection, *args, **kwargs)
        with _failing(_refused(socket_of, connection, args, kwargs)):
            await original(connection, *args, **kwargs)
        return None

    return send


def sync_sending(original: Callable[..., None], socket_of: _SocketOf) -> Callable[..., None]:
    """Make what stands in for the sync connection's `send`."""

    @functools.wraps(original)
    def send(connection: Any, *args: Any, **kwargs: Any) -> None:
        if connection.protocol.state == _OPEN:
            return original(connection, *args, **kwargs)
        with _failing(_refused(socket_of, connection, args, kwargs)):
            original(connection, *args, **kwargs)
        return None

    return send


@contextmanager
def _failing(outgoing: Outgoing[Any] | None) -> Iterator[None]:
    """Tell a recorded message why it is not sent."""
    try:
        yield
    except BaseException as error:
        if outgoing is not None:
            outgoing.failed(error)
        raise


@shielded
def _refused(
    socket_of: _SocketOf, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Outgoing[Any] | None:
    """Record a message that will be refused; None if it is not recorded."""
    socket = socket_of(connection.protocol)
    message = args[0] if args else kwargs.get("message")
    if socket is None or not isinstance(message, _SENT):
        return None
    text = message if isinstance(message, str) else bytes(message)
    return socket.text_exchange.sending(socket.channel, text)
