"""Gets what was seen to the collector: nothing is lost on the way without being counted.

In the host's process a `Journal` numbers each span and log record and appends it to the process's
spool, on the thread that made it. A forwarder, which is a process of its own shared by all
processes of a component, sends what is in the spools to the collector.

Names are imported when they are used: the forwarder needs neither a journal nor the sanitizer.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .journal.exporters import SpoolLogRecordExporter, SpoolSpanExporter
    from .journal.journal import Journal, begin, shared_journal
    from .journal.processors import SpoolLogRecordProcessor, SpoolSpanProcessor

__all__ = [
    "Journal",
    "SpoolLogRecordExporter",
    "SpoolLogRecordProcessor",
    "SpoolSpanExporter",
    "SpoolSpanProcessor",
    "begin",
    "shared_journal",
]

_MODULES: Final = {
    "Journal": "journal.journal",
    "SpoolLogRecordExporter": "journal.exporters",
    "SpoolLogRecordProcessor": "journal.processors",
    "SpoolSpanExporter": "journal.exporters",
    "SpoolSpanProcessor": "journal.processors",
    "begin": "journal.journal",
    "shared_journal": "journal.journal",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
