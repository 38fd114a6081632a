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
"""Such answers of a peer, one after another, that are taken for a refusal of context where the host
has chosen what it asks for, as a tool: a peer that rejects one name, and then another one, keeps
its context. Of any other request one is enough: the host's calls come first."""

_ABOUT_CONTEXT: Final = re.compile(rb"\b(?:_meta|traceparent|tracestate|baggage)\b")
_ABOUT_VERSION: Final = re.compile(rb"io\.modelcontextprotocol/|[Pp]rotocol[ _]?[Vv]ersion")
"""In `_meta` since MCP 2026-07-28, of which servers say so if it is missing; before, in the first
request, and a server that does not speak that version says -32602."""

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
        """The rejections of each peer that was given context; 0 once it has taken some."""

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
        rejections = _rejections(before or 0, call.request, answer)
        if rejections is None:
            return
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


def _rejections(before: int, request: Message, answer: Message) -> int | None:
    """Return how often a peer has rejected context with this answer; None if it tells nothing."""
    if answer.kind is not Kind.ERROR:
        return 0
    said = _said(answer)
    if _ABOUT_VERSION.search(said):
        return None
    if _ABOUT_CONTEXT.search(said):
        return _ENOUGH
    if answer.error_code not in _REJECTIONS:
        return 0
    if request.method in _REFUSED_ANYWAY:
        return None
    return before + 1 if request.target else _ENOUGH


def _said(error: Message) -> bytes:
    try:
        return orjson.dumps([error.error_message, error.error_data])
    except TypeError:
        return b""
