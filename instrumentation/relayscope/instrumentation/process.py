"""The one exchange of this process, made when the first hook is installed."""

import atexit
import os
from importlib.metadata import version

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger

from relayscope.conventions.attributes import SCOPE
from relayscope.conventions.environment import RELAYSCOPE_CALL_SECONDS

from .exchange import CALL_SECONDS, Exchange
from .recording.bounds import body_limit
from .recording.channel_log import ChannelLog
from .recording.message_log import MessageLog
from .recording.metrics import Durations
from .recording.spans import Spans
from .remote.level_log import LevelLog
from .remote.steering import Steering
from .runtime.shared_sanitizer import shared_sanitizer
from .traffic.chosen_levels import chosen_levels
from .traffic.levels import Levels

_exchange: Exchange | None = None
_steering: Steering | None = None


def shared_exchange() -> Exchange:
    """Return this process's exchange.

    Raises:
        ValueError: A variable has a value that it cannot have.
        OSError: The profiles' file cannot be read.
    """
    global _exchange, _steering  # noqa: PLW0603  # one per process is what the pairing of relay hops rests on
    if _exchange is None:
        levels = chosen_levels()
        sanitizer = shared_sanitizer()
        release = version("relayscope")
        logger = get_logger(SCOPE, release)
        log = MessageLog(logger, sanitizer, body_limit())
        durations = Durations(_meter(release))
        spans = Spans(trace.get_tracer(SCOPE, release), sanitizer, durations)
        channel_log = ChannelLog(logger, sanitizer)
        _exchange = Exchange(spans, log, channel_log, levels, _call_seconds())
        _exchange.watch_itself()
        _steering = Steering(_exchange, LevelLog(logger, sanitizer))
        _exchange.follow(_steering.look)
        # What another process of the component was given holds from the first message on.
        _steering.look()
        # Runs before the providers' own exit handlers, which were registered earlier.
        atexit.register(_exchange.close_all)
    return _exchange


def _meter(release: str) -> metrics.Meter:
    """Return a meter, which measures nothing if nobody exports it: each measurement takes 6 us."""
    if os.environ.get("OTEL_METRICS_EXPORTER", "none") == "none":
        return metrics.NoOpMeterProvider().get_meter(SCOPE, release)
    return metrics.get_meter(SCOPE, release)


def set_levels(levels: Levels) -> None:
    """Change what this process records, from the next message on.

    Rules that were set from outside (`relayscope level set`) go on to count before these.
    """
    shared_exchange()
    if _steering is not None:
        _steering.take_own(levels)


def check_variables() -> None:
    """Read what the environment says, without doing anything.

    Raises:
        ValueError: A variable or the profiles' file says something that it cannot say.
        OSError: The profiles' file cannot be read.
    """
    chosen_levels()
    body_limit()
    _call_seconds()


def _call_seconds() -> float:
    chosen = os.environ.get(RELAYSCOPE_CALL_SECONDS) or CALL_SECONDS
    try:
        return float(chosen)
    except ValueError:
        raise ValueError(f"{RELAYSCOPE_CALL_SECONDS} is {chosen!r}; give a number.") from None
