"""The settings of this process's exchange, read before the host begins.

The exchange is made later, when the host may have changed its environment, or set up an
OpenTelemetry SDK of its own.
"""

import os
from typing import NamedTuple

from opentelemetry import metrics, trace
from opentelemetry._logs import LoggerProvider, get_logger_provider

from .recording.body_limit import body_limit
from .runtime.own_provider import tracer_provider
from .traffic.call_seconds import call_seconds
from .traffic.chosen_levels import chosen_levels
from .traffic.levels import Levels


class ExchangeSettings(NamedTuple):
    """The levels, bounds and providers of an exchange."""

    levels: Levels
    body_limit: int
    call_seconds: float
    tracer_provider: trace.TracerProvider
    logger_provider: LoggerProvider
    meter_provider: metrics.MeterProvider

    @classmethod
    def of_this_process(cls) -> "ExchangeSettings":
        """Return what the environment says, and the providers that are there.

        Raises:
            ValueError: A variable has a value that it cannot have.
            OSError: The profiles' file cannot be read.
        """
        return cls(
            chosen_levels(),
            body_limit(),
            call_seconds(),
            tracer_provider(),
            get_logger_provider(),
            _meter_provider(),
        )


def _meter_provider() -> metrics.MeterProvider:
    """Return one that measures nothing if nobody exports it: each measurement takes 6 us."""
    if os.environ.get("OTEL_METRICS_EXPORTER", "none") == "none":
        return metrics.NoOpMeterProvider()
    return metrics.get_meter_provider()
