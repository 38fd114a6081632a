"""The host's own logging as OpenTelemetry's log records, without secrets."""

import logging
from time import time_ns
from typing import Any

from opentelemetry._logs import Logger, LoggerProvider, LogRecord, SeverityNumber
from opentelemetry.instrumentation.logging.handler import LoggingHandler

from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.recording.body_limit import body_limit
from relayscope.instrumentation.recording.bounds import Bounds, clean_record
from relayscope.instrumentation.runtime.shared_sanitizer import shared_sanitizer
from relayscope.sanitizer import Sanitizer


class LogExport:
    """Exports the records that the levels of this process's exchange ask for."""

    def __init__(self, exchange: Exchange, provider: LoggerProvider) -> None:
        self._exchange = exchange
        self._handler = LoggingHandler(
            logger_provider=_SanitizingProvider(provider, shared_sanitizer())
        )
        self._handler.setFormatter(_Text())

    def take(self, record: logging.LogRecord) -> None:
        """Export a record."""
        self._exchange.look_at(time_ns())
        if _severity(record.levelno) >= self._exchange.levels.of_host_logs:
            self._handler.handle(record)


class _Text(logging.Formatter):
    """The text of a record; that one cannot be formatted has been told by the host's handlers."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            return record.getMessage()
        except Exception:  # noqa: BLE001  # whatever an object of the host's raises
            return record.msg if isinstance(record.msg, str) else _unprintable(record.msg)


def _unprintable(value: object) -> str:
    """Say what cannot say what it is, in the words that Python's tracebacks have for it."""
    return f"<unprintable {type(value).__name__} object>"


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
    try:
        return str(Bounds(limit).take(value))
    except Exception:  # noqa: BLE001  # whatever an object of the host's raises
        return _unprintable(value)
