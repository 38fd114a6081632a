"""The two streams under an `mcp` session, watched."""

import contextvars
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final, Self

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span

from relayscope.conventions.attributes import ERROR_STOPPED_READING, ERROR_UNANSWERED
from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.http.asgi import server_call_of
from relayscope.instrumentation.hooks.http.sessions import context_of
from relayscope.instrumentation.hooks.pipes.child_end import ending_of
from relayscope.instrumentation.runtime.object_proxy import ObjectProxy
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.channel_close import UNKNOWN_CLOSE
from relayscope.instrumentation.traffic.crossing import Crossing
from relayscope.instrumentation.traffic.levels import Direction
from relayscope.instrumentation.traffic.long_text import MOST_KEPT, LongText, Text, shortened
from relayscope.instrumentation.traffic.message import Kind, Message, RequestId, is_whole

from .cancellations import is_left_to_transport
from .dialect import Dialect, Render, message_of
from .http_requests import HttpRequests
from .open_responses import OpenResponses
from .resumptions import is_resumption

# Looked up once: see `traffic/level.py`.
_RECEIVED: Final = Direction.RECEIVED
_SENT: Final = Direction.SENT
_ERROR: Final = Kind.ERROR
_REQUEST: Final = Kind.REQUEST
_UNPARSABLE: Final = Kind.UNPARSABLE

_TEXT: Final = "relayscope_text"
"""Name under which the text of what was parsed waits until the session reads it."""

_POSTED: Final = "relayscope_posted"
"""Name under which waits, beside that text, the id of the request in whose response it came."""

_posted: Final[contextvars.ContextVar[RequestId | None]] = contextvars.ContextVar(
    "relayscope_posted", default=None
)
"""The id of the request that the running task has posted, and reads the response to."""


