"""The call of this process that has caused a received message, where that carries no context.

Servers that are not traced carry none. What they ask and tell while they work on a call is a part
of it all the same, or a sampling would be in another trace than the tool that asked for it.
"""

from collections.abc import Iterable
from typing import Final

from relayscope.instrumentation.traffic.calls import Call, OpenCalls
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.message import ID_TYPES, Message

_PROGRESS: Final = "notifications/progress"
_TOKEN: Final = "progressToken"  # noqa: S105  # MCP's word for what names a call

_ASKED_FOR_A_CALL: Final = frozenset({"elicitation/create", "sampling/createMessage"})
"""Requests that servers make only while they work on one of these. `roots/list` is none: it is
also asked when a session begins."""

_CAUSES: Final = frozenset(
    {"completion/complete", "prompts/get", "resources/read", "tasks/result", "tools/call"}
)

_MOST: Final = 256
"""Open calls that are looked through for one message: a peer decides how often that is done."""


def causing_call(message: Message, channel: Channel) -> Call | None:
    """Return the call made on a channel of which a received message is a part, if that is certain.

    Progress names it. In the response to an HTTP request is only what belongs to that request (MCP
    2025-06-18, basic/transports). On a pipe or WebSocket, nothing says which call a server asks
    for: then it must be the only one.
    """
    if message.method == _PROGRESS:
        return _with_token(message.params.get(_TOKEN), channel.sent)
    if channel.responding_to:
        return channel.sent.get(channel.responding_to[0])
    if message.method in _ASKED_FOR_A_CALL:
        return _only(channel.sent)
    return None


def _with_token(token: object, calls: OpenCalls) -> Call | None:
    if type(token) not in ID_TYPES:
        return None
    # Both SDKs take the request's id for its token.
    own = calls.get(token)  # type: ignore[arg-type]  # one of the types of ids
    if own is not None and own.request.progress_token == token:
        return own
    return next((call for call in _few(calls) if call.request.progress_token == token), None)


def _only(calls: OpenCalls) -> Call | None:
    """Return the one open call for which a server may ask something; None of several."""
    found: Call | None = None
    for call in _few(calls):
        if call.request.method in _CAUSES:
            if found is not None:
                return None
            found = call
    return found


def _few(calls: OpenCalls) -> Iterable[Call]:
    """The open calls; none where they are too many to be looked through."""
    return calls if len(calls) <= _MOST else ()
