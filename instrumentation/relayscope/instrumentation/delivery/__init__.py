"""Delivery of records to the collector: none is lost on the way without being counted.

In the host's process a `Journal` numbers each span and log record and appends it to the process's
spool, on the thread that made it. A forwarder, which is a process of its own shared by all
processes of a component, sends the records in the spools to the collector.

Names are imported when they are used: the forwarder needs neither a journal nor the sanitizer.
"""

from typing import TYPE_CHECKING

from relayscope.instrumentation.runtime.lazy_names import lazy_names

if TYPE_CHECKING:
    from .journal.exporters import SpoolLogRecordExporter, SpoolSpanExporter
    from .journal.process_journal import begin
    from .journal.processors import SpoolLogRecordProcessor, SpoolSpanProcessor

__all__ = [
    "SpoolLogRecordExporter",
    "SpoolLogRecordProcessor",
    "SpoolSpanExporter",
    "SpoolSpanProcessor",
    "begin",
]

__getattr__ = lazy_names(
    __name__,
    {
        "SpoolLogRecordExporter": "journal.exporters",
        "SpoolLogRecordProcessor": "journal.processors",
        "SpoolSpanExporter": "journal.exporters",
        "SpoolSpanProcessor": "journal.processors",
        "begin": "journal.process_journal",
    },
)
