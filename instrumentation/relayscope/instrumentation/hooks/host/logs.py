"""Hook for the host's own `logging` records, in the span that they were made in.

OpenTelemetry's instrumentation for `logging` translates the records, but it adds a handler to the
root logger, which changes what the host does: `logging.basicConfig` would do nothing any more, and
warnings of a host that configures nothing would not reach stderr. So its handler is not added to
anything here; it is told of each record after the host's own handlers.
"""

import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from opentelemetry._logs import LoggerProvider, get_logger_provider
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.making import OnceMade
from relayscope.instrumentation.runtime.shield import shielded

if TYPE_CHECKING:
    from relayscope.instrumentation.exchange import Exchange

    from .log_export import LogExport

_NOT_THE_HOSTS: Final = ("opentelemetry", "grpc")
"""Loggers whose records are about sending records: they would never come to an end."""


_HANDLERS: Final = ("opentelemetry.instrumentation.logging.handler", "opentelemetry.sdk._logs")
"""Modules with OpenTelemetry's handler for `logging`, of now and of before."""


class HostLogsInstrumentor(BaseInstrumentor):
    """Exports what the host logs."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: `logging` is always there."""
        return ()

    def _instrument(
        self,
        exchange: "Exchange | None" = None,
        logger_provider: LoggerProvider | None = None,
        **_: Any,
    ) -> None:
        hook = _Hook(exchange, logger_provider or get_logger_provider())
        self._patches = Patches()
        self._patches.wrap("logging", "Logger.callHandlers", hook.call_handlers)
        for module in _HANDLERS:
            self._patches.wrap(module, "LoggingHandler.emit", hook.emit)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, exchange: "Exchange | None", provider: LoggerProvider) -> None:
        self._given = exchange
        self._provider = provider
        self._once = OnceMade(self._made)
        self._log_export: LogExport | None = None

    def call_handlers(
        self, call_handlers: Callable[..., None], _: logging.Logger, args: Any, kwargs: Any
    ) -> None:
        call_handlers(*args, **kwargs)
        self._export(args[0] if args else kwargs["record"])

    def emit(self, emit: Callable[..., None], handler: Any, args: Any, kwargs: Any) -> None:
        # A host that names no provider has ours, which gets each record from here.
        if getattr(handler, "_logger_provider", None) is not self._provider:
            emit(*args, **kwargs)

    @shielded
    def _export(self, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] in _NOT_THE_HOSTS:
            return
        if self._log_export is None:
            self._log_export = self._once.get()
        self._log_export.take(record)

    def _made(self) -> "LogExport":
        from .log_export import LogExport  # noqa: PLC0415  # takes 0.1 s, with the first record

        return LogExport(self._given or shared_exchange(), self._provider)
