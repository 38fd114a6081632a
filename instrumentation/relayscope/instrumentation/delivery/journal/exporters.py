"""The exporters that `OTEL_TRACES_EXPORTER=relayscope` and `OTEL_LOGS_EXPORTER=relayscope` name.

The distribution replaces them by the processors, which need no exporter. Under a configurator of
somebody else they append to the same spool, as late as that one's processor hands records over.
"""

from collections.abc import Sequence

from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from .process_journal import shared_journal


class SpoolSpanExporter(SpanExporter):
    """Appends spans to the spool."""

    def __init__(self) -> None:
        self.journal = shared_journal()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append the spans."""
        for span in spans:
            self.journal.begin(span.resource)
            journal = self.journal.journal
            if journal is not None:
                journal.span(span)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Make what was exported survive this process."""
        self.journal.flush()


class SpoolLogRecordExporter(LogRecordExporter):
    """Appends log records to the spool."""

    def __init__(self) -> None:
        self.journal = shared_journal()

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Append the records."""
        for record in batch:
            self.journal.begin(record.resource or Resource.get_empty())
            journal = self.journal.journal
            if journal is not None:
                journal.log(
                    ReadWriteLogRecord(
                        log_record=record.log_record,
                        resource=record.resource,
                        instrumentation_scope=record.instrumentation_scope,
                    )
                )
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # nothing waits
        """Make what was exported survive this process."""
        self.journal.flush()
        return True

    def shutdown(self) -> None:
        """Make what was exported survive this process."""
        self.journal.flush()
