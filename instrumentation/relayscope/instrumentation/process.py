"""The one exchange of this process, made when the first hook is installed."""

import atexit
import os
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry._logs import get_logger

from .exchange import Exchange
from .level import Level
from .message_log import MessageLog
from .names import SCOPE
from .sanitizing import shared_sanitizer

LEVEL_VARIABLE = "RELAYSCOPE_LEVEL"

_exchange: Exchange | None = None


def shared_exchange() -> Exchange:
    """Return this process's exchange.

    Raises:
        ValueError: RELAYSCOPE_LEVEL names no level.
    """
    global _exchange  # noqa: PLW0603  # one per process is what the pairing of relay hops rests on
    if _exchange is None:
        level = Level.named(os.environ.get(LEVEL_VARIABLE) or Level.TRACE.name)
        sanitizer = shared_sanitizer()
        release = version("relayscope")
        log = MessageLog(get_logger(SCOPE, release), sanitizer, level)
        _exchange = Exchange(trace.get_tracer(SCOPE, release), log, sanitizer)
        # Runs before the providers' own exit handlers, which were registered earlier.
        atexit.register(_exchange.close_all)
    return _exchange
