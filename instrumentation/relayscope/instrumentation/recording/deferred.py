"""Costly work on a thread of its own, so that the host's threads do not wait for it.

The thread lives while there is work. The queue is bounded: a caller whose job does not fit is told
so, and makes do with less. No job waits longer than those before it take. The end of the process
waits for them, for a bounded time, and says how many it gave up; one that is killed loses them.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from ctypes import c_ulong, py_object, pythonapi
from typing import Final

from relayscope.instrumentation.runtime.ending import at_end
from relayscope.instrumentation.runtime.fork import on_fork
from relayscope.instrumentation.runtime.shield import shielded

_MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes that wait at most: thirty texts of the longest that are recorded, and 0.2 s of work."""

_EXIT_SECONDS: Final = 1.5
"""Seconds that the end of a process is delayed at most: seven times what a full queue takes. MCP
clients give a server 2 s from closing its stdin to SIGTERM."""

_STOP_SECONDS: Final = 0.3
"""Seconds for which the thread gets to stop; each of its searches takes a fraction of that."""

_log = logging.getLogger("relayscope.instrumentation")


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

    def flush(self, seconds: float | None = None) -> bool:
        """Wait until all that has been taken is done; false if that takes longer than this."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(seconds)
        return not thread.is_alive()

    @shielded
    def _end(self) -> None:
        thread = self._thread
        if thread is None or self.flush(_EXIT_SECONDS):
            return
        _log.warning(
            "relayscope: %d long messages are not recorded: the search for secrets in them "
            "would take longer than the %g s for which a process waits as it ends",
            len(self._jobs) + 1,
            _EXIT_SECONDS,
        )
        # A thread that comes back from re2 while the interpreter goes away aborts the process.
        pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread.ident or 0), py_object(SystemExit))
        self.flush(_STOP_SECONDS)

    def _start(self) -> bool:
        if not self._ends_with_process:
            # Later than the SDK's own, so it comes before the SDK shuts down.
            at_end(self._end)
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
