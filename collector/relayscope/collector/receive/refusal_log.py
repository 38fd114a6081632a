"""Log lines about refused peers: one a minute for each peer and reason."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

_logger = logging.getLogger(__name__)

_SECONDS: Final = 60.0
_MOST: Final = 1024
"""Peers and reasons that are remembered; beyond that, they are forgotten all at once."""


class RefusalLog:
    """Logs refusals, and remembers what was logged lately."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str, str], float] = {}

    def tell(self, peer: str, transport: str, error: Exception) -> None:
        """Log that a peer was refused, unless it may just try again.

        The reason is the kind of error: its text may quote what the peer has sent.
        """
        if getattr(error, "retryable", False):
            return
        key = (peer, transport, type(error).__name__)
        now = monotonic()
        if now < self._said.get(key, -_SECONDS) + _SECONDS:
            return
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[key] = now
        facts = {"peer": peer, "transport": transport, "reason": type(error).__name__}
        _logger.warning("refused", extra=facts)
