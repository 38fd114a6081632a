"""The methods that each side of MCP may send: backends were seen that say what only clients may.

Source: MCP 2025-11-25, schema.ts, `ClientRequest` to `ServerNotification`. What either side may
send (ping, progress, cancellation, tasks) is in neither set.
"""

from typing import Final

from relayscope.conventions.odd_traffic import OddTraffic

from .channel import Channel
from .levels import Direction
from .message import KNOWN_METHODS

_OF_CLIENTS: Final = frozenset(
    {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "notifications/initialized",
        "notifications/roots/list_changed",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "resources/unsubscribe",
        "tools/call",
        "tools/list",
    }
)

_OF_SERVERS: Final = frozenset(
    {
        "elicitation/create",
        "notifications/elicitation/complete",
        "notifications/message",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
        "notifications/tools/list_changed",
        "roots/list",
        "sampling/createMessage",
    }
)


def odd_method(channel: Channel, direction: Direction, method: str) -> OddTraffic | None:
    """Return the mark of a method that does not belong here, None if it does."""
    if method not in KNOWN_METHODS:
        return OddTraffic.NOT_MCP
    return OddTraffic.WRONG_SIDE if _is_of_other_side(channel, direction, method) else None


def _is_of_other_side(channel: Channel, direction: Direction, method: str) -> bool:
    """Return whether only the other side may send this; False where no handshake was seen."""
    if channel.opened is None:
        return False
    _, of_client = channel.opened
    return method in (_OF_SERVERS if direction is of_client else _OF_CLIENTS)
