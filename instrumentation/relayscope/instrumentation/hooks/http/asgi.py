"""Hook for ASGI applications: JSON-RPC in POST requests, in responses, and on WebSockets.

Hand-written relays and backends are watched here: any application on uvicorn, hypercorn or daphne,
and those on Starlette or FastAPI whatever serves them. Where a library above understands the
messages (the `mcp` SDK's transports), it claims the call, and this hook lets go.
"""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.close_frames import close_in_frames
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.channel_close import (
    NO_CLOSE_FRAME,
    UNKNOWN_CLOSE,
    ChannelClose,
    Closer,
)

from .server_call import ServerCall
from .sessions import Sessions

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]

_current: ContextVar["_HttpCall | _WebSocketCall | None"] = ContextVar(
    "relayscope_asgi_call", default=None
)

_MARK: Final = "relayscope.watched"
"""Key in the scope of a connection that is watched already; the value is what watches it."""

# Not `__call__`: servers find out by calling an application wrongly whether it is one (uvicorn,
# config.py), and a wrapper that takes any arguments would answer differently.
_STACKS: Final = (
    ("starlette.applications", "Starlette.build_middleware_stack"),
    ("fastapi.applications", "FastAPI.build_middleware_stack"),
)


_APPLICATIONS: Final = (
    ("hypercorn.app_wrappers", "ASGIWrapper.__init__", "app"),
    ("daphne.server", "Server.__init__", "application"),
)
"""Constructors of what servers call an application by, and the attribute that has it then."""

_AROUND: Final = frozenset({"ProxyHeadersMiddleware", "MessageLoggerMiddleware"})
"""Layers that uvicorn puts around an application; the first finds out who the client is."""


class AsgiInstrumentor(BaseInstrumentor):
    """Watches the messages that ASGI applications receive and answer."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: what a version does not have is left alone."""
        return ()

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = AsgiHook(exchange or shared_exchange())
        self._patches = Patches()
        for module, path in _STACKS:
            self._patches.wrap(module, path, hook.watch_stack)
        for module, path, attribute in _APPLICATIONS:
            self._patches.wrap(module, path, partial(hook.watch_attribute, attribute))
        self._patches.wrap("uvicorn.config", "Config.load", hook.watch_loaded)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


def claim_current() -> None:
    """Leave the HTTP request or WebSocket that is being handled to a layer above."""
    call = _current.get()
    if call is None:
        return
    call.claimed = True
    if isinstance(call, _HttpCall):
        call.server_call.handled_here()


def session_channel(session_id: str) -> Channel:
    """Return the channel of a session that a layer above begins, empty if it is to have no id.

    It is that of the request that is being handled, if there is one: what has been seen of the
    session before, and what will be, is on one channel.
    """
    call = _current.get()
    if isinstance(call, _HttpCall) and not call.is_over:
        return call.server_call.lend_channel(session_id)
    channel = Channel.of_socket("http", None)
    channel.session_id = session_id
    return channel


def server_call_of(request: Any) -> ServerCall | None:
    """Return the call of a request, None if nothing watches its connection.

    Args:
        request: Starlette's, or what a framework has in its place.
    """
    call = getattr(request, "scope", {}).get(_MARK)
    return call.server_call if isinstance(call, _HttpCall) else None


class AsgiHook:
    """Puts itself between a server and an application."""

    def __init__(self, exchange: Exchange) -> None:
        self._text_exchange = TextExchange(exchange)
        self._sessions = Sessions(self._text_exchange)

    def watch_stack(
        self, build: Callable[[], Application], _: Any, _args: Any, _kwargs: Any
    ) -> Application:
        """Wrap the method that makes an application's outermost layer."""
        return self._watched(build())

    def watch_attribute(
        self, attribute: str, init: Callable[..., None], instance: Any, args: Any, kwargs: Any
    ) -> None:
        """Wrap a constructor after which an attribute has the application."""
        init(*args, **kwargs)
        self._watch(instance, attribute)

    def watch_loaded(self, load: Callable[..., None], config: Any, args: Any, kwargs: Any) -> None:
        """Wrap the method after which uvicorn has the application."""
        load(*args, **kwargs)
        self._watch(config, "loaded_app")

    @shielded
    def _watch(self, owner: Any, name: str) -> None:
        """Put what watches an application in its place, within what a server has around it."""
        application = getattr(owner, name)
        while type(application).__name__ in _AROUND:
            owner, name = application, "app"
            application = application.app
        setattr(owner, name, self._watched(application))

    def _watched(self, application: Application) -> Application:
        async def watched(scope: Any, receive: Receive, send: Send) -> None:
            await self.call(application, None, (scope, receive, send), {})

        return watched

    async def call(self, application: Application, _: Any, args: Any, kwargs: Any) -> None:
        """Run an application, or a method that is one, for one connection."""
        arguments = dict(zip(("scope", "receive", "send"), args, strict=False)) | kwargs
        scope, receive, send = arguments["scope"], arguments["receive"], arguments["send"]
        # An application may be mounted in another; the outer one sees everything. The context does
        # not tell: a server may read the next request of a connection in that of the last one.
        if _MARK in scope:
            await application(scope, receive, send)
            return
        call = scope[_MARK] = self._call(scope, receive, send)
        token = _current.set(call)
        try:
            if call is None:
                await application(scope, receive, send)
            else:
                await application(scope, call.receive, call.send)
        finally:
            _current.reset(token)
            if call is not None:
                call.end()

    @shielded
    def _call(
        self, scope: Any, receive: Receive, send: Send
    ) -> "_HttpCall | _WebSocketCall | None":
        """Return what watches a connection, None if it is none of ours."""
        if scope["type"] == "websocket":
            return _WebSocketCall(self._text_exchange, scope, receive, send)
        if scope["type"] != "http":
            return None
        headers = {name.lower(): value for name, value in scope["headers"]}
        query = scope.get("query_string", b"").decode("latin-1")
        call = self._sessions.call(scope["method"], _address(scope), query, headers)
        return None if call is None else _HttpCall(call, receive, send)


