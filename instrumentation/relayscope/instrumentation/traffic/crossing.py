"""One message on its way across a channel, and the span it belongs to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time_ns

from opentelemetry.trace import INVALID_SPAN, Span

from relayscope.conventions.odd_traffic import OddTraffic

from .calls import Call
from .channel import Channel
from .level import Level
from .levels import Direction
from .long_text import Text
from .message import Message

Recorded = Text | Callable[[], Text]
"""A message's text, or what makes it if the level asks for it: to render one takes an SDK 20 us."""


@dataclass(slots=True)
class Crossing:
    """One message on its way across a channel.

    Attributes:
        level: Its capture level.
        time: Time right before it is sent, or at which it has arrived; nanoseconds since the epoch.
        span: The span it belongs to; not recording where there is none.
        carrier: Entries to set in `params._meta` before it is sent; empty where nothing may change.
        answers: The call that it answers.
        ends_span: True if the span is over with this message.
        parts: The messages of a batch.
        batch: The span of the batch that it is in, if it is in one.
        sequence: Its position on the channel, once it is recorded.
    """

    channel: Channel
    direction: Direction
    message: Message
    level: Level
    time: int = field(default_factory=time_ns)
    span: Span = INVALID_SPAN
    carrier: Mapping[str, str] = field(default_factory=dict)
    odd: OddTraffic | None = None
    answers: Call | None = None
    ends_span: bool = False
    parts: Sequence["Crossing"] = ()
    batch: Span = INVALID_SPAN
    sequence: int = 0
