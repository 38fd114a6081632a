"""The messages in an HTTP response's body: one as JSON, or several as server-sent events."""

from collections.abc import Mapping
from http import HTTPStatus

from relayscope.conventions.attributes import ERROR_UNANSWERED
from relayscope.instrumentation.traffic.long_text import Gathering, LongText, Text

from .content_coding import CODINGS, Inflation
from .sse import EventStream


class ResponseBody:
    """A response's messages, as its body comes by."""

    def __init__(self, headers: Mapping[bytes, bytes]) -> None:
        content_type = headers.get(b"content-type", b"").lower()
        coding = headers.get(b"content-encoding", b"identity").lower()
        is_read = coding == b"identity" or coding in CODINGS
        self._inflation = Inflation() if coding in CODINGS else None
        self._events = EventStream() if is_read and b"text/event-stream" in content_type else None
        self._json = Gathering() if is_read and b"json" in content_type else None
        self._has_length = b"content-length" in headers

    @property
    def is_between_events(self) -> bool:
        """True for an event stream, plain and of any length, in which no event has only begun."""
        if self._events is None or self._inflation is not None or self._has_length:
            return False
        return self._events.is_between_events

    def feed(self, chunk: bytes, *, more: bool) -> list[bytes | LongText]:
        """Take the next part of the body; return the texts that are complete with it."""
        plain = (chunk,) if self._inflation is None else self._inflation.feed(chunk)
        if self._events is not None:
            return [text for piece in plain for text in self._events.feed(piece)]
        if self._json is None:
            return []
        for piece in plain:
            self._json.add(piece)
        return [self._json.take()] if not more and self._json else []


def is_message(data: Text) -> bool:
    """Return whether an event may be a message; the others are the transport's own."""
    start = data.head if isinstance(data, LongText) else data
    return start[:1] in (b"{", b"[", "{", "[")


def error_type(status: int) -> str:
    """Return the error type of a request without an answer: HTTP's status (also 307), or none."""
    return str(status) if status >= HTTPStatus.MULTIPLE_CHOICES else ERROR_UNANSWERED
