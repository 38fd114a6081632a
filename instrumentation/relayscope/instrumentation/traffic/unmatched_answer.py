"""Answers that have the id of no open request."""

from typing import Final, NamedTuple

from relayscope.conventions.odd_traffic import OddTraffic

from .calls import Call, OpenCalls
from .channel import Channel
from .message import Message

_WITHOUT_ID: Final = frozenset({-32700, -32600})
"""Parse error, invalid request: errors that may have no id, because it could not be read."""


class UnmatchedAnswer(NamedTuple):
    """The verdict on an answer that has the id of no open request.

    Attributes:
        odd: Its mark.
        call: The call that it belongs to, if any.
        is_taken: True if it closes that call all the same.
    """

    odd: OddTraffic
    call: Call | None = None
    is_taken: bool = False


_ANSWER_TO_NOTIFICATION: Final = UnmatchedAnswer(OddTraffic.ANSWER_TO_NOTIFICATION)
_ID_TYPE: Final = UnmatchedAnswer(OddTraffic.ID_TYPE)
_ORPHAN: Final = UnmatchedAnswer(OddTraffic.ORPHAN_ANSWER)


def unmatched_answer(channel: Channel, answer: Message, calls: OpenCalls) -> UnmatchedAnswer:
    """Return what an answer is that has the id of none of these calls."""
    if answer.has_strange_id:
        return _ID_TYPE
    if answer.id is None:
        return _without_id(answer, calls)
    late = calls.take_given_up(answer.id)
    if late is not None:
        return UnmatchedAnswer(OddTraffic.LATE_ANSWER, late)
    alike = calls.alike(answer.id)
    if alike is None:
        return _ORPHAN
    if channel.takes_strings and alike.request.id is not None:
        return UnmatchedAnswer(OddTraffic.ID_TYPE, calls.take(alike.request.id), is_taken=True)
    return UnmatchedAnswer(OddTraffic.ID_TYPE, alike)


def _without_id(answer: Message, calls: OpenCalls) -> UnmatchedAnswer:
    if calls.notifications and answer.error_code not in _WITHOUT_ID:
        calls.notifications -= 1
        return _ANSWER_TO_NOTIFICATION
    return _ORPHAN
