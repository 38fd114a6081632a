"""The end of a channel in words: the child's exit, or the WebSocket's close code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.conventions.attributes import (
    CHANNEL_CLOSE_CODE,
    CHANNEL_CLOSE_REASON,
    CHANNEL_EXIT_SIGNAL,
    PROCESS_EXIT_CODE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST: Final = 200
"""Characters of what a peer says."""

_NO_FRAME: Final = "1006"


def closing_text(attributes: Mapping[str, Any] | None) -> str:
    """Say how a channel closed, by the attributes of the record of it; empty if it is not known."""
    said = {name: str(value)[:_MOST] for name, value in (attributes or {}).items()}
    if signal := said.get(CHANNEL_EXIT_SIGNAL):
        return f"the child was killed by {signal}"
    if code := said.get(PROCESS_EXIT_CODE):
        return f"the child ended with exit code {code}"
    if (code := said.get(CHANNEL_CLOSE_CODE)) is None:
        return ""
    if code == _NO_FRAME:
        return "the connection broke off without a close frame"
    reason = said.get(CHANNEL_CLOSE_REASON)
    return f"the connection was closed with {code}{f': {reason}' if reason else ''}"
