"""The log record of each message: `mcp.message`, with the exact text at level TRACE."""

import hashlib
from typing import Final

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

from relayscope.sanitizer import Sanitizer

from . import names
from .crossing import Crossing
from .level import Level

_SEVERITY: Final = {
    Level.TRACE: SeverityNumber.TRACE,
    Level.DEBUG: SeverityNumber.DEBUG,
    Level.WARN: SeverityNumber.WARN,
}


class MessageLog:
    """Makes a log record of each crossing that the level asks for.

    Attributes:
        level: What is recorded from now on; may be set at any time.
    """

    def __init__(self, logger: Logger, sanitizer: Sanitizer, level: Level) -> None:
        self._logger = logger
        self._sanitizer = sanitizer
        self.level = level

    def emit(self, crossing: Crossing, text: str) -> None:
        """Emit the log record of a message that crossed with exactly this text.

        A channel's text counts only from its first JSON-RPC message on: a process may use the same
        library for things that are none of ours.
        """
        if not crossing.channel.speaks_jsonrpc:
            return
        sequence = crossing.channel.next_sequence()
        own_level = min(self.level, Level.DEBUG) if crossing.odd is None else Level.WARN
        if own_level < self.level:
            return
        data = text.encode("utf-8", "surrogatepass")
        attributes = crossing.attributes
        attributes[names.MESSAGE_DIRECTION] = crossing.direction.value
        attributes[names.MESSAGE_KIND] = crossing.message.kind.value
        attributes[names.MESSAGE_SIZE] = len(data)
        attributes[names.CHANNEL_ID] = crossing.channel.id
        attributes[names.CHANNEL_SEQUENCE] = sequence
        attributes[names.PEER] = crossing.channel.peer
        attributes.update(crossing.channel.transport)
        if crossing.odd is not None:
            attributes[names.MESSAGE_ODD] = crossing.odd.value
        if self.level is Level.TRACE:
            body = self._sanitizer.text(text)
        else:
            body = None
            attributes[names.MESSAGE_SHA256] = hashlib.sha256(data).hexdigest()
        self._logger.emit(
            LogRecord(
                timestamp=crossing.time,
                # A message without a span of its own belongs to what the task is working for.
                context=None
                if crossing.span is INVALID_SPAN
                else set_span_in_context(crossing.span),
                severity_number=_SEVERITY[own_level],
                severity_text=own_level.name,
                event_name=names.EVENT_MESSAGE,
                body=body,
                attributes=self._sanitizer.attributes(attributes),
            )
        )