def remember_text(validate: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the SDK's JSON parser: keep the text with the message, or with the error, it made."""
    given = args[0] if args else kwargs.get("json_data", kwargs.get("data"))
    try:
        message = validate(*args, **kwargs)
    except Exception as error:
        _keep(error, given)
        raise
    _keep(message, given)
    return message


async def remember_posted(
    post: Callable[..., Awaitable[Any]], _instance: Any, args: Any, kwargs: Any
) -> Any:
    """Wrap what posts a message for the SDK and reads the response: keep which request it is."""
    before = _posted.get()
    _posted.set(_request_id(args[0] if args else kwargs.get("ctx")))
    try:
        return await post(*args, **kwargs)
    finally:
        # To reset it raises where a coroutine that was left behind is closed in another context.
        _posted.set(before)


@shielded
def _request_id(context: Any) -> RequestId | None:
    message = context.session_message.message
    message = getattr(message, "root", message)
    return getattr(message, "id", None) if hasattr(message, "method") else None


@shielded
def _keep(parsed: Any, given: str | bytes | bytearray) -> None:
    text: str | bytes | LongText
    if len(given) > MOST_KEPT:
        text = shortened(given)
    else:
        text = given if isinstance(given, str) else bytes(given).decode("utf-8", "backslashreplace")
    # Not setattr: a pydantic model would take it for a field.
    parsed.__dict__[_TEXT] = text
    parsed.__dict__[_POSTED] = _posted.get()
    error = getattr(parsed, "error", None)
    if error is not None:
        # Of an error without an id, the SDK 2.x makes one with the id of the request.
        error.__dict__[_TEXT] = text


class NotSent(Exception):
    """The transport has no response in which a message could go."""


class SessionWire:
    """The exchange, as a pair of the SDK's streams needs it. Nothing here raises.

    Attributes:
        child: The transport of the server's process, where the SDK has started it.
        may_keep_messages: True if the transport may keep a message to itself.
        http_requests: Takes what became of the HTTP requests in which messages go to a server.
    """

    def __init__(
        self,
        exchange: Exchange,
        channel: Channel,
        dialect: Dialect,
        render: Render,
        responses: OpenResponses | None = None,
    ) -> None:
        self._exchange = exchange
        self._channel = channel
        self._dialect = dialect
        self._render = render
        self._responses = responses
        self.may_keep_messages = False
        self.child: Any = None
        self.http_requests = HttpRequests(exchange, channel)

    def read_by_session(self) -> None:
        """Say that a session of the SDK's reads the answers: `"7"` is 7 to it."""
        self._channel.takes_strings = True

    @shielded
    def received(self, item: Any) -> Span | None:
        """Record the item that is about to be read: a message, or the error of parsing one.

        Returns:
            The span to work for, if the item is a request or a notification.
        """
        if self._exchange.is_off(self._channel, _RECEIVED):
            return None
        if isinstance(item, Exception):
            text = item.__dict__.get(_TEXT)
            if text is not None:
                message = Message(_UNPARSABLE, is_json=is_whole(text))
                crossing = self._exchange.received(self._channel, message)
                self._exchange.record(crossing, text)
            return None
        request = getattr(item.metadata, "request_context", None)
        call = server_call_of(request)
        if call is not None:
            if call.is_recorded:
                return call.taken()
            call.left()
        if request is not None and self._channel.peer == "unknown":
            self._channel.locate(_client_address(request))
        root = self._dialect.root(item.message)
        text = _received_text(item, root)
        message = message_of(root, 0 if text is None else len(text))
        # An error that never was on the wire is how the SDK's client says that no answer came.
        if message.kind is _ERROR and text is None and self._channel.transport:
            self._unanswered(message)
            return None
        context = _around(request) if call is None else call.around
        posted = item.message.__dict__.get(_POSTED) if message.method else None
        self._channel.responding_to = None if posted is None else (posted,)
        crossing = self._exchange.received(self._channel, message, context)
        self._channel.responding_to = None
        self._exchange.record(crossing, text or (lambda: self._render(item.message)))
        return crossing.span if message.method and crossing.span is not INVALID_SPAN else None

    def _unanswered(self, error: Message) -> None:
        request = Message(_REQUEST, id=error.id)
        description = error.error_message
        self._exchange.give_up(self._channel, request, _SENT, ERROR_UNANSWERED, description)

    @shielded
    def sending(self, item: Any) -> Crossing | None:
        """Put the trace context into a message that is about to be sent, and record it."""
        if self._exchange.is_off(self._channel, _SENT):
            return None
        root = self._dialect.root(item.message)
        crossing = self._exchange.sending(self._channel, message_of(root))
        if crossing.carrier:
            params = dict(root.params or {})
            params["_meta"] = {**(params.get("_meta") or {}), **crossing.carrier}
            root.params = params
        self._exchange.record(crossing, lambda: self._render(item.message))
        self.http_requests.sent(crossing)
        return crossing

    @shielded
    def _why_late(self, item: Any) -> str | None:
        return self._responses.why_late(item) if self._responses else None

    @shielded
    def _passed_on(self, crossing: Crossing, item: Any, reason: str | None) -> None:
        """Say that the transport has a message, and the reason if it does not send it."""
        reason = reason or (self._responses.why_dropped(item) if self._responses else None)
        if reason:
            self._exchange.send_failed(crossing, NotSent(reason))

    @shielded
    def _failed(self, crossing: Crossing, item: Any, error: BaseException) -> None:
        """Say that the transport refused the message."""
        self._exchange.send_failed(crossing, error)
        if self._responses:
            self._responses.was_not_taken(item)

    @shielded
    def _is_kept(self, item: Any) -> bool:
        """Return whether the transport sends something else, or decides later if it does."""
        if not is_resumption(item):
            return bool(is_left_to_transport(item, self))
        if not self._exchange.is_off(self._channel, _SENT):
            self._exchange.sending(self._channel, message_of(self._dialect.root(item.message)))
        return True

    @shielded
    def gave_up(self, item: Any, direction: Direction, error_type: str) -> None:
        """Say that the answer to a request, which went this way, can no longer come."""
        message = message_of(self._dialect.root(item.message))
        self._exchange.give_up(self._channel, message, direction, error_type)

    @shielded
    def stopped_waiting(
        self, request_id: RequestId | None, error_type: str = ERROR_STOPPED_READING
    ) -> None:
        """Say that nobody waits any more for the answer to a request that was sent."""
        request = Message(_REQUEST, id=request_id)
        self._exchange.give_up(self._channel, request, _SENT, error_type)

    @shielded
    def stopped_reading(self) -> None:
        """Say that the session reads nothing more, though something may still come."""
        self._exchange.stopped_reading(self._channel)

    @shielded
    def closed(self) -> None:
        """Say that nothing more will cross."""
        # One that still runs is about to be ended by the SDK, which is no news.
        channel_close = UNKNOWN_CLOSE if self.child is None else ending_of(self.child)
        self._exchange.close(self._channel, channel_close)

    @shielded
    def silent(self) -> None:
        """Say that nothing more will come, though how the server has ended may not be known yet."""
        self._exchange.give_up_all(self._channel)
        if self.child is None or ending_of(self.child) != UNKNOWN_CLOSE:
            self.closed()

    @contextmanager
    def passing_on(self, item: Any) -> Iterator[None]:
        """Record a message around its way to the transport, which writes it in that context.

        In memory there is no transport: there the other side's handler gets that context.
        """
        if self.may_keep_messages and self._is_kept(item):
            with connection_owner.held(self.http_requests):
                yield
            return
        crossing = self.sending(item)
        if crossing is None:
            yield
            return
        reason = self._why_late(item)
        try:
            # The context goes along with the message, to where the SDK 2.x makes HTTP requests.
            requests = self.http_requests
            with connection_owner.held(requests) if self._channel.transport else nullcontext():
                yield
        except BaseException as error:
            self._failed(crossing, item, error)
            raise
        self._passed_on(crossing, item, reason)

    def span_of(self, request_id: RequestId | None) -> Span | None:
        """Return the span of a received request that is still open."""
        call = self._channel.received.get(request_id) if request_id is not None else None
        return call.span if call is not None else None


class WatchedReadStream(ObjectProxy):
    """A read stream that tells the wire of every item, and lets the reading task work for it."""

    def __init__(self, stream: Any, text_exchange: SessionWire) -> None:
        super().__init__(stream)
        self._self_wire = text_exchange
        self._self_span: Span | None = None

    @property
    def text_exchange(self) -> SessionWire:
        """The wire that is told."""
        return self._self_wire

    @property
    def last_context(self) -> contextvars.Context | None:
        """The context for the newest item's handler, in a stream that has such a thing (mcp 2.x).

        The SDK runs each handler in the context that the item was sent in; for the handler to work
        for the item's span, the span must be in that context.
        """
        context: contextvars.Context | None = getattr(self.__wrapped__, "last_context", None)
        if context is not None and self._self_span is not None:
            context = context.copy()
            context.run(current_span.enter, self._self_span)
        return context

    async def __aenter__(self) -> Self:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> Any:
        # A session that is left cancels its own reading: the other side is not to blame.
        if exc_info[0] is not None:
            self._self_wire.stopped_reading()
        self._self_wire.silent()
        return await self.__wrapped__.__aexit__(*exc_info)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return self._told(await self.__wrapped__.__anext__())

    async def receive(self) -> Any:
        """Receive the next item."""
        return self._told(await self.__wrapped__.receive())

    def receive_nowait(self) -> Any:
        """Receive the next item if it is there."""
        return self._told(self.__wrapped__.receive_nowait())

    def _told(self, item: Any) -> Any:
        self._self_span = self._self_wire.received(item)
        if self._self_span is not None:
            current_span.enter(self._self_span)
        return item


class WatchedWriteStream(ObjectProxy):
    """A write stream that tells the wire of every message."""

    def __init__(self, stream: Any, text_exchange: SessionWire) -> None:
        super().__init__(stream)
        self._self_wire = text_exchange

    @property
    def text_exchange(self) -> SessionWire:
        """The wire that is told."""
        return self._self_wire

    async def __aenter__(self) -> Self:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> Any:
        return await self.__wrapped__.__aexit__(*exc_info)

    async def send(self, item: Any) -> None:
        """Send a message."""
        with self._self_wire.passing_on(item):
            await self.__wrapped__.send(item)

    def send_nowait(self, item: Any) -> None:
        """Send a message if somebody takes it right away."""
        with self._self_wire.passing_on(item):
            self.__wrapped__.send_nowait(item)


def _client_address(request: Any) -> tuple[str, int] | None:
    """Return the address of the client whose HTTP request a message came with."""
    client = getattr(request, "client", None)
    return (client.host, client.port) if client is not None else None


def _around(request: Any) -> Context | None:
    """Return the context that the headers of an HTTP request carry, None where there is neither."""
    headers = getattr(request, "headers", None)
    return context_of(dict(headers.raw)) if headers is not None else None


def _received_text(item: Any, root: Any) -> Text | None:
    """Return a message's text as it arrived, None where the transport kept nothing of it.

    The streamable HTTP server parses the request's body by itself and keeps the request.
    """
    text = item.message.__dict__.get(_TEXT)
    if text is None and (error := getattr(root, "error", None)) is not None:
        text = error.__dict__.get(_TEXT)
    if isinstance(text, str):
        return text.rstrip("\r\n")
    if isinstance(text, LongText):
        return text
    request = getattr(item.metadata, "request_context", None)
    body = getattr(request, "_body", None)
    return body if isinstance(body, bytes) else None
