"""Hook for signals: the host's handlers wait while our code runs.

Whoever asks for a handler gets the host's own, as it was set. A host that ends itself by a signal
that nobody handles says before that it has ended, as one does that returns.
"""

import os
import signal
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation import process
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.host_signals import WaitingHandler
from relayscope.instrumentation.runtime.shield import shielded

_ENDINGS: Final = frozenset(
    getattr(signal, name)
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM")
    if hasattr(signal, name)
)
"""Signals by which a host ends itself in good order."""


class HostSignalsInstrumentor(BaseInstrumentor):
    """Lets the host's handlers wait."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: `signal` is always there."""
        return ()

    def _instrument(self, **_: Any) -> None:
        self._patches = Patches()
        self._patches.wrap("signal", "signal", _set)
        self._patches.wrap("signal", "getsignal", _get)
        self._patches.wrap("signal", "raise_signal", _raise)
        self._patches.wrap("os", "kill", _kill)
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


def _raise(raise_signal: Callable[..., None], _: Any, args: Any, kwargs: Any) -> None:
    _end_by(*args[:1], *kwargs.values())
    raise_signal(*args, **kwargs)


def _kill(kill: Callable[..., None], _: Any, args: Any, kwargs: Any) -> None:
    if len(args) == 2 and args[0] == os.getpid():  # noqa: PLR2004  # it takes no keywords
        _end_by(args[1])
    kill(*args, **kwargs)


@shielded
def _end_by(number: Any = None, *_: Any) -> None:
    """Say that this process ends, if this signal is going to end it."""
    if number in _ENDINGS and signal.getsignal(number) is signal.SIG_DFL:
        process.end()
