"""A thread that looks after what waits, for as long as something does.

Nothing happens in a host whose peer has gone silent, so nothing else would notice that a call has
waited for too long. The thread keeps no process alive, and is gone while the process forks: a lock
that it held would stay held in the child, and Python warns of forks beside threads.
"""

import _thread
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from .fork import on_fork
from .shield import shielded

_LONGEST_SECONDS: Final = 60.0
"""Between two looks. A call that is given up after an hour may be given up a minute late; and a
thread is started once in that time, which takes 60 us, not for each call."""

SHARE: Final = 4
"""A shorter time is looked at this often while it passes."""

_FORK_SECONDS: Final = 1.0
"""Seconds that a fork waits at most for the thread to end; it is asleep, or busy for under 10
ms."""


class Timer:
    """Calls a function again and again until it says that nothing waits any more."""

    def __init__(self, look: Callable[[], bool], seconds: float) -> None:
        """Do nothing yet.

        Args:
            look: Called in the thread; returns whether something still waits.
            seconds: After which what waits is given up.
        """
        self.is_running = False
        self._look = shielded(look)
        self._pause = min(seconds / SHARE, _LONGEST_SECONDS)
        self._stop = _thread.allocate_lock()
        self._ended = _thread.allocate_lock()
        self._native_id = 0
        self._was_running = False
        on_fork(
            before=self.before_fork,
            after_in_parent=self.after_fork,
            after_in_child=self.forget,
        )

    @shielded
    def start(self) -> None:
        """Begin to look, unless that is being done."""
        if self.is_running or not self._ended.acquire(blocking=False):
            return
        self._stop.acquire(blocking=False)
        self.is_running = True
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # The interpreter is about to end.
            self.is_running = False
            self._ended.release()

    def _run(self) -> None:
        self._native_id = _thread.get_native_id()
        try:
            while not self._stop.acquire(timeout=self._pause):
                if not self._look():
                    break
        finally:
            self.is_running = False
            self._ended.release()

    @shielded
    def before_fork(self) -> None:
        """Let the thread end."""
        if not self.is_running or _thread.get_native_id() == self._native_id:
            return
        self._was_running = True
        with suppress(RuntimeError):  # Another thread forks, too, and has said so.
            self._stop.release()
        if self._ended.acquire(timeout=_FORK_SECONDS):
            self._ended.release()
        _wait_for_end(self._native_id)

    def after_fork(self) -> None:
        """Go on."""
        if self._was_running:
            self.start()
            # Two threads that fork may keep each other from it; the last one does it.
            self._was_running = not self.is_running

    def forget(self) -> None:
        """Begin anew in a child process, which has no such thread and no open calls."""
        self.is_running = self._was_running = False
        self._stop, self._ended = _thread.allocate_lock(), _thread.allocate_lock()


def _wait_for_end(native_id: int) -> None:
    """Wait until the system has forgotten a thread whose Python code is over."""
    task = Path(f"/proc/self/task/{native_id}")
    deadline = time.monotonic() + _FORK_SECONDS
    while task.exists() and time.monotonic() < deadline:
        time.sleep(0.0001)
