"""The parts of this process's exchange, put together."""

from importlib.metadata import version
from typing import NamedTuple

from relayscope.conventions.attributes import SCOPE

from .exchange import Exchange
from .exchange_settings import ExchangeSettings
from .recording.channel_log import ChannelLog
from .recording.message_log import MessageLog
from .recording.metrics import Durations
from .recording.spans import Spans
from .remote.level_log import LevelLog
from .remote.steering import Steering
from .runtime.shared_sanitizer import shared_sanitizer


class ProcessExchange(NamedTuple):
    """The exchange of a process, and the steering of its levels."""

    exchange: Exchange
    steering: Steering

    @classmethod
    def of(cls, settings: ExchangeSettings) -> "ProcessExchange":
        """Return one that does nothing yet."""
        release = version("relayscope")
        sanitizer = shared_sanitizer()
        logger = settings.logger_provider.get_logger(SCOPE, release)
        durations = Durations(settings.meter_provider.get_meter(SCOPE, release))
        tracer = settings.tracer_provider.get_tracer(SCOPE, release)
        exchange = Exchange(
            Spans(tracer, sanitizer, durations),
            MessageLog(logger, sanitizer, settings.body_limit),
            ChannelLog(logger, sanitizer),
            settings.levels,
            settings.call_seconds,
        )
        return cls(exchange, Steering(exchange, LevelLog(logger, sanitizer)))

    def begin(self) -> None:
        """Let it look after its calls and levels."""
        self.exchange.watch_itself()
        self.exchange.follow(self.steering.look)
        # What another process of the component was given holds from the first message on.
        self.steering.look()
