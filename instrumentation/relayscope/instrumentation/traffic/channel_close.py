"""The close of a channel: a WebSocket's close code, a child process's exit status."""

import signal
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from relayscope.conventions.attributes import (
    CHANNEL_CLOSE_CODE,
    CHANNEL_CLOSE_REASON,
    CHANNEL_CLOSED_BY,
    CHANNEL_EXIT_SIGNAL,
    PROCESS_EXIT_CODE,
)

if TYPE_CHECKING:
    from relayscope.sanitizer import Value

_NORMAL_CODES: Final = (1000, 1001, 1005)
"""Normal closure, going away, and a close frame without a code (RFC 6455, section 7.4.1)."""

_LONGEST_REASON: Final = 125
"""Characters; a close frame has room for 123 bytes, but a library may let more through."""


class Closer(StrEnum):
    """Sides of a connection; the values are those of `relayscope.channel.closed_by`."""

    SELF = "self"
    PEER = "peer"


_IN_WORDS: Final = {None: "", Closer.SELF: " from this side", Closer.PEER: " from the peer"}


@dataclass(frozen=True, slots=True)
class ChannelClose:
    """The close of a channel, as far as it is known.

    Attributes:
        close_code: Of a WebSocket: as it came or as it went, whichever was first; 1006 if no close
            frame did.
        close_reason: The text beside it, which the peer may choose.
        exit_status: Of a child process: its exit code, or the negative number of the signal that
            killed it.
        closed_by: Of a WebSocket: who closed it first, if that is known.
    """

    close_code: int | None = None
    close_reason: str = ""
    exit_status: int | None = None
    closed_by: Closer | None = None

    @property
    def is_normal(self) -> bool:
        """True if nothing is known to have gone wrong."""
        return self.close_code in (None, *_NORMAL_CODES) and not self.exit_status

    @property
    def _signal(self) -> str:
        """The name of the signal that killed the child, if one did."""
        if self.exit_status is None or self.exit_status >= 0:
            return ""
        try:
            return signal.Signals(-self.exit_status).name
        except ValueError:
            return str(-self.exit_status)

    def attributes(self) -> "dict[str, Value]":
        """Return the attributes of its log record, as far as they are known."""
        attributes: dict[str, Value] = {}
        if self.close_code is not None:
            attributes[CHANNEL_CLOSE_CODE] = self.close_code
        if self.close_reason:
            attributes[CHANNEL_CLOSE_REASON] = self.close_reason[:_LONGEST_REASON]
        if self.closed_by is not None:
            attributes[CHANNEL_CLOSED_BY] = self.closed_by.value
        if self._signal:
            attributes[CHANNEL_EXIT_SIGNAL] = self._signal
        elif self.exit_status is not None:
            attributes[PROCESS_EXIT_CODE] = self.exit_status
        return attributes

    def described(self) -> str:
        """Return the same in words, empty if nothing is known."""
        if self.close_code is not None:
            reason = f" ({self.close_reason[:_LONGEST_REASON]})" if self.close_reason else ""
            return f"code {self.close_code}{reason}{_IN_WORDS[self.closed_by]}"
        if self._signal:
            return f"killed by {self._signal}"
        return "" if self.exit_status is None else f"exit code {self.exit_status}"


NO_CLOSE_FRAME: Final = 1006
"""The close code of a WebSocket that was cut off (RFC 6455, section 7.4.1)."""

UNKNOWN_CLOSE: Final = ChannelClose()
"""The close of a channel that has just ended, or that nobody knows more about."""
