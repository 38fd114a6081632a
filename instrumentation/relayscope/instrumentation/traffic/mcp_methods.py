"""The methods that each side of MCP may send, and those that ask for an answer.

Backends were seen that say what only clients may, and relays that forget the id of a request.

Source: MCP 2025-11-25 and 2026-07-28, schema.ts, `ClientRequest` to `ServerNotification`. What
either side may send (ping, progress, cancellation, tasks) is in neither set.
"""

from typing import Final

from relayscope.conventions.odd_traffic import OddTraffic

from .channel import Channel
from .levels import Direction
from .message import KNOWN_METHODS, Message

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
        "server/discover",
        "subscriptions/listen",
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
        "notifications/subscriptions/acknowledged",
        "notifications/tools/list_changed",
        "roots/list",
        "sampling/createMessage",
    }
)


_NOTIFICATIONS: Final = frozenset(
    method for method in KNOWN_METHODS if method.startswith("notifications/")
)
"""All others are requests."""


def odd_method(channel: Channel, direction: Direction, message: Message) -> OddTraffic | None:
    """Return the mark of a message whose method does not belong here, None if it does."""
    method = message.method
    if method not in KNOWN_METHODS:
        return OddTraffic.NOT_MCP
    if _is_of_other_side(channel, direction, method):
        return OddTraffic.WRONG_SIDE
    if (method in _NOTIFICATIONS) is (message.id is None):
        return None
    return OddTraffic.WITHOUT_ID if message.id is None else OddTraffic.WITH_ID


def _is_of_other_side(channel: Channel, direction: Direction, method: str) -> bool:
    """Return whether only the other side may send this; False where no handshake was seen."""
    if channel.opened is None:
        return False
    _, of_client = channel.opened
    return method in (_OF_SERVERS if direction is of_client else _OF_CLIENTS)
