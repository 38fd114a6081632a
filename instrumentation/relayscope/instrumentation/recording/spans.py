"""The spans of messages: started with a request, concluded with what came of it."""

from collections.abc import Sequence
from time import time_ns
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer

from relayscope.conventions.attributes import (
    ERROR_TYPE,
    JSONRPC_REQUEST_ID,
    PROCESS_COMMAND_LINE,
)
from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.fast.span import SpanMaker
from relayscope.instrumentation.traffic.calls import Call
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.crossing import Crossing
from relayscope.instrumentation.traffic.level import Level
from relayscope.instrumentation.traffic.levels import Direction
from relayscope.instrumentation.traffic.message import KNOWN_METHODS, Message, id_text
from relayscope.sanitizer import Sanitizer, Value

from . import semconv
from .attribute_cache import AttributeCache, is_harmless
from .bounds import clean_name
from .command_line import clean_command_line
from .metrics import Durations
from .semconv import Outcome

# Looked up once: see `traffic/level.py`.
_SENT: Final = Direction.SENT
_OFF: Final = Level.OFF
_CLIENT: Final = SpanKind.CLIENT
_SERVER: Final = SpanKind.SERVER

_CONNECT: Final = "connect"
"""Name of the CLIENT span of a connection that could not be made."""


class Spans:
    """Makes spans, and measures what they span."""

    def __init__(self, tracer: Tracer, sanitizer: Sanitizer, durations: Durations) -> None:
        self._maker = SpanMaker(tracer)
        self._sanitizer = sanitizer
        self._durations = durations
        self._attribute_cache = AttributeCache(sanitizer)

    def start(
        self, crossing: Crossing, kind: SpanKind, parent: Context, links: Sequence[Link] = ()
    ) -> Span:
        """Start the span of a request or a notification."""
        message = crossing.message
        return self._maker.start_span(
            semconv.span_name(message.method or message.kind.value, message.target),
            parent,
            kind,
            self._clean_attributes(crossing.channel, message, kind),
            links,
            crossing.time,
        )

    def conclude(
        self,
        channel: Channel,
        call: Call,
        kind: SpanKind,
        outcome: Outcome,
        ended: int | None = None,
    ) -> Span:
        """Say what came of a call, and measure it; its span is left to be ended.

        Args:
            channel: The channel on which it was made.
            call: The call.
            kind: Of its span.
            outcome: Its outcome.
            ended: Time of its end, in nanoseconds since the epoch; None is now.

        Returns:
            The call's span. Where the level asks for failed calls only, it is made now if this one
            failed, and over at once.
        """
        span = call.span
        attributes = outcome.attributes
        if outcome.failed and not span.get_span_context().is_valid:
            span = self._maker.start_span(
                semconv.span_name(call.request.method, call.target),
                Context(),
                kind,
                self._clean_attributes(channel, call.request, kind),
                (),
                call.time,
            )
        if attributes:
            span.set_attributes(attributes)
        if outcome.failed:
            description = clean_name(self._sanitizer, outcome.description)
            span.set_status(StatusCode.ERROR, description or None)
        if span is not call.span:
            span.end(ended)
            call.span, call.is_over = span, True
        if self._durations.is_measuring and call.request.method in KNOWN_METHODS:
            measured = _attributes(channel, call.request, kind) | attributes
            self._durations.operation(kind, (ended or time_ns()) - call.time, measured)
        return span

    def measure(self, crossing: Crossing, kind: SpanKind) -> None:
        """Measure a notification, which is a moment."""
        is_measured = self._durations.is_measuring and crossing.level is not _OFF
        if is_measured and crossing.message.method in KNOWN_METHODS:
            attributes = _attributes(crossing.channel, crossing.message, kind)
            self._durations.operation(kind, 0, attributes)

    def session_over(self, channel: Channel) -> None:
        """Measure a session, if the channel was one."""
        if channel.opened is not None:
            opened, direction = channel.opened
            kind = _CLIENT if direction is _SENT else _SERVER
            attributes = semconv.channel_attributes(channel, kind)
            self._durations.session(kind, time_ns() - opened, attributes)
            channel.opened = None

    def connect_failed(self, channel: Channel, started: int, error: BaseException) -> None:
        """Make the span of a connection that could not be made, or a child that did not start."""
        attributes = semconv.channel_attributes(channel, _CLIENT)
        if channel.command_line:
            attributes[PROCESS_COMMAND_LINE] = clean_command_line(
                self._sanitizer, channel.command_line
            )
        span = self._maker.start_span(
            _CONNECT,
            current_span.context(),
            _CLIENT,
            self._sanitizer.attributes(attributes),
            (),
            started,
        )
        span.set_attribute(ERROR_TYPE, type(error).__name__)
        span.set_status(StatusCode.ERROR, clean_name(self._sanitizer, str(error)))
        span.end()

    def _clean_attributes(
        self, channel: Channel, message: Message, kind: SpanKind
    ) -> dict[str, Value]:
        """Return the sanitized attributes of a request's or notification's span."""
        cached = self._attribute_cache.of_span(channel, message, kind)
        if cached is None:
            return self._sanitizer.attributes(_attributes(channel, message, kind))
        identifier = message.id
        if identifier is not None:
            cached[JSONRPC_REQUEST_ID] = (
                str(identifier)
                if is_harmless(identifier)
                else self._sanitizer.text(id_text(identifier))
            )
        return cached


def _attributes(channel: Channel, message: Message, kind: SpanKind) -> dict[str, Value]:
    return semconv.message_attributes(message) | semconv.channel_attributes(channel, kind)
