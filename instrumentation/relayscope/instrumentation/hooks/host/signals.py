"""Hook for the handlers of signals that the host sets: they wait while our code runs.

Whoever asks for a handler gets the host's own, as it was set.
"""

import signal
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.host_signals import WaitingHandler


class HostSignalsInstrumentor(BaseInstrumentor):
    """Lets the host's handlers wait."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: `signal` is always there."""
        return ()

    def _instrument(self, **_: Any) -> None:
        self._patches = Patches()
        self._patches.wrap("signal", "signal", _set)
        self._patches.wrap("signal", "getsignal", _get)
        _set_anew(_handlers())

    def _uninstrument(self, **_: Any) -> None:
        handlers = _handlers()
        self._patches.remove()
        _set_anew(handlers)


def _handlers() -> dict[signal.Signals, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _set_anew(handlers: Mapping[signal.Signals, Any]) -> None:
    """Set what the host has set, in the way in which handlers are set now."""
    for number, handler in handlers.items():
        if _may_raise(handler):
            with suppress(ValueError, OSError):  # This is not the main thread.
                signal.signal(number, handler)


def _set(set_handler: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    if "handler" in kwargs:
        kwargs = {**kwargs, "handler": _waiting(kwargs["handler"])}
    else:
        args = (*args[:1], *map(_waiting, args[1:]))
    return _of_the_host(set_handler(*args, **kwargs))


def _get(get_handler: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    return _of_the_host(get_handler(*args, **kwargs))


def _waiting(handler: Any) -> Any:
    return WaitingHandler(handler) if _may_raise(handler) else handler


def _may_raise(handler: Any) -> bool:
    # Python's own raises KeyboardInterrupt, which is no Exception: nobody keeps it.
    return callable(handler) and handler is not signal.default_int_handler


def _of_the_host(handler: Any) -> Any:
    return handler.handler if isinstance(handler, WaitingHandler) else handler
