"""Cancellations that a client of the SDK 2.x may keep to itself, over HTTP.

Since MCP 2026-07-28 a client cancels by closing the response, and sends nothing. Its session does
not know that: it gives its transport a `notifications/cancelled` all the same, and only the
transport knows which of both is due. So that one is recorded when the transport has decided.
"""

import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

from relayscope.conventions.attributes import ERROR_CANCELLED
from relayscope.instrumentation.context.cancellation import CANCELLED
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.shield import shielded

_MODULE: Final = "mcp.client.streamable_http"
_TRANSPORT: Final = "StreamableHTTPTransport"
_DECIDE: Final = "_consume_modern_cancellation"
_WAITING: Final = "relayscope_waiting"
"""Name under which waits, in a cancellation, the wire that is to record it."""


class CancellationWire(Protocol):
    """The wire that a cancellation was given to. Nothing here raises."""

    def sending(self, item: Any) -> object:
        """Record that it is about to be sent."""

    def stopped_waiting(self, request_id: Any, error_type: str) -> None:
        """Say that its request has ended without it."""


def watch(patches: Patches) -> None:
    """Wrap the method with which a transport decides."""
    patches.wrap(_MODULE, f"{_TRANSPORT}.{_DECIDE}", _decided)


@shielded
def is_left_to_transport(item: Any, wire: CancellationWire) -> bool:
    """Return whether a message is a cancellation, which is recorded once a transport decides."""
    message = item.message
    if getattr(message, "method", None) != CANCELLED:
        return False
    if not hasattr(getattr(sys.modules.get(_MODULE), _TRANSPORT, None), _DECIDE):
        return False
    # Not setattr: a pydantic model would take it for a field.
    message.__dict__[_WAITING] = wire
    return True


def _decided(decide: Callable[..., bool], _transport: Any, args: Any, kwargs: Any) -> bool:
    is_kept = decide(*args, **kwargs)
    item = args[0] if args else kwargs.get("session_message")
    wire = _waiting(item)
    if wire is not None and is_kept:
        wire.stopped_waiting(_request_id(item), ERROR_CANCELLED)
    elif wire is not None:
        wire.sending(item)
    return is_kept


@shielded
def _waiting(item: Any) -> CancellationWire | None:
    wire: CancellationWire | None = item.message.__dict__.pop(_WAITING, None)
    return wire


@shielded
def _request_id(item: Any) -> Any:
    return (item.message.params or {}).get("requestId")
