"""Hook for aiohttp's server: JSON-RPC in the POST requests that it serves, and in its responses.

A request's body is seen where the handler reads all of it (`read`, `text`, `json`), which is in the
task that handles it. A response's body is seen where its parts are written, before compression.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange

from .server_call import ServerCall
from .sessions import Sessions

_CODING = b"content-encoding"


class AiohttpServerInstrumentor(BaseInstrumentor):
    """Watches the messages that aiohttp's server receives and answers."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions that have the names that are wrapped."""
        return ("aiohttp >= 3.8, < 4",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = _Hook(TextExchange(exchange or shared_exchange()))
        self._patches = Patches()
        for module, path, wrapper in (
            ("aiohttp.web_protocol", "RequestHandler._handle_request", hook.handle),
            ("aiohttp.web_request", "BaseRequest.read", hook.read),
            ("aiohttp.web_response", "StreamResponse.prepare", hook.prepare),
            ("aiohttp.http_writer", "StreamWriter.write", hook.write),
            ("aiohttp.http_writer", "StreamWriter.write_eof", hook.write_eof),
        ):
            self._patches.wrap(module, path, wrapper)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, text_exchange: TextExchange) -> None:
        self._sessions = Sessions(text_exchange)
        # By what writes their responses: it is of one request, and a client's is none of these.
        self._calls: WeakKeyDictionary[Any, ServerCall] = WeakKeyDictionary()

    async def handle(
        self, handle: Callable[..., Awaitable[Any]], _: Any, args: Any, kwargs: Any
    ) -> Any:
        request = args[0] if args else kwargs["request"]
        call = self._begin(request)
        try:
            return await handle(*args, **kwargs)
        finally:
            if call is not None:
                call.end()

    @shielded
    def _begin(self, request: Any) -> ServerCall | None:
        """Return what watches a request, None if it is none of ours."""
        headers = _headers(request)
        client = request.transport and request.transport.get_extra_info("peername")
        call = self._sessions.call(request.method, client, request.query_string, headers)
        if call is not None:
            self._calls[request._payload_writer] = call  # noqa: SLF001  # the response's, too
        return call

    async def read(
        self, read: Callable[..., Awaitable[bytes]], request: Any, args: Any, kwargs: Any
    ) -> bytes:
        body = await read(*args, **kwargs)
        call = self._calls.get(request._payload_writer)  # noqa: SLF001
        if call is not None:
            call.request_body(body)
            call.request_arrived()
        return body

    async def prepare(
        self, prepare: Callable[..., Awaitable[Any]], response: Any, args: Any, kwargs: Any
    ) -> Any:
        begins = not response.prepared
        writer = await prepare(*args, **kwargs)
        if begins and writer is not None:
            self._prepared(response, writer)
        return writer

    @shielded
    def _prepared(self, response: Any, writer: Any) -> None:
        call = self._calls.get(writer)
        if call is None:
            return
        headers = _headers(response)
        if getattr(writer, "_compress", None) is not None:
            # What is written is compressed later.
            headers.pop(_CODING, None)
        call.response_start(response.status, headers)

    async def write(
        self, write: Callable[..., Awaitable[None]], writer: Any, args: Any, kwargs: Any
    ) -> None:
        call = self._calls.get(writer)
        if call is None:
            await write(*args, **kwargs)
            return
        chunk, *others = args or (kwargs.pop("chunk"),)
        sent = call.response_body(_bytes(chunk), more=True)
        try:
            await write(sent, *others, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise

    async def write_eof(
        self, write_eof: Callable[..., Awaitable[None]], writer: Any, args: Any, kwargs: Any
    ) -> None:
        call = self._calls.pop(writer, None)
        if call is None:
            await write_eof(*args, **kwargs)
            return
        chunk = args[0] if args else kwargs.get("chunk", b"")
        sent = call.response_body(_bytes(chunk), more=False)
        try:
            await write_eof(sent)
        except BaseException as error:
            call.failed(error)
            raise


def _headers(carrier: Any) -> dict[bytes, bytes]:
    """Return the headers of a request or a response, names in lower case."""
    return {
        name.lower().encode("utf-8", "surrogateescape"): value.encode("utf-8", "surrogateescape")
        for name, value in carrier.headers.items()
    }


def _bytes(chunk: Any) -> bytes:
    return chunk if isinstance(chunk, bytes) else bytes(chunk)
