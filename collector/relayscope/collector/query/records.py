"""Records of a trace as they are read: spans, and log records that are messages or not.

Every value may be anything: attributes come from strangers, so a message's `direction` is whatever
was said, and `text_of` makes text of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from relayscope.conventions.attributes import (
    CHANNEL_ID,
    CHANNEL_SEQUENCE,
    ERROR_TYPE,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_ODD,
    MESSAGE_SIZE,
    PEER,
    RPC_METHOD,
    RPC_RESPONSE_STATUS_CODE,
)

ODD_FROM: Final = 13
"""The severity WARN, by which the view `odd_messages` tells what is odd."""


@dataclass(frozen=True, slots=True)
class Span:
    """One span. Times are ns since 1970."""

    span_id: str
    parent_span_id: str | None
    component: str
    name: str
    kind: str
    start: int
    end: int
    status: str
    status_message: str | None
    attributes: dict[str, Any]
    events: tuple[SpanEvent, ...] = ()
    links: tuple[dict[str, Any], ...] = ()

    @property
    def error_type(self) -> str | None:
        """The error as OpenTelemetry names it: `error.type`."""
        return text_of(self.attributes.get(ERROR_TYPE))

    @property
    def failed(self) -> bool:
        """True if it says that it failed, in either of the two ways to say so."""
        return self.status == "error" or self.error_type is not None


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened during a span, at ns since 1970."""

    time: int
    name: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One log record. Times are ns since 1970.

    `body` may be only the start of the text; `body_length` (characters) and `body_digest` (SHA-256)
    are those of all of it.
    """

    span_id: str | None
    component: str
    time: int
    event_name: str | None
    severity_number: int
    severity_text: str | None
    body: str | None
    body_length: int
    body_digest: bytes
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message(Record):
    """A log record that is a message which crossed a channel, in the words of the message log.

    The fields are read out of its attributes once: a view asks for each of them a dozen times.

    Attributes:
        direction: `sent` or `received`, by the component that recorded it.
        kind: `request`, `notification`, `result`, `error`, `batch` or `unparsable`.
        request_id: The JSON-RPC id, as text.
        channel: The id of the component's connection.
        odd: A mark of what is odd about it, if anything.
    """

    direction: str | None = field(init=False, repr=False, compare=False)
    kind: str | None = field(init=False, repr=False, compare=False)
    request_id: str | None = field(init=False, repr=False, compare=False)
    channel: str | None = field(init=False, repr=False, compare=False)
    odd: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read them."""
        said = self.attributes.get
        put = object.__setattr__
        put(self, "direction", text_of(said(MESSAGE_DIRECTION)))
        put(self, "kind", text_of(said(MESSAGE_KIND)))
        put(self, "request_id", text_of(said(JSONRPC_REQUEST_ID)))
        put(self, "channel", text_of(said(CHANNEL_ID)))
        put(self, "odd", text_of(said(MESSAGE_ODD)))

    @property
    def is_odd(self) -> bool:
        """True if it counts as odd, in lists and sums as well: a method of one's own does not.

        Such a method is marked, but has not the severity of what a healthy pair would not send.
        """
        return self.odd is not None and self.severity_number >= ODD_FROM

    @property
    def is_answer(self) -> bool:
        """True if it ends a call."""
        return self.kind in ("result", "error")

    @property
    def method(self) -> str | None:
        """The method; on an answer, that of its request."""
        return text_of(self.attributes.get(MCP_METHOD_NAME)) or text_of(
            self.attributes.get(RPC_METHOD)
        )

    @property
    def size(self) -> int:
        """Bytes on the wire, or what comes closest to it."""
        size = self.attributes.get(MESSAGE_SIZE)
        return size if isinstance(size, int) and not isinstance(size, bool) else self.body_length

    @property
    def sequence(self) -> int:
        """Its place on that connection."""
        sequence = self.attributes.get(CHANNEL_SEQUENCE)
        return sequence if isinstance(sequence, int) else 0

    @property
    def message_id(self) -> str | None:
        """Its id: its channel, and its place there."""
        if self.channel is None:
            return None
        return f"{self.channel}/{self.sequence}"

    @property
    def tool(self) -> str | None:
        """The tool, of a call of one and of its answer."""
        return text_of(self.attributes.get(GEN_AI_TOOL_NAME))

    @property
    def peer(self) -> str | None:
        """The peer at the other end of the connection."""
        return text_of(self.attributes.get(PEER))

    @property
    def error_code(self) -> str | None:
        """The JSON-RPC error code, as text."""
        return text_of(self.attributes.get(RPC_RESPONSE_STATUS_CODE))


def text_of(value: object) -> str | None:
    """An attribute's value as text."""
    return value if value is None or isinstance(value, str) else str(value)


def whole_number(text: str | None) -> int | None:
    """The number that a text is, if it is a whole one of up to 18 digits, as in the views."""
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,18}", text) else None
