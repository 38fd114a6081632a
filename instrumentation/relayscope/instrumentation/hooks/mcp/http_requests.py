"""The fate of the HTTP requests in which a session's messages go to a server.

The SDK tells a session only that no answer came. The hook of the HTTP client sees the reason.
"""

from collections import deque
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry.trace import set_span_in_context

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.calls import Call, Refusal
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.crossing import Crossing
from relayscope.instrumentation.traffic.levels import Direction
from relayscope.instrumentation.traffic.message import Message, RequestId

_SENT: Final = Direction.SENT
_MOST_UNDERWAY: Final = 256
"""Requests whose positions on the channel are remembered: more are rarely sent at a time."""


class HttpRequests:
    """The requests of one session. Nothing here raises."""

    def __init__(self, exchange: Exchange, channel: Channel) -> None:
        self._exchange = exchange
        self._channel = channel
        self._sequences: deque[tuple[RequestId | None, int]] = deque(maxlen=_MOST_UNDERWAY)

    def sent(self, crossing: Crossing) -> None:
        """Remember the position of a request that is recorded."""
        if crossing.message.id is not None:
            self._sequences.append((crossing.message.id, crossing.sequence))

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
        self._not_sent(calls, error)

    @shielded
    def not_sent(self, body: bytes, error: BaseException) -> None:
        """Record that a message did not go out."""
        self._not_sent(self._calls(body), error)

    def _not_sent(self, calls: list[tuple[Message, Call]], error: BaseException) -> None:
        sequences = dict(self._sequences)
        for message, call in calls:
            crossing = Crossing(
                self._channel,
                _SENT,
                message,
                call.level,
                span=call.span,
                sequence=sequences.get(message.id, 0),
            )
            self._exchange.send_failed(crossing, error)

    @shielded
    def failed(self, body: bytes, error: BaseException) -> None:
        """Record that the connection broke before a response came."""
        error_type = type(error).__name__
        description = f"{error_type}: {error}" if str(error) else error_type
        for message, _ in self._calls(body):
            self._exchange.give_up(self._channel, message, _SENT, error_type, description)

    @shielded
    def refused(self, body: bytes, status: int) -> None:
        """Note the status of a response. It may have an answer all the same."""
        for _, call in self._calls(body):
            call.refusal = Refusal(str(status), f"the response had the HTTP status {status}")

    def _calls(self, body: bytes) -> list[tuple[Message, Call]]:
        """Return the requests in a body whose calls are open."""
        message = Message.of_text(body)
        return [
            (part, call)
            for part in message.parts or (message,)
            if part.method and part.id is not None and (call := self._channel.sent.get(part.id))
        ]
