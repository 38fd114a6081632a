"""Hook for the host's own `logging` records, in the span that they were made in.

OpenTelemetry's instrumentation for `logging` translates the records, but it adds a handler to the
root logger, which changes what the host does: `logging.basicConfig` would do nothing any more, and
warnings of a host that configures nothing would not reach stderr. So its handler is not added to
anything here; it is told of each record after the host's own handlers.
"""

import logging
from collections.abc import Callable, Collection
from time import time_ns
from typing import Any, Final

from opentelemetry._logs import (
    Logger,
    LoggerProvider,
    LogRecord,
    SeverityNumber,
    get_logger_provider,
)
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.logging.handler import LoggingHandler

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.recording.bounds import Bounds, body_limit, clean_record
from relayscope.instrumentation.runtime.shared_sanitizer import shared_sanitizer
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.sanitizer import Sanitizer

_NOT_THE_HOSTS: Final = ("opentelemetry", "grpc")
"""Loggers whose records are about sending records: they would never come to an end."""


class HostLogsInstrumentor(BaseInstrumentor):
    """Exports what the host logs."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: `logging` is always there."""
        return ()

    def _instrument(
        self,
        exchange: Exchange | None = None,
        logger_provider: LoggerProvider | None = None,
        **_: Any,
    ) -> None:
        provider = _SanitizingProvider(logger_provider or get_logger_provider(), shared_sanitizer())
        hook = _Hook(exchange or shared_exchange(), LoggingHandler(logger_provider=provider))
        self._patches = Patches()
        self._patches.wrap("logging", "Logger.callHandlers", hook.call_handlers)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, exchange: Exchange, handler: logging.Handler) -> None:
        self._exchange = exchange
        self._handler = handler

    def call_handlers(
        self, call_handlers: Callable[..., None], _: logging.Logger, args: Any, kwargs: Any
    ) -> None:
        call_handlers(*args, **kwargs)
        self._export(args[0] if args else kwargs["record"])

    @shielded
    def _export(self, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] in _NOT_THE_HOSTS:
            return
        self._exchange.look_at(time_ns())
        if _severity(record.levelno) >= self._exchange.levels.of_host_logs:
            self._handler.handle(record)


def _severity(level: int) -> int:
    """Return the OpenTelemetry severity number of one of `logging`'s levels."""
    if level >= logging.ERROR:
        return SeverityNumber.ERROR.value
    if level >= logging.WARNING:
        return SeverityNumber.WARN.value
    if level >= logging.INFO:
        return SeverityNumber.INFO.value
    return SeverityNumber.DEBUG.value if level >= logging.DEBUG else SeverityNumber.TRACE.value


class _SanitizingProvider(LoggerProvider):
    """Gives loggers that take the secrets out of what is logged."""

    def __init__(self, provider: LoggerProvider, sanitizer: Sanitizer) -> None:
        self._provider = provider
        self._sanitizer = sanitizer

    def get_logger(self, *args: Any, **kwargs: Any) -> Logger:
        return _SanitizingLogger(self._provider.get_logger(*args, **kwargs), self._sanitizer)


class _SanitizingLogger(Logger):
    def __init__(self, logger: Logger, sanitizer: Sanitizer) -> None:
        self._logger = logger
        self._sanitizer = sanitizer

    def enabled(self, *args: Any, **kwargs: Any) -> bool:
        return self._logger.enabled(*args, **kwargs)

    def emit(self, record: LogRecord | None = None, **_: Any) -> None:
        # The handler gives a record and nothing else.
        if record is not None:
            limit = body_limit()
            attributes = {
                name: _plain(value, limit) for name, value in (record.attributes or {}).items()
            }
            record.attributes, record.body = clean_record(
                self._sanitizer, attributes, _plain(record.body, limit), limit
            )
            self._logger.emit(record)


def _plain(value: Any, limit: int) -> Any:
    """Return a value that the sanitizer knows: a host logs objects of any kind and size."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(Bounds(limit).take(value))
