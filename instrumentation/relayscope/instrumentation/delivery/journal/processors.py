"""Processors that hand records to the journal at once, on the thread that emitted them."""

from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from .process_journal import ProcessJournal

if TYPE_CHECKING:
    from .journal import Journal


class _SpoolProcessor:
    """The part of a processor that is the same for both signals."""

    def __init__(self, process_journal: ProcessJournal) -> None:
        self._process_journal = process_journal
        self._journal: Journal | None = None
        self._open = True
        process_journal.join()

    def _made_now(self) -> "Journal | None":
        """Return the journal, which the first record makes."""
        self._journal = self._process_journal.journal
        return self._journal

    def shutdown(self) -> None:
        """Say that this process emits no more records of the signal."""
        if self._open:
            self._open = False
            self._process_journal.leave()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # nothing waits
        """Make what was emitted survive this process; sending is the forwarder's."""
        self._process_journal.flush()
        return True


class SpoolSpanProcessor(_SpoolProcessor, SpanProcessor):
    """Appends each sampled span to the spool when it ends."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing: a span is recorded when it has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Append the span."""
        context = span.context
        if context is not None and context.trace_flags.sampled:
            journal = self._journal or self._made_now()
            if journal is not None:
                journal.span(span)


class SpoolLogRecordProcessor(_SpoolProcessor, LogRecordProcessor):
    """Appends each log record to the spool."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Append the record."""
        journal = self._journal or self._made_now()
        if journal is not None:
            journal.log(log_record)
