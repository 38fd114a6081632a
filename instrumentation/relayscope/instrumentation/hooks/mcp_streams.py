"""The two streams of an `mcp` 1.x session, watched."""

from collections.abc import Callable
from typing import Any, Final, Self

import wrapt
from opentelemetry.trace import Span

from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.crossing import Crossing
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.message import Kind, Message, RequestId
from relayscope.instrumentation.shield import shielded

_TEXT: Final = "relayscope_text"
"""Key in a parsed message's `__dict__` under which its text waits until the session reads it."""


def remember_text(validate: Callable[..., Any], _cls: Any, args: Any, kwargs: Any) -> Any:
    """Wrap `JSONRPCMessage.model_validate_json`: keep the text with what was read from it."""
    message = validate(*args, **kwargs)
    text = args[0] if args else kwargs.get("json_data")
    message.__dict__[_TEXT] = text.decode() if isinstance(text, bytes | bytearray) else text
    return message


class SessionWire:
    """The exchange, as the streams of one session need it. Nothing here raises."""

    def __init__(self, exchange: Exchange, channel: Channel) -> None:
        self._exchange = exchange
        self._channel = channel

    @shielded
    def received(self, item: Any) -> None:
        """Record what the session is about to read: a message, or why it could not be parsed."""
        if isinstance(item, Exception):
            crossing = self._exchange.received(self._channel, Message(Kind.UNPARSABLE))
            crossing.record("")
            return
        if self._channel.peer == "unknown":
            self._channel.locate(_client_address(item))
        crossing = self._exchange.received(self._channel, _message_of(item.message.root))
        crossing.record(_received_text(item))

    @shielded
    def sending(self, item: Any) -> tuple[Crossing, str]:
        """Put the trace context into a message that is about to be sent; return its text too."""
        root = item.message.root
        crossing = self._exchange.sending(self._channel, _message_of(root))
        if crossing.carrier:
            params = dict(root.params or {})
            params["_meta"] = {**(params.get("_meta") or {}), **crossing.carrier}
            root.params = params
        return crossing, item.message.model_dump_json(by_alias=True, exclude_none=True)

    @shielded
    def sent(self, crossing: Crossing, text: str) -> None:
        """Say that the transport took the message."""
        crossing.record(text)

    @shielded
    def failed(self, crossing: Crossing, error: BaseException) -> None:
        """Say that the transport refused the message."""
        crossing.fail(error)

    @shielded
    def closed(self) -> None:
        """Say that the session is over."""
        self._exchange.close(self._channel)

    def span_of(self, request_id: RequestId | None) -> Span | None:
        """Return the span of a received request that is still open."""
        call = self._channel.received.get(request_id) if request_id is not None else None
        return call.span if call is not None else None


class WatchedReadStream(wrapt.ObjectProxy[Any]):
    """A session's read stream that tells the wire of every item."""

    def __init__(self, stream: Any, wire: SessionWire) -> None:
        super().__init__(stream)
        self._self_wire = wire

    async def __aenter__(self) -> Self:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> Any:
        return await self.__wrapped__.__aexit__(*exc_info)

    def __aiter__(self) -> "WatchedReadStream":
        return self

    async def __anext__(self) -> Any:
        item = await self.__wrapped__.__anext__()
        self._self_wire.received(item)
        return item

    async def receive(self) -> Any:
        """Receive the next item."""
        item = await self.__wrapped__.receive()
        self._self_wire.received(item)
        return item


class WatchedWriteStream(wrapt.ObjectProxy[Any]):
    """A session's write stream that tells the wire of every message."""

    def __init__(self, stream: Any, wire: SessionWire) -> None:
        super().__init__(stream)
        self._self_wire = wire

    async def __aenter__(self) -> Self:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> Any:
        return await self.__wrapped__.__aexit__(*exc_info)

    async def send(self, item: Any) -> None:
        """Send a message."""
        wire = self._self_wire
        sending = wire.sending(item)
        if sending is None:
            await self.__wrapped__.send(item)
            return
        crossing, text = sending
        # The peer may answer before `send` returns, and the answer ends the span; so the record
        # of what was asked comes first.
        wire.sent(crossing, text)
        try:
            await self.__wrapped__.send(item)
        except BaseException as error:
            wire.failed(crossing, error)
            raise


def _message_of(root: Any) -> Message:
    """Read one of the SDK's four message models."""
    method = getattr(root, "method", None)
    if isinstance(method, str):
        return Message.initiating(method, getattr(root, "id", None), root.params)
    error = getattr(root, "error", None)
    if error is not None:
        return Message.error(root.id, error.code, error.message)
    return Message(Kind.RESULT, id=root.id, result=root.result)


def _client_address(item: Any) -> tuple[str, int] | None:
    """Return who sent the HTTP request that a message came with."""
    client = getattr(getattr(item.metadata, "request_context", None), "client", None)
    return (client.host, client.port) if client is not None else None


def _received_text(item: Any) -> str:
    """Return a message's text as it arrived.

    The streamable HTTP server parses the request's body by itself and keeps the request; for a
    transport that keeps nothing, the text is the SDK's own rendering.
    """
    text = item.message.__dict__.get(_TEXT)
    if isinstance(text, str):
        return text.rstrip("\r\n")
    request = getattr(item.metadata, "request_context", None)
    body = getattr(request, "_body", None)
    if isinstance(body, bytes):
        return body.decode("utf-8", "backslashreplace")
    rendered: str = item.message.model_dump_json(by_alias=True, exclude_none=True)
    return rendered
