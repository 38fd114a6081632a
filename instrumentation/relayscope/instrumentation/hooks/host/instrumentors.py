"""Instrumentors of others, which are loaded at the start, and which the host may set up itself.

OpenTelemetry's loader instruments with whatever is installed. A host that then does so itself, with
a tracer provider or a format of its own, would be told that it is done already, and its choice
would be ignored: what it exports would have no spans.
"""

import logging
from importlib.metadata import EntryPoint
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

_log = logging.getLogger("relayscope.instrumentation")

_IS_DONE: Final = "_is_instrumented_by_opentelemetry"
"""What an instrumentor says of itself; hosts ask it before they instrument."""


def leave_to_the_host(entry_point: EntryPoint) -> None:
    """Let an instrumentor that has been loaded look to the host as if it had not been.

    When the host instruments with it, what was done at the start is undone before.
    """
    instrumentor = entry_point.load()()
    if isinstance(instrumentor, BaseInstrumentor) and instrumentor.is_instrumented_by_opentelemetry:
        _Loaded(instrumentor)


class _Loaded:
    """An instrumentor that the host has not used yet."""

    def __init__(self, instrumentor: BaseInstrumentor) -> None:
        self._instrumentor = instrumentor
        setattr(instrumentor, _IS_DONE, False)
        # Of the one instance that there is of its class.
        vars(instrumentor).update(instrument=self._instrument, uninstrument=self._uninstrument)

    def _instrument(self, **kwargs: Any) -> Any:
        self._give_back()
        try:
            self._instrumentor.uninstrument()
        except Exception:  # noqa: BLE001  # whatever another vendor's code may raise
            _log.debug("what was instrumented at the start is still there", exc_info=True)
        return self._instrumentor.instrument(**kwargs)

    def _uninstrument(self, **kwargs: Any) -> Any:
        self._give_back()
        return self._instrumentor.uninstrument(**kwargs)

    def _give_back(self) -> None:
        for name in ("instrument", "uninstrument"):
            vars(self._instrumentor).pop(name, None)
        setattr(self._instrumentor, _IS_DONE, True)
