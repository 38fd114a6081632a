"""Answers that have the id of no open request."""

from typing import Final, NamedTuple

from relayscope.conventions.odd_traffic import OddTraffic

from .calls import Call, OpenCalls
from .channel import Channel
from .message import Kind, Message, RequestId

_WITHOUT_ID: Final = frozenset({-32700, -32600})
"""Parse error, invalid request: errors that may have no id, because it could not be read."""

SDK_NO_ID: Final = "server-error"
"""The id with which the `mcp` SDK 1.x refuses what it has not read, as of an unknown session."""

_REQUEST_CANCELLED: Final = -32800
"""With this code the `mcp` SDK 2.x says over HTTP that it has cancelled what it was told to."""

NO_ID: Final = (None, SDK_NO_ID)
"""Ids of errors that answer a request which was not read: of JSON-RPC, and of the `mcp` SDK 1.x."""


class UnmatchedAnswer(NamedTuple):
    """The verdict on an answer that has the id of no open request.

    Attributes:
        odd: Its mark, if it has one.
        call: The call that it belongs to, if any.
        is_taken: True if it closes that call all the same.
    """

    odd: OddTraffic | None
    call: Call | None = None
    is_taken: bool = False


_ANSWER_TO_NOTIFICATION: Final = UnmatchedAnswer(OddTraffic.ANSWER_TO_NOTIFICATION)
_ID_TYPE: Final = UnmatchedAnswer(OddTraffic.ID_TYPE)
_ORPHAN: Final = UnmatchedAnswer(OddTraffic.ORPHAN_ANSWER)
_REFUSAL: Final = UnmatchedAnswer(None)


def unmatched_answer(channel: Channel, answer: Message, calls: OpenCalls) -> UnmatchedAnswer:
    """Return what an answer is that has the id of none of these calls."""
    if answer.has_strange_id:
        return _ID_TYPE
    if answer.id in NO_ID:
        return _without_id(channel, answer, calls)
    late = calls.take_given_up(answer.id)
    if late is not None:
        confirmed = answer.error_code == _REQUEST_CANCELLED
        return UnmatchedAnswer(None if confirmed else OddTraffic.LATE_ANSWER, late)
    alike = calls.alike(answer.id)
    if alike is None:
        return _ORPHAN
    if channel.takes_strings and alike.request.id is not None:
        return UnmatchedAnswer(OddTraffic.ID_TYPE, calls.take(alike.request.id), is_taken=True)
    return UnmatchedAnswer(OddTraffic.ID_TYPE, alike)


def _without_id(channel: Channel, answer: Message, calls: OpenCalls) -> UnmatchedAnswer:
    if channel.responding_to is not None and answer.kind is Kind.ERROR:
        return _refusal(channel.responding_to, calls)
    if answer.error_code not in _WITHOUT_ID and calls.notifications and answer.id is None:
        calls.notifications -= 1
        return _ANSWER_TO_NOTIFICATION
    return _ORPHAN


def _refusal(refused: tuple[RequestId, ...], calls: OpenCalls) -> UnmatchedAnswer:
    """Return what an error without an id is in the response to the HTTP request that it refuses.

    Of a batch it answers the first request; the response's status ends the calls of the others.
    """
    if not refused:
        return _REFUSAL
    for identifier in refused:
        call = calls.take(identifier)
        if call is not None:
            return UnmatchedAnswer(None, call, is_taken=True)
    late = calls.take_given_up(refused[0])
    return _ORPHAN if late is None else UnmatchedAnswer(OddTraffic.LATE_ANSWER, late)
