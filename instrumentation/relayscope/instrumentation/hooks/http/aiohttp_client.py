"""Hook for aiohttp's client: JSON-RPC in POST requests and in responses.

A body that is bytes may be changed; one in pieces (a file, a generator) is recorded as it
passes. What a response says is taken where every way to read it takes it.
"""

import functools
import sys
import weakref
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Collection
from time import time_ns
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.object_proxy import ObjectProxy
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange

from .client_call import ClientCall, ClientChannels, ClientStream, Server, is_json, may_be_json
from .client_request import Pieces, Request
from .framing import Measured

_SENT: Final = "_relayscope_sent"
"""Attribute of a response: the request that it answers."""

_LENGTH: Final = "Content-Length"


class AiohttpClientInstrumentor(BaseInstrumentor):
    """Watches the JSON-RPC messages that aiohttp's client posts, and their responses."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions that have the names that are wrapped."""
        return ("aiohttp >= 3.8, < 4",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = _Hook(TextExchange(exchange or shared_exchange()))
        self._patches = Patches()
        self._patches.wrap("aiohttp.connector", "BaseConnector.connect", hook.connect)
        self._patches.wrap("aiohttp.client_reqrep", "ClientRequest.send", hook.send)
        self._patches.wrap("aiohttp.client_reqrep", "ClientResponse.start", hook.start)
        self._patches.replace("aiohttp.streams", "StreamReader._read_nowait_chunk", hook.read)
        self._patches.replace("aiohttp.streams", "StreamReader.set_exception", hook.break_off)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Changed(ObjectProxy):
    """A request's body that is sent as something else; a redirect finds it as it was."""

    def __init__(self, payload: Any, body: bytes) -> None:
        super().__init__(payload)
        self._self_body = body

    async def write(self, writer: Any) -> None:
        """Write the body."""
        await writer.write(self._self_body)

    async def write_with_length(self, writer: Any, _: int | None) -> None:
        """Write the body, whose length has been set."""
        await writer.write(self._self_body)


class _Watched(ObjectProxy):
    """A request's body that is heard as it is sent."""

    def __init__(self, payload: Any, request: Request) -> None:
        super().__init__(payload)
        self._self_request = request

    async def write(self, writer: Any) -> None:
        """Write the body."""
        await self.__wrapped__.write(_Writer(writer, self._self_request))
        self._self_request.complete()

    async def write_with_length(self, writer: Any, length: int | None) -> None:
        """Write as much of the body."""
        await self.__wrapped__.write_with_length(_Writer(writer, self._self_request), length)
        self._self_request.complete()


class _Writer(ObjectProxy):
    """The writer of a request's body."""

    def __init__(self, writer: Any, request: Request) -> None:
        super().__init__(writer)
        self._self_request = request

    async def write(self, chunk: Any, *args: Any, **kwargs: Any) -> None:
        """Write the next piece."""
        self._self_request.take(chunk)
        await self.__wrapped__.write(chunk, *args, **kwargs)


class _Hook:
    def __init__(self, text_exchange: TextExchange) -> None:
        self._channels = ClientChannels(text_exchange)
        self._reading: dict[int, ClientCall | ClientStream] = {}
        """Calls by the id of the stream from which their answer is read, which lives as long as
        they are here. What held the stream would hold its response, which waits to be let go of."""

    async def connect(
        self, connect: Callable[..., Awaitable[Any]], _: Any, args: Any, kwargs: Any
    ) -> Any:
        since = time_ns()
        try:
            return await connect(*args, **kwargs)
        except BaseException as error:
            self._not_connected(args[0] if args else kwargs["req"], error, since)
            raise

    async def send(
        self, send: Callable[..., Awaitable[Any]], request: Any, args: Any, kwargs: Any
    ) -> Any:
        sent = self._begin(request)
        if sent is None:
            return await send(*args, **kwargs)
        try:
            response = await send(*args, **kwargs)
        except BaseException as error:
            sent.failed(error, None)
            raise
        vars(response)[_SENT] = sent
        return response

    async def start(
        self, start: Callable[..., Awaitable[Any]], response: Any, args: Any, kwargs: Any
    ) -> Any:
        sent = vars(response).pop(_SENT, None)
        if sent is None:
            return await start(*args, **kwargs)
        try:
            started = await start(*args, **kwargs)
        except BaseException as error:
            if sent.call is not None:
                sent.call.failed(error)
            raise
        if sent.call is not None:
            self._watch(sent.call, response)
        return started

    def read(self, original: Callable[[Any, int], bytes]) -> Callable[[Any, int], bytes]:
        reading, heard = self._reading, self._heard

        @functools.wraps(original)
        def read(stream: Any, n: int) -> bytes:
            data = original(stream, n)
            # Most programs read other things, and servers their requests.
            if reading and id(stream) in reading:
                heard(stream, data)
            return data

        return read

    def break_off(self, original: Callable[..., None]) -> Callable[..., None]:
        reading, broken = self._reading, self._broken

        @functools.wraps(original)
        def set_exception(stream: Any, *args: Any, **kwargs: Any) -> None:
            if id(stream) in reading:
                broken(stream, args[0] if args else kwargs.get("exc"))
            return original(stream, *args, **kwargs)

        return set_exception

    @shielded
    def _begin(self, request: Any) -> Request | None:
        """Take a request that is about to be sent, if it is for messages."""
        if request.method not in {"GET", "POST"} or connection_owner.is_held():
            return None
        if request.method == "GET":
            return Request(self._channels.stream(_server(request), _session(request)))
        whole = _whole_body(request)
        return self._pieces(request) if whole is None else self._whole(request, whole)

    def _whole(self, request: Any, whole: bytes) -> Request | None:
        call = self._call(request, whole)
        if call is not None and call.body != whole:
            _set_body(request, _Changed(_body(request), call.body))
            if _LENGTH in request.headers:
                request.headers[_LENGTH] = str(len(call.body))
        return None if call is None else Request(call)

    def _call(self, request: Any, whole: bytes) -> ClientCall | None:
        headers = request.headers.items()
        return self._channels.call(_server(request), _session(request), whole, headers)

    def _pieces(self, request: Any) -> Request | None:
        body = _body(request)
        if not body or not is_json(request.headers.get("content-type", "").encode()):
            return None
        call_of = functools.partial(
            self._channels.call_in_pieces, _server(request), _session(request)
        )
        length = request.headers.get(_LENGTH)
        pieces = Pieces(Measured(None if length is None else int(length)), call_of)
        sent = Request(pieces=pieces)
        _set_body(request, _Watched(body, sent))
        return sent

    @shielded
    def _not_connected(self, request: Any, error: BaseException, since: int) -> None:
        if request.method != "POST" or connection_owner.is_held():
            return
        whole = _whole_body(request)
        if whole is not None:
            call = self._call(request, whole)
            if call is not None:
                call.not_connected(error, since)

    @shielded
    def _watch(self, call: ClientCall | ClientStream, response: Any) -> None:
        """Watch a response whose head has arrived."""
        headers = {
            name.lower().encode("latin-1"): value.encode("latin-1", "replace")
            for name, value in response.headers.items()
        }
        if getattr(response._session, "auto_decompress", True):  # noqa: SLF001  # it has no other
            # What is read has been decoded.
            headers.pop(b"content-encoding", None)
        call.response_start(response.status, headers)
        if not call.is_heard:
            return
        stream = response.content
        self._reading[id(stream)] = call
        # Called at once if all has arrived.
        stream.on_eof(functools.partial(self._arrived, stream))
        # One that is never read to its end is let go of.
        weakref.finalize(response, self._over, id(stream)).atexit = False

    @shielded
    def _heard(self, stream: Any, data: bytes) -> None:
        self._reading[id(stream)].response_body(data)
        if stream.is_eof():
            self._arrived(stream)

    @shielded
    def _broken(self, stream: Any, error: Any) -> None:
        """Take that nothing more can be read of a stream."""
        # A host that waits no longer closes its response while that is being raised.
        raised = sys.exc_info()[1]
        if isinstance(raised, CancelledError | TimeoutError):
            error = raised
        self._reading.pop(id(stream)).failed(error)

    def _arrived(self, stream: Any) -> None:
        """Take the end of what arrives in a stream; the end of reading may be later."""
        if not stream._buffer:  # noqa: SLF001  # `at_eof` is of what was read, but not on all versions
            self._over(id(stream))

    def _over(self, stream: int) -> None:
        call = self._reading.pop(stream, None)
        if call is not None:
            call.end()


def _body(request: Any) -> Any:
    return request._body if hasattr(request, "_body") else request.body  # noqa: SLF001  # before 3.12


def _set_body(request: Any, body: Any) -> None:
    if hasattr(request, "_body"):
        request._body = body  # noqa: SLF001  # to set `body` makes all headers of it anew
    else:
        request.body = body


def _whole_body(request: Any) -> bytes | None:
    """Return a request's body, if it is at hand, may be JSON and is sent in whole."""
    body = _body(request)
    if isinstance(body, _Changed | _Watched):
        # It was sent before, to somewhere else.
        body = body.__wrapped__
        _set_body(request, body)
    content_type = request.headers.get("content-type", "").encode()
    value = getattr(body, "_value", None)
    if not isinstance(value, bytes | bytearray) or not may_be_json(content_type):
        return None
    return bytes(value) if request.headers.get(_LENGTH) in (None, str(len(value))) else None


def _server(request: Any) -> Server:
    return request.url.host or "", request.url.port or 80


def _session(request: Any) -> str:
    session: str = request.headers.get("mcp-session-id", "")
    return session
