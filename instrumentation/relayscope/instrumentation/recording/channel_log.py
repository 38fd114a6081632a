"""The log records of channels: opened, closed, and a message that could not be sent.

They are events, at level INFO, and at WARN where something went wrong. A channel is told of from
its first JSON-RPC message on, because a process may use the same library for things that are none
of ours; the record of its opening carries the time at which it was first seen.
"""

from time import time_ns
from typing import Final

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

from relayscope.conventions.attributes import (
    CHANNEL_ID,
    CHANNEL_RECEIVED,
    CHANNEL_SENT,
    CHANNEL_SEQUENCE,
    CHANNEL_UNANSWERED,
    ERROR_TYPE,
    MCP_SESSION_ID,
    NETWORK_PROTOCOL_NAME,
    NETWORK_TRANSPORT,
    PEER,
    PROCESS_COMMAND_LINE,
)
from relayscope.conventions.events import (
    EVENT_CHANNEL_CLOSED,
    EVENT_CHANNEL_OPENED,
    EVENT_SEND_FAILED,
)
from relayscope.instrumentation.context.current_span import NOWHERE
from relayscope.instrumentation.traffic.calls import Refusal
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.channel_close import UNKNOWN_CLOSE, ChannelClose
from relayscope.instrumentation.traffic.crossing import Crossing
from relayscope.instrumentation.traffic.level import Level
from relayscope.instrumentation.traffic.levels import Direction, Levels
from relayscope.sanitizer import Sanitizer, Value

from .attribute_cache import record_attributes
from .body_limit import MARGIN
from .command_line import clean_command_line

_SEVERITY: Final = {Level.INFO: SeverityNumber.INFO, Level.WARN: SeverityNumber.WARN}

_LONGEST_TEXT: Final = 1024
"""Characters of a failure's description; an exception's text may hold the message."""


class ChannelLog:
    """Makes the log records of channels that their levels ask for."""

    def __init__(self, logger: Logger, sanitizer: Sanitizer) -> None:
        self._logger = logger
        self._sanitizer = sanitizer

    def opened(self, channel: Channel, levels: Levels) -> None:
        """Record that a channel has been opened."""
        if levels.of_events(channel.peer) <= Level.INFO:
            self._emit(
                EVENT_CHANNEL_OPENED,
                Level.INFO,
                f"opened: {_described(channel)}",
                self._attributes(channel),
                NOWHERE,
                channel.created,
            )

    def closed(
        self, channel: Channel, levels: Levels, channel_close: ChannelClose = UNKNOWN_CLOSE
    ) -> None:
        """Record that a channel has been closed, and how many messages have crossed it."""
        level = Level.INFO if channel_close.is_normal else Level.WARN
        if levels.of_events(channel.peer) > level:
            return
        sent, received = channel.crossed[Direction.SENT], channel.crossed[Direction.RECEIVED]
        attributes = self._attributes(channel) | channel_close.attributes()
        attributes[CHANNEL_SENT] = sent
        attributes[CHANNEL_RECEIVED] = received
        attributes[CHANNEL_UNANSWERED] = channel.unanswered
        parts = [channel_close.described(), f"{sent} sent", f"{received} received"]
        if channel.unanswered:
            parts.append(f"{channel.unanswered} unanswered")
        text = f"closed: {_described(channel)}; {', '.join(part for part in parts if part)}"
        self._emit(EVENT_CHANNEL_CLOSED, level, text, attributes, NOWHERE)

    def send_failed(self, crossing: Crossing, error: BaseException) -> None:
        """Record that a message, of which there is a record, could not be sent after all."""
        error_type = type(error).__name__
        self._not_taken(crossing, "not sent", Refusal(error_type, f"{error_type}: {error}"))

    def refused(self, crossing: Crossing, refusal: Refusal) -> None:
        """Record that the peer refused a message, of which there is a record."""
        self._not_taken(crossing, "refused", refusal)

    def _not_taken(self, crossing: Crossing, what: str, why: Refusal) -> None:
        if crossing.level > Level.WARN:
            return
        channel = crossing.channel
        attributes = record_attributes(crossing, crossing.message) | self._attributes(channel)
        attributes[CHANNEL_SEQUENCE] = crossing.sequence
        attributes[ERROR_TYPE] = why.error_type
        span = crossing.span
        self._emit(
            EVENT_SEND_FAILED,
            Level.WARN,
            f"{what}: {_described(channel)}; {why.description}"[: _LONGEST_TEXT + MARGIN],
            attributes,
            None if span is INVALID_SPAN else set_span_in_context(span),
        )

    def _emit(  # noqa: PLR0913, PLR0917  # what a record is made of
        self,
        event_name: str,
        level: Level,
        text: str,
        attributes: dict[str, Value],
        context: Context | None,
        time: int | None = None,
    ) -> None:
        clean_attributes, clean_text = self._sanitizer.record(attributes, text)
        self._logger.emit(
            LogRecord(
                timestamp=time_ns() if time is None else time,
                context=context,
                severity_number=_SEVERITY[level],
                severity_text=level.name,
                event_name=event_name,
                # Not before: half a secret is none to the sanitizer.
                body=clean_text[:_LONGEST_TEXT] if isinstance(clean_text, str) else clean_text,
                attributes=clean_attributes,
            )
        )

    def _attributes(self, channel: Channel) -> dict[str, Value]:
        attributes = {CHANNEL_ID: channel.id, PEER: channel.peer, **channel.transport}
        if channel.session_id:
            attributes[MCP_SESSION_ID] = channel.session_id
        if channel.command_line:
            attributes[PROCESS_COMMAND_LINE] = clean_command_line(
                self._sanitizer, channel.command_line
            )
        return attributes


def _described(channel: Channel) -> str:
    protocol = channel.transport.get(NETWORK_PROTOCOL_NAME)
    transport = protocol or channel.transport.get(NETWORK_TRANSPORT)
    return f"{transport} {channel.peer}" if isinstance(transport, str) else channel.peer
