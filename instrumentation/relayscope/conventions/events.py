"""Event names of the log records that a traced process makes of messages and of itself."""

from typing import Final

EVENT_MESSAGE: Final = "mcp.message"
"""Carries one message."""

EVENT_CHANNEL_OPENED: Final = "relayscope.channel.opened"
"""Says that a channel has been opened, at INFO."""

EVENT_CHANNEL_CLOSED: Final = "relayscope.channel.closed"
"""Says how a channel has ended, at INFO; at WARN where a WebSocket closed with an error or without
a word, or a child process failed or was killed."""

EVENT_SEND_FAILED: Final = "relayscope.message.send_failed"
"""Says, at WARN, that the message with this sequence, which has been recorded as sent, could not be
sent, or that the peer refused it; a request that is refused is a call that failed."""

EVENT_LEVEL_CHANGED: Final = "relayscope.level.changed"
"""Says that the process records at other levels from now on."""

EVENT_LEVEL_REFUSED: Final = "relayscope.level.refused"
"""Says, at WARN, that levels from outside could not be taken."""

EVENT_DELIVERY: Final = "relayscope.delivery"
"""Accounts for a process's records. It has no body, and the attributes `relayscope.delivery.*`."""
