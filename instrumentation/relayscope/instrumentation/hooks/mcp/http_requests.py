"""The fate of the HTTP requests in which a session's messages go to a server.

The SDK tells a session only that no answer came. The hook of the HTTP client sees the reason.
"""

from collections import deque
from collections.abc import Iterator
from time import time_ns
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
        spans = [call.span for _, call in self._calls(body)]
        token = otel_context.attach(set_span_in_context(spans[0])) if spans else None
        try:
            self._exchange.connect_failed(self._channel, started, error)
        finally:
            if token is not None:
                otel_context.detach(token)
        self.not_sent(body, error)

    @shielded
    def not_sent(self, body: bytes, error: BaseException) -> None:
        """Record that a message did not go out."""
        sequences = dict(self._sequences)
        for message, call in list(self._calls(body)):
            crossing = Crossing(
                self._channel, _SENT, message, call.level, time_ns(), call.span,
                sequence=sequences.get(message.id, 0),
            )  # fmt: skip
            self._exchange.send_failed(crossing, error)

    @shielded
    def failed(self, body: bytes, error: BaseException) -> None:
        """Record that the connection broke before a response came."""
        for message, _ in list(self._calls(body)):
            description = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            self._exchange.give_up(self._channel, message, _SENT, type(error).__name__, description)

    @shielded
    def refused(self, body: bytes, status: int) -> None:
        """Note the status of a response. It may have an answer all the same."""
        for _, call in self._calls(body):
            call.refusal = Refusal(str(status), f"the response had the HTTP status {status}")

    def _calls(self, body: bytes) -> Iterator[tuple[Message, Call]]:
        """Yield the requests in a body whose calls are open."""
        message = Message.of_text(body)
        for part in message.parts or (message,):
            call = self._channel.sent.get(part.id) if part.method and part.id is not None else None
            if call is not None:
                yield part, call
