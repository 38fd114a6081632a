"""The decision to give a message trace context on its way out."""

import logging
import re
from collections import OrderedDict
from typing import Final

import orjson

from relayscope.instrumentation.traffic.calls import Call
from relayscope.instrumentation.traffic.message import KNOWN_METHODS, Kind, Message
from relayscope.instrumentation.traffic.unmatched_answer import SDK_NO_ID

_log = logging.getLogger("relayscope.instrumentation")

_REJECTIONS: Final = frozenset({-32600, -32602})
"""Invalid request, invalid params: the answers of a peer that rejects an unknown `_meta`, and of
any other to what is wrong with a request."""

_ENOUGH: Final = 3
"""Such answers of a peer, one after another, that are taken for a refusal of context. A peer that
does not say what it rejects fails so many of the host's calls; one that rejects a tool's name, and
then another one, keeps its context."""

_ABOUT_CONTEXT: Final = re.compile(rb"\b(?:_meta|traceparent|tracestate|baggage)\b")
_ABOUT_VERSION: Final = b"io.modelcontextprotocol/"
"""In `_meta` since MCP 2026-07-28, of which servers say so if it is missing."""

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
        self._rejections: OrderedDict[str, int] = OrderedDict()
        """How often each peer has rejected what had context; 0 once it has taken some."""

    def is_allowed(self, peer: str, message: Message) -> bool:
        """Return whether a message may carry context: one of MCP's own, to a peer that takes it."""
        return (
            message.takes_meta
            and message.method in KNOWN_METHODS
            and self._rejections.get(peer, 0) < _ENOUGH
        )

    def answered(self, peer: str, call: Call, answer: Message) -> None:
        """Learn from the first answers to calls that were given context."""
        # The SDK takes context: it refuses a session here, before it has read what it was sent.
        if not call.carried or answer.id == SDK_NO_ID:
            return
        before = self._rejections.get(peer)
        if before == 0 or (before is not None and before >= _ENOUGH):
            return
        if answer.kind is Kind.ERROR and _is_about_context(answer):
            rejections = _ENOUGH
        elif answer.kind is not Kind.ERROR or answer.error_code not in _REJECTIONS:
            rejections = 0
        elif call.request.method in _REFUSED_ANYWAY:
            return
        else:
            rejections = (before or 0) + 1
        self._rejections[peer] = rejections
        if len(self._rejections) > _MOST_PEERS:
            self._rejections.popitem(last=False)
        if rejections >= _ENOUGH:
            _log.warning(
                "relayscope: %s answered what had trace context with error %s; "
                "it gets no context any more, so its spans will not be in the relay's traces",
                peer,
                answer.error_code,
            )


def _is_about_context(error: Message) -> bool:
    """Return whether an error names what context is carried in."""
    try:
        said = orjson.dumps([error.error_message, error.error_data])
    except (TypeError, ValueError):
        return False
    return _ABOUT_CONTEXT.search(said) is not None and _ABOUT_VERSION not in said
