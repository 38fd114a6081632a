"""Hook for `http.client`, which carries urllib, urllib3, requests and all that is built on them.

A request is taken when its head is complete. A body that is at hand then may be changed, and
`Content-Length` with it. urllib3 sends its body afterwards, so that is looked at where urllib3 is
given it, and sent with the head. A body in pieces (a file, a generator) is recorded as it passes.

A response is watched at its file, because urllib3 reads chunked ones there, past `http.client`.
"""

import functools
from collections.abc import Callable, Collection
from time import time_ns
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.hooks.pipes.watched_file import WatchedFile
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange

from .client_call import ClientCall, ClientChannels, ClientStream, is_json, may_be_json
from .client_request import (
    Pieces,
    Request,
    Response,
    framing_of,
    has_length,
    headers_of,
    server_of,
    set_length,
)
from .framing import Chunked, Measured

_REQUEST: Final = "_relayscope_request"
_COMING: Final = "_relayscope_coming"
"""Attributes of a connection: the request on its way, and the body that urllib3 will send."""


class HttpClientInstrumentor(BaseInstrumentor):
    """Watches the JSON-RPC messages that are posted with `http.client`, and their responses."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: it is part of Python."""
        return ()

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = _Hook(TextExchange(exchange or shared_exchange()))
        self._patches = Patches()
        for name in ("endheaders", "send", "getresponse", "close"):
            self._patches.replace("http.client", f"HTTPConnection.{name}", getattr(hook, name))
        self._patches.replace("urllib3.connection", "HTTPConnection.request", _tell_body)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    """Makes replacements for the connection's methods, each by the method of that name."""

    def __init__(self, text_exchange: TextExchange) -> None:
        self._channels = ClientChannels(text_exchange)

    def endheaders(self, original: Callable[..., None]) -> Callable[..., None]:
        begin = self._begin

        @functools.wraps(original)
        def endheaders(
            connection: Any, message_body: Any = None, *, encode_chunked: bool = False
        ) -> None:
            request = begin(connection, message_body)
            if request is None:
                return original(connection, message_body, encode_chunked=encode_chunked)
            connecting_since = time_ns() if connection.sock is None else None
            body = message_body if request.body is None else request.body
            try:
                original(connection, body, encode_chunked=encode_chunked)
            except BaseException as error:
                request.failed(error, connecting_since)
                raise
            if message_body is None:
                request.to_skip = len(vars(connection).get(_COMING, b"")) if body else 0
            return None

        return endheaders

    def send(self, original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def send(connection: Any, data: Any) -> None:
            attributes = vars(connection)
            request = attributes.get(_REQUEST)
            if request is None:
                return original(connection, data)
            if request.to_skip:
                request.to_skip -= len(data)
                return None
            if request.has_begun:
                request.take(data)
                return original(connection, data)
            # Connecting may send something else first, to a proxy.
            del attributes[_REQUEST]
            try:
                original(connection, data)
                request.has_begun = True
            finally:
                attributes[_REQUEST] = request
            return None

        return send

    def getresponse(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def getresponse(connection: Any, *args: Any, **kwargs: Any) -> Any:
            request = vars(connection).pop(_REQUEST, None)
            if request is None or request.call is None:
                return original(connection, *args, **kwargs)
            try:
                response = original(connection, *args, **kwargs)
            except BaseException as error:
                request.call.failed(error)
                raise
            _watch(request.call, response)
            return response

        return getresponse

    def close(self, original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def close(connection: Any) -> None:
            request = vars(connection).pop(_REQUEST, None)
            if request is not None and request.call is not None:
                request.call.end()
            return original(connection)

        return close

    @shielded
    def _begin(self, connection: Any, message_body: Any) -> Request | None:
        """Take a request whose head is about to be sent, if it is for messages."""
        attributes = vars(connection)
        attributes.pop(_REQUEST, None)
        method, lines = connection._method, connection._buffer  # noqa: SLF001  # nowhere else
        request = None
        if method == "POST":
            request = self._post(connection, lines, message_body)
        elif method == "GET":
            request = self._get(connection, lines)
        if request is not None:
            attributes[_REQUEST] = request
        return request

    def _get(self, connection: Any, lines: list[bytes]) -> Request | None:
        if connection_owner.is_held():
            return None
        session = _session(headers_of(lines))
        return Request(self._channels.stream(server_of(connection, lines), session))

    def _post(self, connection: Any, lines: list[bytes], message_body: Any) -> Request | None:
        headers = headers_of(lines)
        content_type = headers.get(b"content-type", b"")
        if (
            not may_be_json(content_type)
            or b"content-encoding" in headers
            or connection_owner.is_held()
        ):
            return None
        server, session = server_of(connection, lines), _session(headers)
        is_chunked = b"transfer-encoding" in headers
        whole = message_body
        if whole is None and not is_chunked:
            whole = vars(connection).get(_COMING)
        if isinstance(whole, bytes | bytearray) and (is_chunked or has_length(lines, len(whole))):
            names = (
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.items()
            )
            call = self._channels.call(server, session, bytes(whole), names)
            return _whole(lines, whole, call)
        call_of = functools.partial(self._channels.call_in_pieces, server, session)
        return (
            Request(pieces=Pieces(framing_of(headers), call_of)) if is_json(content_type) else None
        )


def _whole(lines: list[bytes], body: bytes | bytearray, call: ClientCall | None) -> Request | None:
    """Return the request whose body is at hand, with its head changed as its body is."""
    if call is None:
        return None
    if call.body == body:
        return Request(call)
    set_length(lines, len(call.body))
    return Request(call, call.body)


def _tell_body(original: Callable[..., None]) -> Callable[..., None]:
    """Make what stands in for urllib3's `request`."""

    @functools.wraps(original)
    def request(
        connection: Any, method: str, url: str, body: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        if method != "POST" or not isinstance(body, bytes | bytearray | str):
            return original(connection, method, url, body, *args, **kwargs)
        attributes = vars(connection)
        # As urllib3 encodes it.
        attributes[_COMING] = (
            body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        )
        try:
            return original(connection, method, url, body, *args, **kwargs)
        finally:
            attributes.pop(_COMING, None)

    return request


@shielded
def _watch(call: ClientCall | ClientStream, response: Any) -> None:
    """Watch a response whose head has arrived."""
    headers = {
        name.lower().encode("latin-1"): value.encode("latin-1", "replace")
        for name, value in response.headers.items()
    }
    call.response_start(response.status, headers)
    if not call.is_heard:
        return
    if response.fp is None or response.length == 0:
        call.end()
        return
    framing = Chunked() if response.chunked else Measured(response.length)
    response.fp = WatchedFile(response.fp, Response(call, framing).heard, call.end)


def _session(headers: dict[bytes, bytes]) -> str:
    return headers.get(b"mcp-session-id", b"").decode("latin-1")
