"""Costly work on a thread of its own, so that the host's threads do not wait for it.

The thread lives while there is work. The queue is bounded: a caller whose job does not fit is told
so, and makes do with less. No job waits longer than those before it take, and the process does not
end before all are done; jobs that wait are lost if it is killed.
"""

import atexit
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from relayscope.instrumentation.runtime.fork import on_fork
from relayscope.instrumentation.runtime.shield import shielded

_MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes that wait at most: thirty texts of the longest that are recorded, and 0.2 s of work."""


class Deferred:
    """Jobs that wait for their turn. Thread-safe; a forked child begins without any."""

    def __init__(self) -> None:
        self._jobs: deque[tuple[int, Callable[[], None]]] = deque()
        self._waiting = 0
        self._thread: threading.Thread | None = None
        self._changing = threading.RLock()
        self._ends_with_process = False
        on_fork(after_in_child=self._forget)

    def take(self, size: int, job: Callable[[], None]) -> bool:
        """Take a job that keeps some bytes; false if too many wait already."""
        with self._changing:
            if self._waiting + size > _MOST_BYTES:
                return False
            self._waiting += size
            self._jobs.append((size, job))
            return self._thread is not None or self._start()

    def flush(self) -> None:
        """Wait until all that has been taken is done."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _start(self) -> bool:
        if not self._ends_with_process:
            # Later than the SDK's own, so it comes before the SDK shuts down.
            atexit.register(self.flush)
            self._ends_with_process = True
        thread = threading.Thread(target=self._run, name="relayscope-deferred", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # The interpreter is about to end and starts no more threads.
            self._waiting -= self._jobs.pop()[0]
            return False
        self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            with self._changing:
                if not self._jobs:
                    self._thread = None
                    return
                size, job = self._jobs.popleft()
            _do(job)
            with self._changing:
                self._waiting -= size

    def _forget(self) -> None:
        """Leave the jobs that wait to the parent."""
        self._changing = threading.RLock()
        self._jobs.clear()
        self._waiting = 0
        self._thread = None


@shielded
def _do(job: Callable[[], None]) -> None:
    job()
