"""The exchange: pairs answers with requests and decides which span a message belongs to.

A hook sees one message and asks the exchange for its `Crossing`: the span that it belongs to, and
the trace context to carry along. Then it has the exact text recorded that goes over the wire, and
passes the message on.

The initiator of a message makes a CLIENT span, its receiver a SERVER span, whichever of both is
the MCP client (MCP conventions, "Spans"). A span begins with the request and ends with its answer;
a notification's span is a moment.
"""

from collections.abc import Callable
from functools import partial
from time import time_ns
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, SpanKind

from relayscope.conventions.attributes import (
    ERROR_CANCELLED,
    ERROR_CROWDED_OUT,
    ERROR_UNANSWERED,
)
from relayscope.conventions.odd_traffic import OddTraffic

from .context import batches, cancellation, current_span
from .context.injection import Injection
from .context.parents import Parents
from .fast.carrier import Carriers
from .recording import semconv
from .recording.channel_log import ChannelLog
from .recording.message_log import MessageLog
from .recording.spans import Spans
from .runtime.timer import Timer
from .traffic.call_seconds import CALL_SECONDS
from .traffic.calls import Call, OpenCalls, Refusal
from .traffic.channel import Channel
from .traffic.channel_close import UNKNOWN_CLOSE, ChannelClose
from .traffic.crossing import Crossing, Recorded
from .traffic.level import Level
from .traffic.levels import Direction, Levels
from .traffic.mcp_methods import odd_method
from .traffic.message import ANSWERS, ID_TYPES, Kind, Message
from .traffic.unmatched_answer import unmatched_answer
from .unanswered_calls import Unanswered

# Looked up once: see `traffic/level.py`.
_RECEIVED: Final = Direction.RECEIVED
_SENT: Final = Direction.SENT
_BATCH: Final = Kind.BATCH
_UNPARSABLE: Final = Kind.UNPARSABLE
_DEBUG: Final = Level.DEBUG
_INFO: Final = Level.INFO
_OFF: Final = Level.OFF
_CLIENT: Final = SpanKind.CLIENT
_SERVER: Final = SpanKind.SERVER

_SWEEP_NANOSECONDS: Final = 1_000_000_000


