"""The messages in an HTTP response's body, or what it says in their place.

A message comes as JSON, several as server-sent events. Whoever refuses a request says why in JSON
of another kind, in plain text or on a page; so does a proxy that wants somebody to log in.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from relayscope.conventions.attributes import (
    ERROR_OTHER_CONTENT,
    ERROR_STOPPED_READING,
    ERROR_UNANSWERED,
)
from relayscope.instrumentation.recording.body_limit import MARGIN
from relayscope.instrumentation.recording.bounds import LONGEST_NAME
from relayscope.instrumentation.traffic.calls import Refusal
from relayscope.instrumentation.traffic.long_text import Gathering, LongText, Text
from relayscope.instrumentation.traffic.message import Kind, Message, RequestId

from .content_coding import CODINGS, Inflation
from .sse import EventStream

_TEXT: Final = re.compile(rb"$|text/|[a-z/.+-]*(json|xml|x-www-form-urlencoded)")
"""The beginning of a content type that is text; one that is not told may be."""

_MOST: Final = LONGEST_NAME + MARGIN
"""Bytes kept of a body that has no messages; a status's description is cut where it is cleaned."""

_LONGEST_TYPE: Final = 128


class ResponseBody:
    """A response's messages, as its body comes by; or its beginning, where it can have none."""

    def __init__(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        content_type = headers.get(b"content-type", b"").strip().lower()
        coding = headers.get(b"content-encoding", b"identity").lower()
        is_read = coding == b"identity" or coding in CODINGS
        self._status = status
        self._type = content_type.partition(b";")[0].strip()
        self._inflation = Inflation() if coding in CODINGS else None
        self._events = EventStream() if is_read and b"text/event-stream" in content_type else None
        self._json = Gathering() if is_read and b"json" in content_type else None
        self._has_length = b"content-length" in headers
        has_messages = self._events is not None or self._json is not None
        self._is_refusal = status >= HTTPStatus.MULTIPLE_CHOICES
        self._is_other = bool(content_type) and is_read and not has_messages
        is_kept = self._is_refusal or self._is_other
        self._left = _MOST if is_kept and is_read and _TEXT.match(self._type) else 0
        self._beginning = b""

    @property
    def is_between_events(self) -> bool:
        """True for an event stream, plain and of any length, in which no event has only begun."""
        if self._events is None or self._inflation is not None or self._has_length:
            return False
        return self._events.is_between_events

    @property
    def refusal(self) -> Refusal:
        """The reason for which a request has no answer in this response, as far as it is known."""
        said = self._beginning.decode("utf-8", "backslashreplace").strip()
        if self._is_refusal:
            what = f"the response had the HTTP status {self._status}"
            return Refusal(str(self._status), f"{what}: {said}" if said else what)
        if self._is_other:
            content_type = self._type[:_LONGEST_TYPE].decode("latin-1")
            what = f"the response was {content_type}"
            return Refusal(ERROR_OTHER_CONTENT, f"{what}: {said}" if said else what)
        return Refusal(ERROR_UNANSWERED)

    def feed(self, chunk: bytes, *, more: bool) -> list[bytes | LongText]:
        """Take the next part of the body; return the texts that are complete with it."""
        if self._events is None and self._json is None and not self._left:
            return []
        texts: list[bytes | LongText] = []
        for piece in (chunk,) if self._inflation is None else self._inflation.feed(chunk):
            if self._left:
                self._beginning += piece[: self._left]
                self._left = _MOST - len(self._beginning)
            if self._events is not None:
                texts += self._events.feed(piece)
            elif self._json is not None:
                self._json.add(piece)
            elif not self._left:
                break
        if more or not self._json:
            return texts
        text = self._json.take()
        # Whoever refuses a request in JSON that is no message has not spoken JSON-RPC.
        return [] if self._is_refusal and Message.of_text(text).kind is Kind.UNPARSABLE else [text]


def is_message(data: Text) -> bool:
    """Return whether an event may be a message; the others are the transport's own."""
    start = data.head if isinstance(data, LongText) else data
    return start[:1] in (b"{", b"[", "{", "[")


def requests_refused(message: Message | None, status: int) -> tuple[RequestId, ...] | None:
    """Return the ids of the requests that an error without an id refuses in a response.

    With an error status it may be about what has none: a notification, a stream that is asked for.

    Args:
        message: In the HTTP request, None if there is none in it.
        status: The response's.
    """
    identifiers = () if message is None else message.request_ids
    return identifiers or (() if status >= HTTPStatus.BAD_REQUEST else None)


def refusal_by(error: BaseException) -> Refusal:
    """Return what an exception says of a request that may have been sent."""
    name = type(error).__name__
    said = f"{name}: {error}" if str(error) else name
    # Whoever cancels does not wait any more; nor does whoever goes away.
    is_left = "Timeout" in name or not isinstance(error, Exception)
    error_type = ERROR_STOPPED_READING if is_left else ERROR_UNANSWERED
    return Refusal(error_type, said[:_MOST])
