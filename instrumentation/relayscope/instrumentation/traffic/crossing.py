"""One message on its way across a channel, and the span it belongs to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from time import time_ns

from opentelemetry.trace import INVALID_SPAN, Span

from .calls import Call
from .channel import Channel
from .level import Level
from .levels import Direction
from .long_text import Text
from .message import Message


class OddTraffic(StrEnum):
    """Marks of messages that a healthy pair of MCP peers would not have sent."""

    ORPHAN_ANSWER = "orphan_answer"
    """An answer whose id is null, absent, or was never that of a request."""
    ANSWER_TO_NOTIFICATION = "answer_to_notification"
    """An error without an id after a notification, which must not be answered."""
    LATE_ANSWER = "late_answer"
    """An answer to a request that was cancelled, or given up after its timeout."""
    ID_REUSED = "id_reused"
    """A request with the id of one still open, or an answer that is paired by order for it."""
    ID_TYPE = "id_type"
    """An answer to 35 whose id is "35", or the other way round, or an id that is none (`true`)."""
    UNPARSABLE = "unparsable"
    """Not a JSON-RPC message, on a channel that speaks JSON-RPC."""
    WRONG_SIDE = "wrong_side"
    """A request or notification that only the other side may send, seen from the handshake."""
    NOT_MCP = "not_mcp"
    """A JSON-RPC request or notification whose method MCP does not know."""


Recorded = Text | Callable[[], Text]
"""A message's text, or what makes it if the level asks for it: to render one takes an SDK 20 us."""


@dataclass(slots=True)
class Crossing:
    """One message on its way across a channel.

    Attributes:
        level: Its capture level.
        time: When it was about to be sent, or had arrived; nanoseconds since the epoch.
        span: The span it belongs to; not recording where there is none.
        carrier: Entries to set in `params._meta` before it is sent; empty where nothing may change.
        answers: The call that it answers.
        ends_span: Whether the span is over with this message.
        parts: The messages of a batch.
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
    sequence: int = 0
