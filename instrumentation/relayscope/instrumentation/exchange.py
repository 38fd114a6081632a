"""The exchange: pairs answers with requests and decides which span a message belongs to.

A hook sees one message and asks the exchange for its `Crossing`: which span it belongs to, and
which trace context to carry along. Then it passes the message on and tells the crossing the exact
text that went over the wire.

The initiator of a message makes a CLIENT span, its receiver a SERVER span, whichever of both is
the MCP client (MCP conventions, "Spans"). A span begins with the request and ends with its answer;
a notification's span is a moment.
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from relayscope.sanitizer import Sanitizer

from . import ambient, conventions, names
from .channel import Call, Channel, OpenCalls
from .crossing import Crossing, Direction, OddTraffic, end_failed
from .level import Level
from .message import KNOWN_METHODS, Kind, Message
from .message_log import MessageLog


class _MetaGetter(Getter[Mapping[str, Any]]):
    """Reads `_meta`, in which a peer may put anything at all, for the propagators."""

    def get(self, carrier: Mapping[str, Any], key: str) -> list[str] | None:
        value = carrier.get(key)
        return [value] if isinstance(value, str) else None

    def keys(self, carrier: Mapping[str, Any]) -> list[str]:
        return list(carrier)


_META_GETTER = _MetaGetter()


class Exchange:
    """The exchange of one process, shared by all its hooks."""

    def __init__(self, tracer: Tracer, log: MessageLog, sanitizer: Sanitizer) -> None:
        self._tracer = tracer
        self._log = log
        self._sanitizer = sanitizer
        self._received_calls: dict[str, Call] = {}
        """Open received calls by the `traceparent` they came with."""
        self._channels: set[Channel] = set()

    def sending(self, channel: Channel, message: Message) -> Crossing:
        """Return the crossing of a message that this process is about to send."""
        crossing = self._crossing(channel, message, Direction.SENT)
        if message.is_answer:
            self._pair(crossing, channel.received, SpanKind.SERVER)
            ambient.leave(crossing.span)
        elif message.method:
            crossing.span = self._start(crossing, SpanKind.CLIENT, self._parent_of(message))
            if message.takes_meta and message.method in KNOWN_METHODS:
                crossing.carrier = _carrier_of(crossing.span)
            self._open(crossing, channel.sent)
        return crossing

    def received(self, channel: Channel, message: Message) -> Crossing:
        """Return the crossing of a message that has arrived.

        Where it is a request or a notification, the hook makes `crossing.span` current for the
        code that handles it.
        """
        crossing = self._crossing(channel, message, Direction.RECEIVED)
        if message.is_answer:
            self._pair(crossing, channel.sent, SpanKind.CLIENT)
        elif message.method:
            # An empty context: what the reading task did before is not this message's cause.
            parent = propagate.extract(message.meta, context=Context(), getter=_META_GETTER)
            crossing.span = self._start(crossing, SpanKind.SERVER, parent)
            call = self._open(crossing, channel.received)
            traceparent = message.meta.get("traceparent")
            if call is not None and isinstance(traceparent, str):
                call.traceparent = traceparent
                self._received_calls[traceparent] = call
        return crossing

    def connect_failed(self, channel: Channel, started: int, error: BaseException) -> None:
        """Record that a connection could not be made.

        Args:
            channel: The connection that would have been.
            started: When it was tried, in nanoseconds since the epoch.
            error: Why it failed.
        """
        attributes = conventions.channel_attributes(channel, SpanKind.CLIENT)
        span = self._tracer.start_span(
            names.SPAN_CONNECT, kind=SpanKind.CLIENT, attributes=attributes, start_time=started
        )
        end_failed(span, type(error).__name__, self._sanitizer.text(str(error)))

    def give_up(self, channel: Channel, message: Message, error_type: str) -> None:
        """End the call of a request whose answer can no longer come, if it is still open."""
        if message.kind is not Kind.REQUEST or message.id is None:
            return
        for calls in (channel.sent, channel.received):
            match = calls.take(message.id)
            if match is not None:
                self._received_calls.pop(match.call.traceparent, None)
                end_failed(match.call.span, error_type, "the exchange ended without an answer")

    def close(self, channel: Channel) -> None:
        """End every call that is still open on a channel: its answer can no longer come."""
        self._channels.discard(channel)
        for calls in (channel.sent, channel.received):
            for call in calls.drain():
                self._received_calls.pop(call.traceparent, None)
                end_failed(
                    call.span, names.ERROR_UNANSWERED, "the channel closed before the answer"
                )

    def close_all(self) -> None:
        """End every open call, because the process is about to exit."""
        for channel in list(self._channels):
            self.close(channel)

    def _crossing(self, channel: Channel, message: Message, direction: Direction) -> Crossing:
        self._channels.add(channel)
        unparsable = message.kind is Kind.UNPARSABLE
        channel.speaks_jsonrpc |= not unparsable
        return Crossing(
            channel=channel,
            direction=direction,
            message=message,
            log=self._log,
            attributes=conventions.message_attributes(message),
            odd=OddTraffic.UNPARSABLE if unparsable else None,
        )

    def _start(self, crossing: Crossing, kind: SpanKind, parent: Context) -> Span:
        if self._log.level > Level.INFO:
            return INVALID_SPAN
        message = crossing.message
        return self._tracer.start_span(
            conventions.span_name(message.method, conventions.target_of(message)),
            context=parent,
            kind=kind,
            start_time=crossing.time,
            attributes=self._sanitizer.attributes(
                crossing.attributes | conventions.channel_attributes(crossing.channel, kind)
            ),
        )

    def _open(self, crossing: Crossing, calls: OpenCalls) -> Call | None:
        """Wait for the answer, if there will be one."""
        message = crossing.message
        if message.id is None:
            crossing.ends_span = True
            return None
        call = Call(crossing.span, message.method, conventions.target_of(message))
        if calls.add(message.id, call):
            crossing.odd = OddTraffic.ID_REUSED
        return call

    def _pair(self, crossing: Crossing, calls: OpenCalls, kind: SpanKind) -> None:
        """Find the request that an answer answers, and with it the span that it ends."""
        answer = crossing.message
        # An error without an id answers nothing: peers send it in reply to notifications.
        match = calls.take(answer.id) if answer.id is not None else None
        if match is None:
            crossing.odd = OddTraffic.ORPHAN_ANSWER
            return
        call = match.call
        if match.id_reused:
            crossing.odd = OddTraffic.ID_REUSED
        self._received_calls.pop(call.traceparent, None)
        if call.method == "initialize":
            _learn_handshake(crossing.channel, answer)
        crossing.span = call.span
        crossing.ends_span = True
        crossing.attributes.update(conventions.method_attributes(call.method, call.target))
        conventions.set_outcome(call.span, kind, answer, self._sanitizer.text(answer.error_message))

    def _parent_of(self, message: Message) -> Context:
        """Return the context that a message sent from here is a part of.

        A relay may forward the `_meta` it received, `traceparent` and all. Left alone, that would
        make the backend a sibling of the relay; so it leads to the call that brought it. Any other
        `traceparent` was put there by the host's own tracing, and is the parent.
        """
        current = otel_context.get_current()
        traceparent = message.meta.get("traceparent")
        if not isinstance(traceparent, str):
            return current
        call = self._received_calls.get(traceparent)
        if call is None:
            return propagate.extract(message.meta, context=current, getter=_META_GETTER)
        here = get_current_span(current).get_span_context()
        if here.trace_id == call.span.get_span_context().trace_id:
            return current
        return set_span_in_context(call.span, current)


def _carrier_of(span: Span) -> dict[str, str]:
    """Return what the configured propagators say of `span`; nothing where there is no context."""
    carrier: dict[str, str] = {}
    if span.get_span_context().is_valid:
        propagate.inject(carrier, context=set_span_in_context(span))
    return carrier


def _learn_handshake(channel: Channel, answer: Message) -> None:
    if isinstance(answer.result, Mapping):
        version = answer.result.get("protocolVersion")
        if isinstance(version, str):
            channel.protocol_version = version
