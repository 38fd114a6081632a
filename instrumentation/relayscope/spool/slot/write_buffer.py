"""A buffer of the latest records in memory, so that appending costs next to nothing."""

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, RLock, Thread
from time import sleep

from relayscope.spool.errors import SpoolError
from relayscope.spool.slot.sealed_segments import largest_record, too_large
from relayscope.spool.spool_settings import MIB, SpoolSettings

_SECONDS = 0.1
_FULL_BYTES = 4 * MIB

_MOST_JOBS = 1000
"""Upper bound of waiting jobs: they take as much memory as 4 MiB of small records."""

_MOST_SECONDS = 1.0
"""Time to wait for room where there are more: longer than any disk that works takes."""

_JOBS_AT_ONCE = 8
_BREATH_SECONDS = 0.0001
"""Each job computes for 10 to 20 µs. Without a pause, other threads would wait a switch interval
(5 ms) for the interpreter; so they wait for eight jobs."""


class WriteBuffer:
    """Buffers records and writes them from a thread of its own, at most 100 ms later.

    Thread-safe, and safe in signal handlers and finalisers: appending takes no lock unless memory
    is full, and there is but one.
    """

    def __init__(
        self, append_all: Callable[[deque[bytes]], object], settings: SpoolSettings
    ) -> None:
        """Buffer in front of what appends many records, and takes out those that it has written."""
        self._append_all = append_all
        self._settings = settings
        self._largest = largest_record(settings)
        self._jobs: deque[Callable[[], object]] = deque()
        self._records: deque[bytes] = deque()
        self._bytes = 0
        # Whose turn it is does jobs and writes; who interrupts its own thread may do so, too.
        self._turn = RLock()
        self._unwritten: deque[bytes] = deque()
        self._writing = False
        # Not a Condition: its lock is not reentrant, and a signal handler may append.
        self._wakeups: SimpleQueue[None] = SimpleQueue()
        self._awake = False
        self._closed = Event()
        self._thread: Thread | None = None

    def append(self, record: bytes) -> None:
        """Take a record into memory.

        Raises:
            RecordTooLarge: It will never fit into the spool.
            SpoolFull, SpoolUnavailable: Memory is full, because the disk refuses.
        """
        size = len(record)
        if size > self._largest:
            raise too_large(size, self._settings)
        if self._bytes + size > _FULL_BYTES:
            self._write()
        self._records.append(record)
        self._bytes += size
        self._wake()

    def append_later(self, job: Callable[[], object]) -> None:
        """Take something into memory that will append a record; it may not raise.

        It is called within the window, usually on the window's own thread.
        """
        self._jobs.append(job)
        # Not for ever: a job may log, and wait for a lock of the host's that the caller holds.
        if len(self._jobs) > _MOST_JOBS and self._turn.acquire(timeout=_MOST_SECONDS):
            try:
                self._work(_JOBS_AT_ONCE)
            finally:
                self._turn.release()
        self._wake()

    def flush(self) -> None:
        """Write what is in memory.

        Raises:
            SpoolFull, SpoolUnavailable: The disk refuses; what was not written stays in memory.
        """
        with self._turn:
            # Those that come meanwhile are for the next time.
            self._work(len(self._jobs))
            self._write()

    def close(self) -> None:
        """Write what is in memory and end the thread."""
        try:
            self.flush()
        finally:
            self._closed.set()
            self._wakeups.put(None)
            if self._thread is not None:
                self._thread.join()

    def _work(self, most: int) -> None:
        """Let the oldest jobs append their records."""
        with self._turn:
            for _ in range(most):
                try:
                    job = self._jobs.popleft()
                except IndexError:  # Done by who interrupted this.
                    return
                job()

    def _write(self) -> None:
        with self._turn:
            if self._writing:
                return  # What this interrupts goes on afterwards.
            self._writing = True
            try:
                for _ in range(len(self._records)):
                    self._unwritten.append(self._records.popleft())
                self._append_all(self._unwritten)
            finally:
                # Counting without a lock can miss a few; so that is made good here each time. It is
                # still writing, so that a signal handler that flushes changes nothing meanwhile.
                self._bytes = sum(map(len, self._unwritten))
                self._writing = False

    def _wake(self) -> None:
        if not self._awake:
            if self._thread is None:
                self._start()
            self._wakeups.put(None)

    def _start(self) -> None:
        with self._turn:
            if self._thread is not None:
                return
            thread = Thread(target=self._run, name="relayscope-spool", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # The interpreter is about to end and starts no more threads.
                self.flush()
            else:
                self._thread = thread

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wakeups.get()
            self._awake = True
            self._closed.wait(_SECONDS)
            # What comes from here on may be too late for this time, so it wakes anew.
            self._awake = False
            while not self._wakeups.empty():
                self._wakeups.get()
            while not self._closed.is_set():
                try:
                    self._work_with_pauses()
                    self._write()
                except SpoolError:
                    self._closed.wait(_SECONDS)  # Appending says so once memory is full.
                else:
                    break

    def _work_with_pauses(self) -> None:
        for _ in range(0, len(self._jobs), _JOBS_AT_ONCE):
            self._work(_JOBS_AT_ONCE)
            sleep(_BREATH_SECONDS)
