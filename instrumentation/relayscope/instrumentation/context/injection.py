"""The decision to give a message trace context on its way out."""

import logging
from collections import OrderedDict
from typing import Final

from relayscope.instrumentation.traffic.calls import Call
from relayscope.instrumentation.traffic.message import KNOWN_METHODS, Kind, Message
from relayscope.instrumentation.traffic.unmatched_answer import SDK_NO_ID

_log = logging.getLogger("relayscope.instrumentation")

_REJECTIONS: Final = frozenset({-32600, -32602})
"""Invalid request, invalid params: the answers of a peer that rejects an unknown `_meta`."""

_REFUSED_ANYWAY: Final = frozenset(
    {"server/discover", "roots/list", "sampling/createMessage", "elicitation/create"}
)
"""Requests that peers refuse with one of these codes whatever they carry. The first is that of a
client of MCP 2026-07-28, to servers that are older. The others go to clients: one on the `mcp` SDK
1.x that does not have what is asked for says "Invalid request"."""

_MOST_PEERS: Final = 4096


class Injection:
    """Knows which peers take context, and stops at one that rejects it."""

    def __init__(self) -> None:
        self._takes: OrderedDict[str, bool] = OrderedDict()
        """The verdict of each peer's first answer to a message with context: whether it takes
        context."""

    def is_allowed(self, peer: str, message: Message) -> bool:
        """Return whether a message may carry context: one of MCP's own, to a peer that takes it."""
        return (
            message.takes_meta and message.method in KNOWN_METHODS and self._takes.get(peer, True)
        )

    def answered(self, peer: str, call: Call, answer: Message) -> None:
        """Learn from the first answer to a call that was given context."""
        # The SDK takes context: it refuses a session here, before it has read what it was sent.
        if not call.carried or peer in self._takes or answer.id == SDK_NO_ID:
            return
        rejected = answer.kind is Kind.ERROR and answer.error_code in _REJECTIONS
        if rejected and call.request.method in _REFUSED_ANYWAY:
            return
        self._takes[peer] = not rejected
        if len(self._takes) > _MOST_PEERS:
            self._takes.popitem(last=False)
        if rejected:
            _log.warning(
                "relayscope: %s answered the first request with trace context with error %s; "
                "it gets no context any more, so its spans will not be in the relay's traces",
                peer,
                answer.error_code,
            )