class Exchange:
    """The exchange of one process, shared by all its hooks.

    Attributes:
        levels: The capture levels from now on; may be set at any time.
        spans: Makes its spans.
        log: Makes the log records of its messages.
        channel_log: Makes the log records of its channels.
    """

    def __init__(
        self,
        spans: Spans,
        log: MessageLog,
        channel_log: ChannelLog,
        levels: Levels,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self.levels = levels
        self.spans = spans
        self.log = log
        self.channel_log = channel_log
        self._call_nanoseconds = int(call_seconds * 1e9)
        self._parents = Parents()
        self._unanswered = Unanswered(spans, self._parents)
        self._carriers = Carriers()
        self._injection = Injection()
        self._channels: set[Channel] = set()
        self._next_sweep = 0
        self._timer: Timer | None = None
        self._steer: Callable[[], object] = _nothing

    def watch_itself(self) -> None:
        """End calls that have waited for too long also where nothing crosses any more."""
        self._timer = Timer(self._look, self._call_nanoseconds / 1e9)

    def follow(self, steer: Callable[[], object]) -> None:
        """Let its levels be looked after, once a second while there is traffic."""
        self._steer = steer

    def look_at(self, now: int) -> None:
        """Sweep once a second while there is traffic."""
        if now > self._next_sweep:
            self.sweep()

    def is_off(self, channel: Channel, direction: Direction) -> bool:
        """Return whether nothing at all is recorded of a channel's messages in a direction."""
        return channel.gate(self.levels, direction) is _OFF

    def sending(self, channel: Channel, message: Message) -> Crossing:
        """Return the crossing of a message that this process is about to send."""
        crossing = self._crossing(channel, message, _SENT)
        if message.kind is _BATCH:
            parent_of = partial(self._parents.of_sent, channel=channel)
            batches.start(crossing, _CLIENT, self.spans.start, parent_of)
            parts = (batches.part(crossing, part, self.levels) for part in message.parts)
            crossing.parts = [self._sending(part) for part in parts]
            batches.settle(crossing)
            return crossing
        return self._sending(crossing)

    def received(
        self, channel: Channel, message: Message, around: Context | None = None
    ) -> Crossing:
        """Return the crossing of a message that has arrived.

        Where it is a request or a notification, the hook makes `crossing.span` current for the
        code that handles it.

        Args:
            channel: The channel on which it arrived.
            message: The message.
            around: Context from the transport, such as an HTTP request's header. The message's own
                context comes first, and then links to this one.
        """
        crossing = self._crossing(channel, message, _RECEIVED)
        if message.kind is _BATCH:
            parent_of = partial(self._parents.of_received_batch, channel=channel, around=around)
            batches.start(crossing, _SERVER, self.spans.start, parent_of)
            parts = (batches.part(crossing, part, self.levels) for part in message.parts)
            crossing.parts = [self._received(part, around) for part in parts]
            batches.settle(crossing)
            return crossing
        return self._received(crossing, around)

    def record(self, crossing: Crossing, text: Recorded) -> None:
        """Record with which exact text a message crosses.

        The hook calls this before it passes the message on: a message that a peer has seen is then
        on this machine's disk, whatever becomes of this process. A channel's text counts only from
        its first JSON-RPC message on: a process may use the same library for other things.
        """
        channel = crossing.channel
        if channel.speaks_jsonrpc:
            crossing.sequence = channel.next_sequence(crossing.direction)
            # A call less for all messages of which there is no record.
            if crossing.level <= _DEBUG or crossing.odd is not None:
                self.log.emit(crossing, text)
        if crossing.ends_span:
            crossing.span.end()
        for part in crossing.parts:
            if part.ends_span:
                part.span.end()

    def connect_failed(self, channel: Channel, started: int, error: BaseException) -> None:
        """Record that a connection could not be made.

        Args:
            channel: The connection that would have been.
            started: Time of the attempt, in nanoseconds since the epoch.
            error: The reason.
        """
        if not self.is_off(channel, _SENT):
            self.spans.connect_failed(channel, started, error)

    def send_failed(self, crossing: Crossing, error: BaseException) -> None:
        """Record that a message, of which there is a record, could not be sent after all."""
        self.channel_log.send_failed(crossing, error)
        error_type = type(error).__name__
        for part in (crossing, *crossing.parts):
            self.give_up(
                part.channel, part.message, part.direction, error_type, "the message was not sent"
            )

    def refused(self, crossing: Crossing, refusal: Refusal) -> None:
        """Record that the peer refused a message, of which there is a record and no call."""
        self.channel_log.refused(crossing, refusal)

    def give_up(
        self,
        channel: Channel,
        message: Message,
        direction: Direction,
        error_type: str,
        description: str = "",
    ) -> None:
        """End the call of a request whose answer can no longer come, if it is still open."""
        self._unanswered.give_up(channel, message, direction, error_type, description)

    def stopped_reading(self, channel: Channel) -> None:
        """Say that a read, in which an answer may have been waited for, was cancelled."""
        self._unanswered.stopped_reading(channel)

    def give_up_all(self, channel: Channel) -> None:
        """End every call that is still open on a channel: its answer can no longer come."""
        self._unanswered.give_up_all(channel)

    def close(self, channel: Channel, channel_close: ChannelClose = UNKNOWN_CLOSE) -> None:
        """Say that nothing more will cross a channel, and how it has ended."""
        if channel not in self._channels:
            return
        self._channels.discard(channel)
        self.give_up_all(channel)
        self.spans.session_over(channel)
        if channel.is_announced and not channel.is_over:
            channel.is_over = True
            self.channel_log.closed(channel, self.levels, channel_close)

    def close_all(self) -> None:
        """End every open call, because the process is about to exit."""
        for channel in list(self._channels):
            self.close(channel)

    def sweep(self) -> None:
        """End calls that have waited for too long: once a second, or when the timer says so."""
        now = time_ns()
        self._next_sweep = now + _SWEEP_NANOSECONDS
        self._steer()
        for channel in list(self._channels):
            self._unanswered.time_out(channel, now - self._call_nanoseconds)

    def _look(self) -> bool:
        """Sweep; return whether any call is open."""
        self.sweep()
        return any(channel.sent or channel.received for channel in list(self._channels))

    def _crossing(self, channel: Channel, message: Message, direction: Direction) -> Crossing:
        self._channels.add(channel)
        unparsable = message.kind is _UNPARSABLE
        channel.speaks_jsonrpc |= not unparsable
        if not channel.is_announced and channel.speaks_jsonrpc and channel.is_connection:
            channel.is_announced = True
            self.channel_log.opened(channel, self.levels)
        level = channel.level_of(self.levels, direction, message.method, message.target)
        crossing = Crossing(channel, direction, message, level)
        if unparsable:
            crossing.odd = OddTraffic.NOT_JSONRPC if message.is_json else OddTraffic.UNPARSABLE
        if crossing.time > self._next_sweep:
            self.sweep()
            # The levels may be others now, and the first message under them may be the only one.
            crossing.level = channel.level_of(
                self.levels, direction, message.method, message.target
            )
        return crossing

    def _sending(self, crossing: Crossing) -> Crossing:
        channel, message = crossing.channel, crossing.message
        if message.method:
            if crossing.level is not _OFF:
                crossing.odd = odd_method(channel, crossing.direction, message)
            if crossing.level <= _INFO:
                parent = self._parents.of_sent(message, channel)
                if crossing.batch is not INVALID_SPAN:
                    parent = batches.parent_in(crossing.batch, parent)
                if message.method == cancellation.CANCELLED:
                    parent = cancellation.of_sent(message, channel.sent, parent)
                crossing.span = self.spans.start(crossing, _CLIENT, parent)
                if self._injection.is_allowed(channel.peer, message) and self.levels.injects(
                    channel.peer
                ):
                    crossing.carrier = self._carriers.of(crossing.span)
            if channel.reader_left and message.id is not None and message.method != "ping":
                self._unanswered.asked_again(channel)
            self._open(crossing, channel.sent, _CLIENT)
        elif message.kind in ANSWERS:
            self._pair(crossing, channel.received, _SERVER)
            if crossing.span is not INVALID_SPAN:
                current_span.leave(crossing.span)
        return crossing

    def _received(self, crossing: Crossing, around: Context | None) -> Crossing:
        channel, message = crossing.channel, crossing.message
        if message.method:
            if crossing.level is not _OFF:
                crossing.odd = odd_method(channel, crossing.direction, message)
            if crossing.level <= _INFO:
                parent, links = self._parents.of_received(message, channel, around)
                if crossing.batch is not INVALID_SPAN:
                    parent = batches.parent_in(crossing.batch, parent)
                if message.method == cancellation.CANCELLED:
                    parent = cancellation.of_received(message, channel.received, parent)
                crossing.span = self.spans.start(crossing, _SERVER, parent, links)
                self._parents.remember(message, crossing.span, channel)
            self._open(crossing, channel.received, _SERVER)
        elif message.kind in ANSWERS:
            self._pair(crossing, channel.sent, _CLIENT)
        return crossing

    def _open(self, crossing: Crossing, calls: OpenCalls, kind: SpanKind) -> None:
        """Wait for the answer, if there will be one."""
        message, channel = crossing.message, crossing.channel
        if message.id is None:
            if message.has_strange_id and crossing.level is not _OFF:
                crossing.odd = OddTraffic.ID_TYPE
            calls.notifications += 1
            crossing.ends_span = True
            self.spans.measure(crossing, kind)
            if message.method == cancellation.CANCELLED:
                self._cancel(crossing, calls, kind)
            return
        if message.method == "initialize":
            channel.opened = (crossing.time, crossing.direction)
        call = Call(
            message.head(),
            message.target,
            crossing.span,
            crossing.level,
            crossing.time,
            carried=bool(crossing.carrier),
        )
        added = calls.add(message.id, call)
        if kind is _CLIENT:
            self._unanswered.remember(channel, call)
        if self._timer is not None and not self._timer.is_running:
            self._timer.start()
        for unseen in added.unseen:
            self._parents.forget(unseen)
            self._unanswered.end(channel, unseen, kind, ERROR_UNANSWERED)
        if added.id_reused and crossing.level is not _OFF:
            crossing.odd = OddTraffic.ID_REUSED
        if added.crowded_out is not None:
            self._parents.forget(added.crowded_out)
            self._unanswered.end(channel, added.crowded_out, kind, ERROR_CROWDED_OUT)

    def _pair(self, crossing: Crossing, calls: OpenCalls, kind: SpanKind) -> None:
        """Find the request that an answer answers, and with it the span that it ends."""
        answer, channel = crossing.message, crossing.channel
        # Whoever answers works for what it answers, also where another request has its id.
        working_for = current_span.span if kind is _SERVER else None
        call = calls.take(answer.id, working_for) if answer.id is not None else None
        if call is None:
            call = self._close_unmatched(crossing, calls)
            if call is None:
                return
        self._take_level(crossing, call)
        if call.level is _OFF:
            return
        if call.id_reused:
            crossing.odd = OddTraffic.ID_REUSED
        if kind is _SERVER:
            self._parents.forget(call)
            if self._unanswered.below:
                self._unanswered.answered_above(crossing, call.span)
        else:
            if call.parent_id:
                self._unanswered.forget(call)
            self._injection.answered(channel.peer, call, answer)
        if call.request.method == "initialize":
            channel.learn_handshake(answer.result)
        crossing.answers = call
        crossing.span = self.spans.conclude(channel, call, kind, semconv.outcome(kind, answer))
        crossing.ends_span = not call.is_over

    def _close_unmatched(self, crossing: Crossing, calls: OpenCalls) -> Call | None:
        """Mark an answer that has the id of no open request; return the call that it closes."""
        odd, call, is_taken = unmatched_answer(crossing.channel, crossing.message, calls)
        crossing.odd = odd
        if call is None or is_taken:
            return call
        self._take_level(crossing, call)
        crossing.answers, crossing.span = call, call.span
        return None

    def _take_level(self, crossing: Crossing, call: Call) -> None:
        """Give an answer the level that its request's method and target have."""
        if call.level is _OFF:
            crossing.level = _OFF
        else:
            crossing.level = crossing.channel.level_of(
                self.levels, crossing.direction, call.request.method, call.target
            )

    def _cancel(self, crossing: Crossing, calls: OpenCalls, kind: SpanKind) -> None:
        """Give up the call that its maker has cancelled."""
        identifier: Any = crossing.message.params.get("requestId")
        if type(identifier) not in ID_TYPES:
            return
        call = calls.give_up(identifier)
        if call is not None:
            # Not forgotten as a parent: it may be on its way through a thread's queue.
            self._unanswered.end(crossing.channel, call, kind, ERROR_CANCELLED)
        elif calls.alike(identifier) is not None and crossing.level is not _OFF:
            crossing.odd = OddTraffic.ID_TYPE


def _nothing() -> None:
    """Do nothing: the levels are not set from outside."""
