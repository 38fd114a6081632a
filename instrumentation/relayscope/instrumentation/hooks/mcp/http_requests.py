"""The fate of the HTTP requests in which a session's messages go to a server.

The SDK tells a session only that no answer came, and of other messages nothing. The hook of the
HTTP client sees the reason.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    SpanContext,
    set_span_in_context,
)

from relayscope.conventions.attributes import NETWORK_PROTOCOL_NAME
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.calls import Call, Refusal
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.crossing import Crossing
from relayscope.instrumentation.traffic.level import Level
from relayscope.instrumentation.traffic.levels import Direction
from relayscope.instrumentation.traffic.message import Kind, Message

_SENT: Final = Direction.SENT
_MOST_UNDERWAY: Final = 256
"""Messages that are remembered on their way: more are rarely sent at a time."""


class _Sent(NamedTuple):
    """A message on its way: what tells it from others, and where its record is."""

    mark: tuple[object, ...]
    span: SpanContext
    level: Level
    sequence: int


class HttpRequests:
    """The requests of one session. Nothing here raises."""

    def __init__(self, exchange: Exchange, channel: Channel) -> None:
        self._exchange = exchange
        self._channel = channel
        self._sent: deque[_Sent] = deque(maxlen=_MOST_UNDERWAY)
        self._is_http = channel.transport.get(NETWORK_PROTOCOL_NAME) == "http"

    def sent(self, crossing: Crossing) -> None:
        """Remember a message that is recorded."""
        if not self._is_http:
            return
        mark = _mark(crossing.message, crossing.carrier or crossing.message.meta)
        context = crossing.span.get_span_context()
        self._sent.append(_Sent(mark, context, crossing.level, crossing.sequence))

    @shielded
    def not_opened(self, error: BaseException, started: int) -> None:
        """Record that the server, tried at `started` (ns since the epoch), let no session begin."""
        # Task groups wrap what was raised in them.
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, Exception):
            self._exchange.connect_failed(self._channel, started, error)

    @shielded
    def not_connected(self, body: bytes, error: BaseException, started: int) -> None:
        """Record that the server was not reached, below the call for which it was tried."""
        calls = self._calls(body)
        token = otel_context.attach(set_span_in_context(calls[0][1].span)) if calls else None
        try:
            self._exchange.connect_failed(self._channel, started, error)
        finally:
            if token is not None:
                otel_context.detach(token)
        self._not_sent(body, error)

    @shielded
    def not_sent(self, body: bytes, error: BaseException) -> None:
        """Record that a message did not go out."""
        self._not_sent(body, error)

    def _not_sent(self, body: bytes, error: BaseException) -> None:
        for crossing in self._crossings(body):
            self._exchange.send_failed(crossing, error)

    @shielded
    def failed(self, body: bytes, refusal: Refusal) -> None:
        """Record that no response came, or only a part of one."""
        for message, _ in self._calls(body):
            self._exchange.give_up(self._channel, message, _SENT, *refusal)

    @shielded
    def refused(self, body: bytes, refusal: Refusal) -> None:
        """Note what a response says. It may have an answer all the same."""
        for _, call in self._calls(body):
            call.refusal = refusal

    @shielded
    def refused_others(self, body: bytes, refusal: Refusal) -> None:
        """Record that messages were refused that have no answer, and so no call that has failed."""
        for crossing in self._crossings(body):
            if crossing.message.kind is not Kind.REQUEST:
                self._exchange.refused(crossing, refusal)

    def _calls(self, body: bytes) -> list[tuple[Message, Call]]:
        """Return the requests in a body whose calls are open."""
        return [
            (part, call)
            for part in _messages(body)
            if part.method and part.id is not None and (call := self._channel.sent.get(part.id))
        ]

    def _crossings(self, body: bytes) -> Iterator[Crossing]:
        """Go through the messages in a body that are recorded."""
        sent = {each.mark: each for each in self._sent}
        for message in _messages(body):
            its = sent.get(_mark(message, message.meta))
            if its is not None:
                span = NonRecordingSpan(its.span) if its.span.is_valid else INVALID_SPAN
                yield Crossing(
                    self._channel, _SENT, message, its.level, span=span, sequence=its.sequence
                )


def _messages(body: bytes) -> tuple[Message, ...]:
    message = Message.of_text(body)
    return message.parts or (message,)


def _mark(message: Message, carrier: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what tells a message from others of its session, as far as that goes."""
    # A peer's context may be anything, which a key of a dictionary may not.
    return message.kind, message.method, message.id, str(carrier.get("traceparent"))
