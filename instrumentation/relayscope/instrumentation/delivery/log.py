"""The log of a forwarder, and what `--flush` says on stderr: without credentials."""

import logging
import os
import sys
from types import TracebackType

from .credentials import without_credentials

_log = logging.getLogger(__name__)


def configure(log_format: str) -> None:
    """Send every log of this process to stderr, and what ends it too."""
    # gRPC's core writes there by itself, and quotes endpoints.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    handler = logging.StreamHandler()
    handler.setFormatter(_Clean(log_format))
    logging.basicConfig(handlers=[handler], level="INFO")
    logging.captureWarnings(capture=True)
    sys.excepthook = _tell


class _Clean(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        record.message = " ".join(record.message.splitlines())
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        # A peer chose some of the words, and a terminal shows them.
        text = without_credentials(super().format(record))
        return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _tell(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    _log.critical("ends", exc_info=(kind, error, traceback))
