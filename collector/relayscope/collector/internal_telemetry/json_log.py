"""The collector's own log: one line of JSON per event on stderr, never with a payload in it.

What others have said, as a library's error, passes the sanitizer: it may quote a URL.

Log with a constant event name as the message and facts as `extra`::

    logger.info("listening", extra={"protocol": "otlp/grpc", "address": "127.0.0.1:4317"})
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

import orjson

from relayscope.sanitizer import Rules, Sanitizer

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "color_message"}


class _JsonLine(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self._sanitizer = Sanitizer.from_rules(Rules.default())

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update(
            (name, value) for name, value in record.__dict__.items() if name not in _STANDARD
        )
        if record.exc_info:
            # Where it happened, not what it says: an exception's text may quote telemetry.
            kind, _, traceback = record.exc_info
            line["error"] = kind.__name__ if kind else None
            frames = []
            while traceback is not None:
                code = traceback.tb_frame.f_code
                frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
                traceback = traceback.tb_next
            line["at"] = frames[-8:]
        plain = orjson.loads(orjson.dumps(line, default=str))
        return orjson.dumps(self._sanitizer.attributes(plain)).decode()


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """Leave out what gRPC calls an error: that a client had gone, or sent too much to be answered.

    What it was refused for is counted all the same.
    """
    return "ExecuteBatchError raised in core" not in str(record.msg)


def configure() -> None:
    """Send every log of this process to stderr as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    # They log per request or repeat what we say; their warnings stay.
    for chatty in ("uvicorn.error", "alembic", "sqlalchemy", "grpc"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("grpc._cython.cygrpc").addFilter(_is_worth_telling)
