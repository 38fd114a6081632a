"""Calls that have no answer, and the time at which their makers stopped waiting.

No peer says on the wire that it no longer waits, unless it sends `notifications/cancelled`. Two
things are seen here: a read that was cancelled or timed out, after which the next request is sent;
and an error that answers the request for which a call was made. Then the call is over, and its
answer is late if it comes. Anything less is only noted (`Call.left`): a read that is cancelled may
be tried again, and a peer that answers with a result may still use what it asked for. If no answer
comes until the channel closes, the call ended at the time noted.
"""

from time import time_ns
from typing import Final

from opentelemetry.trace import Span, SpanKind

from relayscope.conventions.attributes import (
    ERROR_ANSWERED_ABOVE,
    ERROR_CANCELLED,
    ERROR_STOPPED_READING,
    ERROR_TIMEOUT,
    ERROR_TYPE,
    ERROR_UNANSWERED,
)

from .context.parents import Parents
from .recording.semconv import Outcome
from .recording.spans import Spans
from .traffic.calls import Call, Left, OpenCalls
from .traffic.channel import Channel
from .traffic.crossing import Crossing
from .traffic.level import Level
from .traffic.levels import Direction
from .traffic.message import Kind, Message

_LONG_LIVED: Final = frozenset({"subscriptions/listen"})
"""Methods of requests that stay open for as long as their channel."""


class Unanswered:
    """Ends calls without an answer.

    Attributes:
        below: Open calls that were made for something, by the id of its span.
    """

    def __init__(self, spans: Spans, parents: Parents) -> None:
        self._spans = spans
        self._parents = parents
        self.below: dict[int, dict[Call, Channel]] = {}

    def remember(self, channel: Channel, call: Call) -> None:
        """Remember a call that is made here, if it is made for something."""
        parent = getattr(call.span, "parent", None)
        if parent is not None:
            call.parent_id = parent.span_id
            self.below.setdefault(call.parent_id, {})[call] = channel

    def forget(self, call: Call) -> None:
        """Forget a call: it is over."""
        calls = self.below.get(call.parent_id)
        if calls is not None:
            calls.pop(call, None)
            if not calls:
                # Another thread may have done it.
                self.below.pop(call.parent_id, None)

    def end(
        self,
        channel: Channel,
        call: Call,
        kind: SpanKind,
        error_type: str,
        description: str = "",
    ) -> None:
        """End a call that has no answer, at the time at which it was left if that was seen.

        If its answer may have crossed unseen, its span says no more than that it was made.
        """
        if call.is_unseen:
            self._end_unseen(call)
            return
        channel.unanswered += error_type != ERROR_CANCELLED
        if call.parent_id:
            self.forget(call)
        ended = time_ns()
        if call.left is not None and error_type == ERROR_UNANSWERED:
            ended, error_type = call.left
        if call.refusal is not None and error_type != ERROR_CANCELLED:
            error_type, description = call.refusal
        if call.level is not Level.OFF and not call.is_over:
            outcome = Outcome({ERROR_TYPE: error_type}, failed=True, description=description)
            if error_type == ERROR_CANCELLED and call.request.method in _LONG_LIVED:
                # Who listens has no other way to say that it has heard enough.
                outcome = Outcome({}, failed=False)
            self._spans.conclude(channel, call, kind, outcome, ended)
            if not call.is_over:
                call.span.end(ended)
                call.is_over = True
        if kind is SpanKind.SERVER:
            self._leave_below(call.span, Left(ended, error_type))

    def _end_unseen(self, call: Call) -> None:
        if call.parent_id:
            self.forget(call)
        if call.level is not Level.OFF and not call.is_over:
            call.span.end()
            call.is_over = True

    def give_up(
        self,
        channel: Channel,
        message: Message,
        direction: Direction,
        error_type: str,
        description: str,
    ) -> None:
        """End the call of a request that crossed in a direction, if it is still open."""
        if message.kind is not Kind.REQUEST or message.id is None:
            return
        calls, kind = _calls(channel, direction)
        call = calls.give_up(message.id)
        if call is not None:
            self._parents.forget(call)
            self.end(channel, call, kind, error_type, description)

    def give_up_all(self, channel: Channel) -> None:
        """End every call that is still open on a channel."""
        for direction in Direction:
            calls, kind = _calls(channel, direction)
            for call in calls.drain():
                self._parents.forget(call)
                self.end(channel, call, kind, ERROR_UNANSWERED)

    def time_out(self, channel: Channel, latest: int) -> None:
        """End the calls of a channel that were made before a time, in ns since the epoch."""
        for direction in Direction:
            calls, kind = _calls(channel, direction)
            for call in list(calls.older_than(latest)):
                identifier = call.request.id
                if identifier is not None and call.request.method not in _LONG_LIVED:
                    calls.give_up(identifier)
                    self._parents.forget(call)
                    self.end(channel, call, kind, ERROR_TIMEOUT)

    def answered_above(self, crossing: Crossing, span: Span) -> None:
        """End the calls that were made for a request that is answered now, with an error."""
        answer = crossing.message
        if answer.kind is not Kind.ERROR and not answer.is_tool_error:
            self._leave_below(span, Left(crossing.time, ERROR_ANSWERED_ABOVE))
            return
        calls = self.below.pop(span.get_span_context().span_id, {})
        for call, channel in list(calls.items()):
            if call.left is None:
                call.left = Left(crossing.time, ERROR_ANSWERED_ABOVE)
            self._give_up(channel, call)

    def stopped_reading(self, channel: Channel) -> None:
        """Note that the answers to a channel's open calls are not read any more."""
        channel.reader_left = True
        left = Left(time_ns(), ERROR_STOPPED_READING)
        for call in channel.sent:
            call.left = left

    def asked_again(self, channel: Channel) -> None:
        """End the calls whose answers are not read any more: the next request is sent."""
        for call in list(channel.sent):
            if call.left is not None:
                self._give_up(channel, call)

    def _leave_below(self, span: Span, left: Left) -> None:
        """Note that what was called for a request is not waited for, for what ended the request."""
        # A copy: another thread may open and close calls meanwhile.
        for call in list(self.below.get(span.get_span_context().span_id, ())):
            if call.left is None:
                call.left = left

    def _give_up(self, channel: Channel, call: Call) -> None:
        if channel.sent.give_up_call(call):
            self._parents.forget(call)
            self.end(channel, call, SpanKind.CLIENT, ERROR_UNANSWERED)


def _calls(channel: Channel, direction: Direction) -> tuple[OpenCalls, SpanKind]:
    """Return the calls whose requests crossed in a direction, and the kind of their spans."""
    if direction is Direction.SENT:
        return channel.sent, SpanKind.CLIENT
    return channel.received, SpanKind.SERVER
