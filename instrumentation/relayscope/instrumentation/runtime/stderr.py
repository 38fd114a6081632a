"""Relayscope's own messages on the host's stderr, unless the user wants quiet."""

import os
import select
import sys
import threading
from contextlib import suppress
from typing import Final

from relayscope.conventions.environment import RELAYSCOPE_QUIET

_MOST: Final = 512
"""Bytes that are written at once: what POSIX promises that a pipe takes whole once it is ready."""


def is_quiet() -> bool:
    """Return whether nothing of the kind is to be said."""
    return os.environ.get(RELAYSCOPE_QUIET, "").strip().lower() not in {"", "0", "false"}


def say(text: str) -> bool:
    """Write a line to stderr, without ever waiting for its reader.

    Returns:
        True if that is done with; else it would have had to wait, and may be tried again.
    """
    line = f"relayscope: {text}\n".encode("utf-8", "backslashreplace")[:_MOST]
    if is_quiet():
        return True
    try:
        descriptor = (sys.stderr or sys.__stderr__).fileno()  # type: ignore[union-attr]  # no stderr
    except (AttributeError, OSError, ValueError):
        return True
    if sys.platform == "win32":  # It cannot tell whether a pipe has room.
        with suppress(RuntimeError):  # The interpreter is about to end.
            threading.Thread(target=os.write, args=(descriptor, line), daemon=True).start()
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    if not poll.poll(0):
        return False
    with suppress(OSError):
        os.write(descriptor, line)
    return True
