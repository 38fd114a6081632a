"""The HTTP responses in which the SDK's streamable HTTP server sends messages."""

from typing import Any, Final

_UNASKED: Final = "_GET_stream"
"""Name of the stream for what belongs to no request: the response to a GET."""


class OpenResponses:
    """Says what a session's `StreamableHTTPServerTransport` does not send, and why.

    The transport takes each message and drops it silently where no response has a place for it
    (`message_router` in its `connect`). A response ends with the answer to its request, and some
    gateways pass on a progress notification after it. The transport has the request's stream for
    a moment longer, but nobody reads it. Messages are taken in the order in which they begin to
    wait, which is not that in which their senders go on.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._answered: dict[str, Any] = {}

    def why_late(self, item: Any) -> str | None:
        """Return why a message that now begins to wait will not be sent, None if it may be.

        An answer is taken note of: its response ends with it.
        """
        name, stream = self._stream_of(item)
        if stream is None or name == _UNASKED or self._are_stored:
            return None
        if stream is self._answered.get(name):
            return "the response in which it could go ends with the answer to its request"
        if _is_answer(item):
            self._answered = {
                other: known for other, known in self._answered.items() if other in self._streams
            }
            self._answered[name] = stream
        return None

    def was_not_taken(self, item: Any) -> None:
        """Forget a message that began to wait: another answer may come."""
        if _is_answer(item):
            self._answered.pop(self._stream_of(item)[0], None)

    def why_dropped(self, item: Any) -> str | None:
        """Return why a message that the transport has taken is not sent, None if it is.

        A client that has left in mid-answer has taken the stream of its request with it.
        """
        if _related(item) is not None and self._transport.is_json_response_enabled:
            return "the request is answered with JSON, which has no place for it"
        if self._are_stored or self._stream_of(item)[1] is not None:
            return None
        return "no response is open in which it could go"

    @property
    def _streams(self) -> dict[str, Any]:
        streams: dict[str, Any] = self._transport._request_streams  # noqa: SLF001  # it has no other
        return streams

    @property
    def _are_stored(self) -> bool:
        """True if messages are stored, so that a client may yet ask for what was not sent."""
        return bool(self._transport._event_store)  # noqa: SLF001  # it has no other

    def _stream_of(self, item: Any) -> tuple[str, Any]:
        """Return the name of the stream in which a message goes, and the stream if there is one."""
        answers = getattr(item.message, "root", item.message).id if _is_answer(item) else None
        related = _related(item) if answers is None else answers
        name = _UNASKED if related is None else str(related)
        return name, self._streams.get(name)


def _is_answer(item: Any) -> bool:
    return not hasattr(getattr(item.message, "root", item.message), "method")


def _related(item: Any) -> Any:
    """Return the id of the request to whose response a request or a notification belongs."""
    return None if _is_answer(item) else getattr(item.metadata, "related_request_id", None)
