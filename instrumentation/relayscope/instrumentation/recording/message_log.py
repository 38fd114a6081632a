"""The log record of each message: `mcp.message`, with the exact text at level TRACE."""

import functools
import hashlib
from typing import Final

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

from relayscope.conventions.attributes import (
    CHANNEL_SEQUENCE,
    JSONRPC_REQUEST_ID,
    MESSAGE_CUT,
    MESSAGE_SHA256,
    MESSAGE_SIZE,
)
from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.conventions.odd_traffic import OddTraffic
from relayscope.instrumentation.context.current_span import NOWHERE
from relayscope.instrumentation.fast.log_record import FastLogger
from relayscope.instrumentation.traffic.crossing import Crossing, Recorded
from relayscope.instrumentation.traffic.level import Level
from relayscope.instrumentation.traffic.levels import Direction
from relayscope.instrumentation.traffic.long_text import MOST_KEPT, LongText, Text, shortened
from relayscope.instrumentation.traffic.message import id_text
from relayscope.sanitizer import Sanitizer, Value

from .attribute_cache import AttributeCache, is_harmless, record_attributes
from .body_limit import DEFAULT_BODY_LIMIT, MARGIN
from .bounds import DEAR_LIMIT
from .deferred import Deferred

# Looked up once: see `traffic/level.py`.
_SENT: Final = Direction.SENT
_DEBUG: Final = Level.DEBUG
_TRACE: Final = Level.TRACE
_WARN: Final = Level.WARN

_WITH_BINARY: Final = range(16 * 1024, 1536 * 1024)
"""Characters of a text in which images are looked for first: less is left to be looked into. One of
1.3 million takes 1 ms, half of it for its digest; a longer one is another thread's."""

_SEVERITY: Final = {
    Level.TRACE: SeverityNumber.TRACE,
    Level.DEBUG: SeverityNumber.DEBUG,
    Level.WARN: SeverityNumber.WARN,
}


class MessageLog:
    """Makes a log record of each crossing that its level asks for."""

    def __init__(
        self, logger: Logger, sanitizer: Sanitizer, body_limit: int = DEFAULT_BODY_LIMIT
    ) -> None:
        self._logger = FastLogger(logger)
        self._sanitizer = sanitizer
        self._attribute_cache = AttributeCache(sanitizer)
        self._body_limit = max(body_limit, 2 * MARGIN)
        self._deferred = Deferred()

    def emit(self, crossing: Crossing, text: Recorded) -> None:
        """Emit the log record, if the level asks for one, of a message with exactly this text."""
        level = crossing.level
        if crossing.odd is None or crossing.odd is OddTraffic.NOT_MCP:
            own_level = level
            if level > _DEBUG:
                return
        elif level > _WARN:
            return
        else:
            own_level = _WARN
        if callable(text):
            text = text()
        if len(text) > MOST_KEPT and not isinstance(text, LongText):
            text = shortened(text)
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        attributes, unseen = self._attributes(crossing)
        attributes[MESSAGE_SIZE] = len(data)
        attributes[CHANNEL_SEQUENCE] = crossing.sequence
        limit = self._body_limit
        body = self._without_images(text, data) if level is _TRACE else None
        if body is None or len(body) > limit:
            unseen[MESSAGE_SHA256] = _digest(data)
        record = LogRecord(
            timestamp=crossing.time,
            context=_context_of(crossing),
            severity_number=_SEVERITY[own_level],
            severity_text=own_level.name,
            event_name=EVENT_MESSAGE,
            attributes=attributes,
        )
        if body is not None and self._is_dear(body):
            finish = functools.partial(self._finish, record, unseen, body, limit)
            if self._deferred.take(len(body), finish):
                return
            body, limit = body[: DEAR_LIMIT + MARGIN + 1], DEAR_LIMIT + MARGIN
            unseen[MESSAGE_SHA256] = _digest(data)
            unseen[MESSAGE_CUT] = "busy"
        self._finish(record, unseen, body, limit)

    def _without_images(self, text: Text, data: bytes | LongText) -> str:
        """Return a text; what an image leaves behind says what it was, with a digest."""
        body = text if isinstance(text, str) and text.isascii() else _text(data)
        return self._sanitizer.without_few_binaries(body) if len(body) in _WITH_BINARY else body

    def _is_dear(self, body: str) -> bool:
        if len(body) > self._body_limit:
            return self._sanitizer.may_hold_binary(body) or self._sanitizer.is_dear(
                body[: self._body_limit]
            )
        return self._sanitizer.is_dear(body)

    def _finish(
        self, record: LogRecord, unseen: dict[str, Value], body: str | None, limit: int
    ) -> None:
        """Emit a record with its attributes and text, without their secrets."""
        is_cut = False
        if body is not None and len(body) > limit:
            # What images leave behind is short: a text that had one may fit without.
            body = self._sanitizer.without_binary(body)
            is_cut = len(body) > limit
        clean, clean_body = self._sanitizer.record(unseen, body[:limit] if body else body)
        if isinstance(clean_body, str) and is_cut:
            clean_body = clean_body[:-MARGIN]
        record.attributes = {**(record.attributes or {}), **clean}
        record.body = clean_body
        self._logger.emit(record)

    def _attributes(self, crossing: Crossing) -> tuple[dict[str, Value], dict[str, Value]]:
        """Return the attributes that are known to hold no secret, and those that are not."""
        cached = self._attribute_cache.of_record(crossing)
        if cached is None:
            return {}, record_attributes(crossing, crossing.message)
        unseen: dict[str, Value] = {}
        identifier = crossing.message.id
        if identifier is not None:
            if is_harmless(identifier):
                cached[JSONRPC_REQUEST_ID] = str(identifier)
            else:
                unseen[JSONRPC_REQUEST_ID] = id_text(identifier)
        return cached, unseen


def _text(data: bytes | LongText) -> str:
    """Return the text, or what is kept of it where it is too long."""
    return (data.head if isinstance(data, LongText) else data).decode("utf-8", "backslashreplace")


def _digest(data: bytes | LongText) -> str:
    return data.sha256 if isinstance(data, LongText) else hashlib.sha256(data).hexdigest()


def _context_of(crossing: Crossing) -> Context | None:
    """Return the context of a record: its span's, or where it has none what its sender works for.

    A message that arrives does not belong to the span of the task that notices it.
    """
    if crossing.span is not INVALID_SPAN:
        return set_span_in_context(crossing.span)
    return None if crossing.direction is _SENT else NOWHERE