class _HttpCall:
    """One request on its way to an application, and its response.

    Attributes:
        server_call: Records its messages.
        claimed: True if a layer above records what it has not recorded itself by now. A middleware
            may have read the request before the layer above got it.
        is_over: True if the application is done with it. Tasks that it has started may live on,
            and have this request as their current one.
    """

    def __init__(self, call: ServerCall, receive: Receive, send: Send) -> None:
        self.server_call = call
        self._receive = receive
        self._send = send
        self._is_complete = False
        self.claimed = False
        self.is_over = False

    async def receive(self) -> Event:
        event = await self._receive()
        if event["type"] == "http.request":
            self.server_call.request_body(event.get("body", b""))
            if not self.claimed and not event.get("more_body", False):
                self.server_call.request_arrived()
        elif event["type"] == "http.disconnect" and not self._is_complete:
            self.server_call.response_unread()
        return event

    async def send(self, event: Event) -> None:
        if self.claimed:
            self._refusing(event)
        else:
            event = self._sending(event) or event
        self._is_complete = event["type"] == "http.response.body" and not event.get("more_body")
        try:
            await self._send(event)
        except BaseException as error:
            if not self.claimed:
                self.server_call.failed(error)
            raise
        if not self.claimed:
            self._look_after_the_client()

    @shielded
    def _look_after_the_client(self) -> None:
        """See whether what was sent last was dropped: uvicorn does not say that a client has left.

        It marks the connection only until the response is complete.
        """
        if getattr(getattr(self._send, "__self__", None), "disconnected", False):
            self.server_call.client_left()

    @shielded
    def _refusing(self, event: Event) -> None:
        """See the error with which the layer above refuses what it does not read as a message."""
        if event["type"] == "http.response.start":
            self.server_call.claimed_response_start(event["status"])
        elif event["type"] == "http.response.body":
            body, more = event.get("body", b""), event.get("more_body", False)
            self.server_call.claimed_response_body(body, more=more)

    @shielded
    def _sending(self, event: Event) -> Event:
        """Take a part of the response; return what to send in its place."""
        if event["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in event.get("headers", ())}
            self.server_call.response_start(event["status"], headers)
        elif event["type"] == "http.response.body":
            body, more = event.get("body", b""), event.get("more_body", False)
            changed = self.server_call.response_body(body, more=more)
            if changed is not body:
                return {**event, "body": changed}
        return event

    def end(self) -> None:
        self.is_over = True
        if self.claimed:
            self.server_call.claimed_end()
        else:
            self.server_call.end()


class _WebSocketCall:
    """One WebSocket on its way to an application."""

    def __init__(
        self, text_exchange: TextExchange, scope: Any, receive: Receive, send: Send
    ) -> None:
        self._text_exchange = text_exchange
        self._receive = receive
        self._send = send
        self._channel: Final = Channel.of_socket("websocket", _address(scope))
        self._channel_close = UNKNOWN_CLOSE
        self.claimed = False

    async def receive(self) -> Event:
        event = await self._receive()
        if event["type"] == "websocket.disconnect" and self._channel_close is UNKNOWN_CLOSE:
            self._channel_close = _disconnected(event, self._receive) or UNKNOWN_CLOSE
        if event["type"] == "websocket.receive" and not self.claimed:
            data = _frame(event)
            if data is not None:
                self._text_exchange.received(self._channel, data)
        return event

    async def send(self, event: Event) -> None:
        watched = event["type"] == "websocket.send" and not self.claimed
        data = _frame(event) if watched else None
        outgoing = self._text_exchange.sending(self._channel, data) if data is not None else None
        if event["type"] == "websocket.close":
            self._channel_close = _closing(event)
        if outgoing is None:
            return await self._send(event)
        kind = "text" if isinstance(outgoing.data, str) else "bytes"
        try:
            await self._send({"type": "websocket.send", kind: outgoing.data})
        except BaseException as error:
            outgoing.failed(error)
            raise
        return None

    def end(self) -> None:
        self._text_exchange.closed(self._channel, self._channel_close)


def _address(scope: Any) -> tuple[str, int] | None:
    client = scope.get("client")
    return tuple(client) if client else None


def _closing(event: Event) -> ChannelClose:
    """Return the close that an application sends."""
    return ChannelClose(event.get("code", 1000), event.get("reason") or "", closed_by=Closer.SELF)


@shielded
def _disconnected(event: Event, receive: Receive) -> ChannelClose:
    """Return the close that a server tells its application of.

    uvicorn says 1005 also of what was cut off, and of what it has closed itself for want of a pong.
    Its protocols are those of `websockets`, or have one, which knows better.
    """
    server = getattr(receive, "__self__", None)
    protocol = getattr(server, "conn", server)
    if not hasattr(protocol, "close_rcvd_then_sent"):
        return ChannelClose(event.get("code", 1005), event.get("reason") or "")
    return close_in_frames(protocol) or ChannelClose(NO_CLOSE_FRAME)


def _frame(event: Event) -> str | bytes | None:
    text = event.get("text")
    return text if text is not None else event.get("bytes")
