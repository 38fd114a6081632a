"""Calls that have no answer, and when whoever made them stopped waiting.

Nobody says on the wire that he no longer waits, unless he sends `notifications/cancelled`. What is
seen here: a read that was cancelled or timed out, after which the next request is sent; and that
the request for which a call was made is answered with an error. Then the call is over, and its
answer comes late if it comes. Anything less is kept in mind (`Call.left`): a read that is cancelled
may be tried again, and who answers well may still use what he asked for. If no answer comes until
the channel closes, that was the end.
"""

from collections.abc import Mapping
from time import time_ns

from opentelemetry.trace import Span, SpanKind

from relayscope.conventions.attributes import (
    ERROR_ANSWERED_ABOVE,
    ERROR_CANCELLED,
    ERROR_STOPPED_READING,
    ERROR_TYPE,
    ERROR_UNANSWERED,
)

from .context.parents import Parents
from .recording.semconv import Outcome
from .recording.spans import Spans
from .traffic.calls import Call, Left
from .traffic.channel import Channel
from .traffic.crossing import Crossing
from .traffic.level import Level
from .traffic.message import Kind

DESCRIPTIONS: Mapping[str, str] = {
    ERROR_STOPPED_READING: "whoever waited for the answer stopped reading",
    ERROR_ANSWERED_ABOVE: "the request that this was asked for was answered without it",
}
UNANSWERED = "the exchange ended without an answer"


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
        description: str = UNANSWERED,
    ) -> None:
        """End a call that has no answer, at the time at which it was left if that was seen."""
        channel.unanswered += error_type != ERROR_CANCELLED
        if call.parent_id:
            self.forget(call)
        ended = time_ns()
        if call.left is not None and error_type == ERROR_UNANSWERED:
            ended, error_type = call.left
            description = DESCRIPTIONS[error_type]
        if call.level is not Level.OFF and not call.is_over:
            outcome = Outcome({ERROR_TYPE: error_type}, failed=True, description=description)
            self._spans.conclude(channel, call, kind, outcome, ended)
            if not call.is_over:
                call.span.end(ended)
                call.is_over = True
        if kind is SpanKind.SERVER:
            self._leave_below(call.span, ended)

    def answered_above(self, crossing: Crossing, span: Span) -> None:
        """End what was called for a request that is answered now, with an error."""
        answer = crossing.message
        if answer.kind is not Kind.ERROR and not answer.is_tool_error:
            self._leave_below(span, crossing.time)
            return
        calls = self.below.pop(span.get_span_context().span_id, {})
        for call, channel in list(calls.items()):
            if call.left is None:
                call.left = Left(crossing.time, ERROR_ANSWERED_ABOVE)
            self._give_up(channel, call)

    def stopped_reading(self, channel: Channel) -> None:
        """Keep in mind that nobody reads the answers to what is open on a channel any more."""
        channel.reader_left = True
        left = Left(time_ns(), ERROR_STOPPED_READING)
        for call in channel.sent.newest_first():
            call.left = left

    def asked_again(self, channel: Channel) -> None:
        """End what nobody reads the answers of: the next request is sent, and nobody reads yet."""
        for call in list(channel.sent.newest_first()):
            if call.left is not None:
                self._give_up(channel, call)

    def _leave_below(self, span: Span, time: int) -> None:
        # A copy: another thread may open and close calls meanwhile.
        for call in list(self.below.get(span.get_span_context().span_id, ())):
            if call.left is None:
                call.left = Left(time, ERROR_ANSWERED_ABOVE)

    def _give_up(self, channel: Channel, call: Call) -> None:
        if channel.sent.give_up_call(call):
            self._parents.forget(call)
            self.end(channel, call, SpanKind.CLIENT, ERROR_UNANSWERED)
