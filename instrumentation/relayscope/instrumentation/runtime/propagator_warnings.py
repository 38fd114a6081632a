"""Warnings of OpenTelemetry's propagators about wrong entries, kept from the host's log.

They quote them: a peer could write to the host's stderr what it likes and as much as it likes, also
a terminal's escapes, and a host whose stderr nobody reads would stand still.
"""

import logging
import threading
from types import TracebackType
from typing import Final

_LOGGERS: Final = (
    "opentelemetry.baggage",
    "opentelemetry.baggage.propagation",
    "opentelemetry.propagate",
    "opentelemetry.trace.propagation.tracecontext",
    "opentelemetry.trace.span",
)
"""All that propagators of W3C's entries log with. The host's own requests log as ever."""


class _Muted(threading.local):
    """Keeps records of `_LOGGERS` back in the threads in which it is entered."""

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.depth -= 1

    def filter(self, _: logging.LogRecord) -> bool:
        """Return whether a record goes on to handlers."""
        return not self.depth


muted: Final = _Muted()
"""To be entered where a peer's entries are read or passed on."""

for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(muted.filter)
