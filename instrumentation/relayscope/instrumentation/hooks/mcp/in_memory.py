"""Hook for the `mcp` SDK 2.x where client and server are one process and call each other.

`Client(server)` has no streams and no JSON-RPC between the two: each request is a call of the other
side's function. It is recorded as the message that a transport would have carried, once for either
side. Progress is a call of the client's own function here, and no message.
"""

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry import context as otel_context
from opentelemetry.trace import Span

from relayscope.conventions.attributes import ERROR_CANCELLED
from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.levels import Direction

from .dialect import V2
from .streams import SessionWire

_Params = Mapping[str, Any] | None

_HANDLERS: Final = ("on_request", "on_notify", "on_notify_intercept")
_INVALID_PARAMS: Final = -32602
_INTERNAL_ERROR: Final = -32603


def watch(patches: Patches, exchange: Exchange) -> None:
    """Watch every call between the two sides."""
    hook = _DirectHook(exchange)
    patches.wrap("mcp.shared.direct_dispatcher", "DirectDispatcher.run", hook.run)


class _DirectHook:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._wires: WeakKeyDictionary[Any, SessionWire] = WeakKeyDictionary()

    async def run(
        self, run: Callable[..., Awaitable[None]], dispatcher: Any, args: Any, kwargs: Any
    ) -> None:
        arguments = dict(zip(_HANDLERS, args, strict=False)) | kwargs
        side = self._side(dispatcher)
        if side is None or not {"on_request", "on_notify"} <= arguments.keys():
            await run(*args, **kwargs)
            return
        arguments |= side.watched(arguments)
        try:
            await run(**arguments)
        finally:
            side.own.closed()

    @shielded
    def _side(self, dispatcher: Any) -> "_Side":
        return _Side(self._text_exchange(dispatcher), self._text_exchange(dispatcher._peer))  # noqa: SLF001  # it has no other

    def _text_exchange(self, dispatcher: Any) -> SessionWire:
        text_exchange = self._wires.get(dispatcher)
        if text_exchange is None:
            channel = Channel(peer="memory", transport={})
            text_exchange = self._wires[dispatcher] = SessionWire(
                self._exchange, channel, V2, V2.as_json
            )
        return text_exchange


class _Side:
    """One of the two, which is called by the other.

    Attributes:
        own: Its own wire, on which it receives.
    """

    def __init__(self, own: SessionWire, other: SessionWire) -> None:
        self.own = own
        self._other = other
        self._sdk = _Sdk()

    def watched(self, handlers: Mapping[str, Any]) -> dict[str, Any]:
        """Return the functions that stand in for a side's own."""
        intercept = handlers.get("on_notify_intercept")
        return {
            "on_request": self._on_request(handlers["on_request"]),
            "on_notify": self._on_notify(handlers["on_notify"]),
            "on_notify_intercept": intercept and self._on_intercept(intercept),
        }

    def _on_request(self, handle: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def on_request(context: Any, method: str, params: _Params) -> Any:
            identifier = getattr(context, "request_id", None)
            call = self._crossed(method, params, identifier)
            try:
                result = await _working_for(call.span, handle(context, method, call.params))
            except BaseException as error:
                self._failed(call, identifier, error)
                raise
            self._answered(identifier, result)
            return result

        return on_request

    def _on_notify(self, handle: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def on_notify(context: Any, method: str, params: _Params) -> None:
            call = self._crossed(method, params)
            await _working_for(call.span, handle(context, method, call.params))

        return on_notify

    def _on_intercept(self, intercept: Callable[..., bool]) -> Callable[..., bool]:
        def on_notify_intercept(method: str, params: _Params) -> bool:
            is_consumed = intercept(method, params)
            if is_consumed:
                self._crossed(method, params)
            return is_consumed

        return on_notify_intercept

    def _crossed(self, method: str, params: _Params, identifier: Any = None) -> "_Call":
        call = self._recorded(method, params, identifier)
        return _Call(params) if call is None else call

    @shielded
    def _recorded(self, method: str, params: _Params, identifier: Any) -> "_Call":
        item = self._sdk.initiating(method, params, identifier)
        crossing = self._other.sending(item)
        carried = item.message.params if crossing is not None and crossing.carrier else params
        return _Call(carried, self.own.received(item), item)

    @shielded
    def _answered(self, identifier: Any, result: Any) -> None:
        self._answer(self._sdk.result(identifier, result))

    @shielded
    def _failed(self, call: "_Call", identifier: Any, error: BaseException) -> None:
        if isinstance(error, Exception):
            self._answer(self._sdk.error(identifier, error))
        elif call.item is not None:
            # Nobody waits any longer: the caller was cancelled, or its time is over.
            self._other.gave_up(call.item, Direction.SENT, ERROR_CANCELLED)
            self.own.gave_up(call.item, Direction.RECEIVED, ERROR_CANCELLED)

    def _answer(self, item: Any) -> None:
        self.own.sending(item)
        self._other.received(item)


class _Call:
    """A request or notification that has crossed.

    Attributes:
        params: As the other side gets them.
        span: The span to work for.
        item: The message; None if it could not be recorded.
    """

    def __init__(self, params: _Params, span: Span | None = None, item: Any = None) -> None:
        self.params = params
        self.span = span
        self.item = item


async def _working_for(span: Span | None, work: Awaitable[Any]) -> Any:
    if span is None:
        return await work
    token = otel_context.attach(current_span.within(span, otel_context.get_current()))
    try:
        return await work
    finally:
        otel_context.detach(token)


class _Sdk:
    """The SDK's messages; made only where it is there."""

    def __init__(self) -> None:
        self._types = import_module("mcp_types")
        self._wrapped = import_module("mcp.shared.message").SessionMessage
        self._invalid: type[Exception] = import_module("pydantic").ValidationError

    def initiating(self, method: str, params: _Params, identifier: Any) -> Any:
        """The message that a transport would have carried."""
        fields: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            fields["params"] = dict(params)
        if identifier is None:
            return self._wrapped(self._types.JSONRPCNotification(**fields))
        return self._wrapped(self._types.JSONRPCRequest(id=identifier, **fields))

    def result(self, identifier: Any, result: Any) -> Any:
        """The answer to a request."""
        return self._wrapped(
            self._types.JSONRPCResponse(jsonrpc="2.0", id=identifier, result=result)
        )

    def error(self, identifier: Any, error: Exception) -> Any:
        """The answer that the SDK makes of what a handler raises."""
        data = getattr(error, "error", None)
        if not isinstance(data, self._types.ErrorData):
            invalid = isinstance(error, self._invalid)
            data = self._types.ErrorData(
                code=_INVALID_PARAMS if invalid else _INTERNAL_ERROR,
                message="Invalid request parameters" if invalid else str(error),
            )
        return self._wrapped(self._types.JSONRPCError(jsonrpc="2.0", id=identifier, error=data))
