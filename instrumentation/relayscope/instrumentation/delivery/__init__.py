"""Gets what was seen to the collector: nothing is lost on the way without being counted.

In the host's process a `Journal` numbers each span and log record and appends it to the process's
spool, on the thread that made it. A forwarder, which is a process of its own shared by all
processes of a component, sends what is in the spools to the collector.
"""

from .exporters import SpoolLogRecordExporter, SpoolSpanExporter
from .journal import Journal, begin, shared_journal
from .processors import SpoolLogRecordProcessor, SpoolSpanProcessor

__all__ = [
    "Journal",
    "SpoolLogRecordExporter",
    "SpoolLogRecordProcessor",
    "SpoolSpanExporter",
    "SpoolSpanProcessor",
    "begin",
    "shared_journal",
]
