"""Keeps the records of the last moments in memory, so that appending costs next to nothing."""

from collections import deque
from queue import Empty, SimpleQueue
from threading import RLock, Thread

from relayscope.spool.errors import SpoolError
from relayscope.spool.retention import largest_record, too_large
from relayscope.spool.settings import MIB, Settings
from relayscope.spool.writer import Writer

_SECONDS = 0.1
_FULL_BYTES = 4 * MIB


class Window:
    """Buffers records and writes them from a thread of its own, at most 100 ms later.

    Thread-safe, and safe in signal handlers and finalisers.
    """

    def __init__(self, writer: Writer, settings: Settings) -> None:
        """Buffer in front of ``writer``."""
        self._writer = writer
        self._settings = settings
        self._largest = largest_record(settings)
        self._lock = RLock()
        self._records: deque[bytes] = deque()
        self._bytes = 0
        self._writing = RLock()  # Taken before `_lock`, and longer: keeps the order.
        self._closed = False
        # Not a Condition: its lock is not reentrant, and a signal handler may append.
        self._wakeups: SimpleQueue[None] = SimpleQueue()
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
            self.flush()
        with self._lock:
            self._records.append(record)
            self._bytes += size
            if len(self._records) > 1:
                return
            if self._thread is not None:
                self._wakeups.put(None)
                return
        self._start()

    def flush(self) -> None:
        """Write what is in memory.

        Raises:
            SpoolFull, SpoolUnavailable: The disk refuses; what was not written stays in memory.
        """
        with self._writing:
            with self._lock:
                records, self._records = self._records, deque()
                self._bytes = 0
            try:
                self._writer.append_all(records)
            finally:
                if records:
                    with self._lock:
                        records.extend(self._records)
                        self._records = records
                        self._bytes = sum(map(len, records))

    def close(self) -> None:
        """Write what is in memory and end the thread."""
        try:
            self.flush()
        finally:
            self._closed = True
            self._wakeups.put(None)
            if self._thread is not None:
                self._thread.join()

    def _start(self) -> None:
        thread = Thread(target=self._run, name="relayscope-spool", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # The interpreter is about to end and starts no more threads.
            self.flush()
        else:
            self._thread = thread
            self._wakeups.put(None)

    def _run(self) -> None:
        while not self._closed:
            self._wakeups.get()
            self._wait()
            while not self._closed:
                try:
                    self.flush()
                except SpoolError:
                    self._wait()  # The disk refuses; appending says so once memory is full.
                else:
                    break

    def _wait(self) -> None:
        if not self._closed:
            try:
                self._wakeups.get(timeout=_SECONDS)
            except Empty:
                return
