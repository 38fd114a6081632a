"""Hook for httpx: JSON-RPC in POST requests and in responses, as streamable HTTP has them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from http import HTTPStatus
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange

from .client_call import ClientCall, ClientChannels, ClientStream
from .owned_request import OwnedRequest

_BEFORE: Final = "_relayscope_before"
"""Attribute of a request that is sent with another body than the host has made."""

_WATCHED: Final = ("iter_bytes", "aiter_bytes", "close", "aclose")
"""Methods of a response: every way to read it, or to leave it, goes through these."""

_Call = ClientCall | ClientStream | OwnedRequest

_MODULES: Final = ("httpx", "httpx2")
"""The library, and its successor, which the `mcp` SDK 2.x uses."""


_CALL: Final = "_relayscope_call"
"""Attribute of a request on its way, whose response is not watched yet: its call."""

_NOT_CONNECTED: Final = frozenset({"ConnectError", "ConnectTimeout"})
_NOT_SENT: Final = frozenset(
    {
        "LocalProtocolError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "WriteError",
        "WriteTimeout",
    }
)
"""Exceptions that say that a request did not go out; after others it may have."""


class HttpxInstrumentor(BaseInstrumentor):
    """Watches the JSON-RPC messages that httpx clients post, and their responses."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the versions that have the names that are wrapped."""
        return ("httpx >= 0.23",)

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = _Hook(TextExchange(exchange or shared_exchange()))
        self._patches = Patches()
        for module in _MODULES:
            self._patches.wrap(f"{module}._client", "Client.send", hook.send)
            self._patches.wrap(f"{module}._client", "AsyncClient.send", hook.async_send)
            once = "_send_single_request"
            self._patches.wrap(f"{module}._client", f"Client.{once}", hook.send_once)
            self._patches.wrap(f"{module}._client", f"AsyncClient.{once}", hook.async_send_once)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, text_exchange: TextExchange) -> None:
        self._text_exchange = text_exchange
        self._channels = ClientChannels(text_exchange)

    def send(self, send: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
        request = args[0] if args else kwargs["request"]
        call = self._begin(request)
        if call is None:
            return send(*args, **kwargs)
        started = time.time_ns()
        try:
            response = send(*args, **kwargs)
        except BaseException as error:
            vars(request).pop(_CALL, None)
            _fail(call, error, started)
            raise
        finally:
            _restore(request)
        self._respond(request, response)
        return response

    def send_once(self, send: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
        """Send a request, which `send` may follow with others: redirects, and to log in."""
        response = send(*args, **kwargs)
        self._begun(args[0] if args else kwargs["request"], response)
        return response

    async def async_send_once(
        self, send: Callable[..., Awaitable[Any]], _: Any, args: Any, kwargs: Any
    ) -> Any:
        """Do as `send_once` does."""
        response = await send(*args, **kwargs)
        self._begun(args[0] if args else kwargs["request"], response)
        return response

    async def async_send(
        self, send: Callable[..., Awaitable[Any]], _: Any, args: Any, kwargs: Any
    ) -> Any:
        request = args[0] if args else kwargs["request"]
        call = self._begin(request)
        if call is None:
            return await send(*args, **kwargs)
        started = time.time_ns()
        try:
            response = await send(*args, **kwargs)
        except BaseException as error:
            vars(request).pop(_CALL, None)
            _fail(call, error, started)
            raise
        finally:
            _restore(request)
        self._respond(request, response)
        return response

    @shielded
    def _begin(self, request: Any) -> _Call | None:
        """Take a request that is about to be sent, if it is for messages."""
        call = self._call(request)
        if call is not None:
            vars(request)[_CALL] = call
        return call

    def _call(self, request: Any) -> _Call | None:
        if connection_owner.is_held():
            return _owned(request)
        if request.method == "GET":
            return self._channels.stream(_server(request), _session(request))
        return self._post(request) if request.method == "POST" else None

    def _post(self, request: Any) -> ClientCall | None:
        """Take a POST request, if a JSON-RPC message is its body."""
        if "json" not in request.headers.get("content-type", "json"):
            return None
        body = getattr(request, "_content", None)
        if not isinstance(body, bytes):
            return None
        headers = request.headers.items()
        call = self._channels.call(_server(request), _session(request), body, headers)
        if call is not None and call.body != body:
            # As `Request.__init__` does with `content=`.
            replaced = type(request)("POST", request.url, content=call.body)
            vars(request)[_BEFORE] = request.stream, body, request.headers.get("content-length")
            _set_body(request, replaced.stream, call.body, str(len(call.body)))
        return call

    @shielded
    def _begun(self, request: Any, response: Any) -> None:
        """Watch events that `send` itself reads: if they break off, it gives nothing of them."""
        call = vars(request).get(_CALL)
        if (
            isinstance(call, ClientCall)
            and response.status_code == HTTPStatus.OK
            and "text/event-stream" in response.headers.get("content-type", "").lower()
        ):
            self._respond(request, response)

    @shielded
    def _respond(self, request: Any, response: Any) -> None:
        """Watch the response to a request, if it is not watched."""
        call: _Call | None = vars(request).pop(_CALL, None)
        if call is None:
            return
        headers = {name.lower(): value for name, value in response.headers.raw}
        # What is read has been decoded.
        headers.pop(b"content-encoding", None)
        call.response_start(response.status_code, headers)
        if not call.is_heard:
            return
        if response.is_closed:
            call.response_body(response.content)
            call.end()
        else:
            _WatchedBody(call, response)


@shielded
def _restore(request: Any) -> None:
    """Give a request that was sent with context the body that the host has made."""
    before = vars(request).pop(_BEFORE, None)
    if before is not None:
        _set_body(request, *before)


def _set_body(request: Any, stream: Any, content: bytes, length: str | None) -> None:
    request.stream = stream
    request._content = content  # noqa: SLF001  # what `request.content` gives
    if length is None:
        request.headers.pop("content-length", None)
    else:
        request.headers["content-length"] = length


def _owned(request: Any) -> OwnedRequest | None:
    """Take a request with a message that a layer above records."""
    requester = connection_owner.requester()
    body = getattr(request, "_content", None)
    if requester is None or request.method != "POST" or not isinstance(body, bytes):
        return None
    return OwnedRequest(requester, body)


def _fail(call: _Call, error: BaseException, started: int) -> None:
    error_type = type(error).__name__
    if error_type in _NOT_CONNECTED or isinstance(error, OSError):
        call.not_connected(error, started)
    elif error_type in _NOT_SENT:
        call.not_sent(error)
    else:
        call.failed(error)


def _server(request: Any) -> tuple[str, int]:
    url = request.url
    return url.host, url.port or (443 if url.scheme == "https" else 80)


def _session(request: Any) -> str:
    session: str = request.headers.get("mcp-session-id", "")
    return session


class _WatchedBody:
    """The ways to read a response later, and to leave it, in place of its own."""

    def __init__(self, call: _Call, response: Any) -> None:
        self._call = call
        self._response = response
        self._original = {name: getattr(response, name) for name in _WATCHED}
        vars(response).update({name: getattr(self, name) for name in _WATCHED})

    def iter_bytes(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        try:
            for chunk in self._original["iter_bytes"](*args, **kwargs):
                self._call.response_body(chunk)
                yield chunk
        except BaseException as error:
            self._call.failed(error)
            raise
        self._call.end()

    async def aiter_bytes(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._original["aiter_bytes"](*args, **kwargs):
                self._call.response_body(chunk)
                yield chunk
        except BaseException as error:
            self._call.failed(error)
            raise
        self._call.end()

    def close(self) -> None:
        self._original["close"]()
        self._ended()

    async def aclose(self) -> None:
        await self._original["aclose"]()
        self._ended()

    def _ended(self) -> None:
        self._call.end()
        # What is read is the host's: it may pickle it, which a method of ours would prevent.
        for name in _WATCHED:
            vars(self._response).pop(name, None)
