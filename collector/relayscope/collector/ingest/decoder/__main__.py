"""The process that decodes large requests: see `process.py`."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from typing import Any, BinaryIO, Final

from relayscope.collector.errors import RequestRefused
from relayscope.collector.ingest.decoder.frames import LENGTH, packed, unpacked
from relayscope.collector.ingest.decoder.open_requests import OpenRequests
from relayscope.collector.internal_telemetry import json_log as log
from relayscope.sanitizer import Sanitizer

_logger = logging.getLogger(__name__)

_NICENESS: Final = 5
"""Those who send little, whose requests the receiver decodes itself, come first."""

_GARBAGE_THRESHOLD: Final = 20_000
"""Containers made between two looks for cycles, which rows do not have."""


def _next(stdin: BinaryIO) -> Any:
    """Return the next frame's content; None at the end."""
    length = stdin.read(LENGTH)
    return unpacked(stdin.read(int.from_bytes(length))) if len(length) == LENGTH else None


def _answer(opened: OpenRequests, asked: Any) -> object:
    try:
        return opened.go_on(*asked)
    except RequestRefused as error:
        return error
    except Exception as error:
        _logger.exception("request failed")
        return RuntimeError(type(error).__name__)


def _main() -> None:
    log.configure()
    os.nice(_NICENESS)
    # The receiver finishes what is under way when it is told to stop, and closes our stdin then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Whatever prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    stdin = sys.stdin.buffer
    opened = OpenRequests(Sanitizer.from_rules(_next(stdin)))
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD, 20, 20)
    while (asked := _next(stdin)) is not None:
        answers.write(packed(_answer(opened, asked)))
        answers.flush()


if __name__ == "__main__":
    _main()
