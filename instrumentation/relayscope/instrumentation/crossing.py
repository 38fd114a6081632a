"""One message on its way across a channel, and the span it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from time import time_ns
from typing import Protocol

from opentelemetry.trace import INVALID_SPAN, Span, StatusCode

from relayscope.sanitizer import Value

from . import names
from .channel import Channel
from .message import Kind, Message


class Direction(StrEnum):
    """Which way a message crossed, seen from this process."""

    SENT = "sent"
    RECEIVED = "received"


class OddTraffic(StrEnum):
    """What a healthy pair of peers would not have sent."""

    ORPHAN_ANSWER = "orphan_answer"
    """An answer whose id is null, absent, or not that of an open request."""
    ID_REUSED = "id_reused"
    """A request with the id of one still open, or an answer that is paired by order for it."""
    UNPARSABLE = "unparsable"
    """Not a JSON-RPC message, on a channel that speaks JSON-RPC."""


class CrossingLog(Protocol):
    """What makes log records of crossings."""

    def emit(self, crossing: "Crossing", text: str) -> None:
        """Emit the log record of a message that crossed with exactly this text."""


@dataclass(slots=True)
class Crossing:
    """One message on its way across a channel.

    The hook passes the message on and then calls either `record` or `fail`, once.

    Attributes:
        time: When it was about to be sent, or had arrived; nanoseconds since the epoch.
        span: The span it belongs to; not recording where there is none.
        carrier: Entries to set in `params._meta` before it is sent; empty where nothing may change.
        ends_span: Whether the span is over with this message.
    """

    channel: Channel
    direction: Direction
    message: Message
    log: CrossingLog
    attributes: dict[str, Value]
    time: int = field(default_factory=time_ns)
    span: Span = INVALID_SPAN
    carrier: Mapping[str, str] = field(default_factory=dict)
    odd: OddTraffic | None = None
    ends_span: bool = False

    def record(self, text: str) -> None:
        """Say with which exact text the message crossed."""
        self.log.emit(self, text)
        if self.ends_span:
            self.span.end()

    def fail(self, error: BaseException) -> None:
        """Say that the message could not be sent."""
        if self.message.kind is Kind.REQUEST and self.message.id is not None:
            self.channel.sent.take(self.message.id)
        end_failed(self.span, type(error).__name__, "the message could not be sent")


def end_failed(span: Span, error_type: str, description: str) -> None:
    """End a span whose operation did not come to its answer."""
    span.set_attribute(names.ERROR_TYPE, error_type)
    span.set_status(StatusCode.ERROR, description)
    span.end()
