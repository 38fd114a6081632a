"""A log record that costs little: the SDK's own, without its check of every attribute.

That check takes 12 of the 21 us that emitting a record took here, and the attributes are known to
fit. Where the user has set limits, or the SDK is another one, the SDK makes its own.
"""

from typing import Final

from opentelemetry._logs import Logger, LogRecord
from opentelemetry.sdk._logs import Logger as SdkLogger
from opentelemetry.sdk._logs import LogRecordLimits, ReadWriteLogRecord

from .self_check import holds
from .span import has_limits

_NO_LIMITS: Final = LogRecordLimits()


class FastLogger:
    """Emits records whose attributes are known to fit."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._sdk = None
        if (
            isinstance(logger, SdkLogger)
            and not has_limits()
            and holds(lambda: _reads_as_written(logger), "log records")
        ):
            self._sdk = logger

    def emit(self, record: LogRecord) -> None:
        """Emit a record."""
        sdk = self._sdk
        if sdk is None:
            self._logger.emit(record)
            return
        unchecked = object.__new__(ReadWriteLogRecord)
        unchecked.log_record = record
        unchecked.resource = sdk.resource
        unchecked.instrumentation_scope = sdk.instrumentation_scope
        unchecked.limits = _NO_LIMITS
        sdk.emit(unchecked)  # type: ignore[arg-type]  # which it takes as well


def _reads_as_written(logger: SdkLogger) -> bool:
    """Return whether the SDK's own record has the same fields as one that is made here."""
    record = LogRecord(attributes={"key": "value"})
    made = ReadWriteLogRecord(record, logger.resource, logger.instrumentation_scope, _NO_LIMITS)
    return vars(made).keys() == {"log_record", "resource", "instrumentation_scope", "limits"}
