"""Keeps accepting while PostgreSQL is away, and brings it up to date when it is back.

A request that PostgreSQL does not take is appended to the process's outage spool and flushed to the
disk; then it may be answered with OK. A thread of its own writes what waits, oldest first, through
a connection of its own, so that requests that come meanwhile are written beside it. A request that
is repeated while its first copy waits is stored once all the same: its digest decides.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from relayscope.collector.ingest.outage.spooled_batch import pack, unpack
from relayscope.spool import (
    Backlog,
    Durability,
    Overflow,
    Spool,
    SpoolError,
    SpoolFull,
    SpoolSettings,
    SpoolUnavailable,
)
from relayscope.storage import StorageFull, StorageUnavailable, WriteOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Protocol

    from relayscope.spool import ReadBatch, SpoolReader
    from relayscope.storage import Batch

    Write = Callable[[Sequence[Batch]], list[WriteOutcome]]

    class OutageCounts(Protocol):
        """Counts what became of spooled requests."""

        def drained(self, batch: Batch, outcome: WriteOutcome) -> None:
            """A request has been written to PostgreSQL."""

        def lost(self, reason: str, requests: int) -> None:
            """Requests that had been accepted cannot be written any more."""


_logger = logging.getLogger(__name__)

_RECORDS: Final = 256
_BYTES: Final = 8 * 2**20
"""Upper bounds of one transaction: 8 MiB take about half a second."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
"""Seconds between two tries; what waits moves within the longer one after PostgreSQL is back."""


_AWAY: Final = "the database is away"
_FULL: Final = "the disk of the database is full"


@dataclass(frozen=True, slots=True)
class Spooled(WriteOutcome):
    """A batch that waits on disk."""


class Outage:
    """A writer that does not fail while PostgreSQL is away.

    Several threads may `write`, each over a connection of its own. Entering the context starts the
    draining, leaving it ends it; what waits then is written by the next process that uses the same
    folder.
    """

    def __init__(self, drain: Write, root: Path, max_bytes: int, tally: OutageCounts) -> None:
        """Begin this process's spool.

        Args:
            drain: Writes to PostgreSQL, in the draining thread: over another connection.
            root: The folder of the outage spools; made if it is missing.
            max_bytes: Upper bound of the bytes that wait on disk.
            tally: Told what became of what waited.

        Raises:
            SpoolError: The folder cannot be used.
        """
        self._drain = drain
        self._tally = tally
        self._root = root
        self._settings = SpoolSettings(
            durability=Durability.POWER, overflow=Overflow.REFUSE_NEW, max_bytes=max_bytes
        )
        self._spool = Spool.create(root, self._settings)
        self._appending = threading.Lock()
        self._away = threading.Event()
        self._database_trouble = self._spool_trouble = ""
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relayscope-drain", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._spool.close()

    @property
    def is_away(self) -> bool:
        """True if PostgreSQL did not take the last write."""
        return self._away.is_set()

    def backlog(self) -> Backlog:
        """Measure the requests that wait on disk."""
        return self._spool.backlog()

    def write(self, write: Write, batches: Sequence[Batch]) -> list[WriteOutcome]:
        """Write batches to PostgreSQL, or keep them on disk while it is away.

        Args:
            write: Writes to PostgreSQL, in the thread that calls.
            batches: The batches.

        Raises:
            StorageUnavailable: Neither was possible; retryable.
        """
        if not self._away.is_set():
            try:
                outcomes = write(batches)
            except StorageUnavailable as error:
                self._database_failed(error)
            else:
                self._database_works()
                return outcomes
        try:
            with self._appending:
                for batch in batches:
                    self._spool.append(pack(batch))
        except SpoolError as error:
            self._wake.set()
            raise StorageUnavailable(
                f"{self._database_trouble or _AWAY}, and {self._spool_failed(error)}; try again"
            ) from error
        self._wake.set()
        return [Spooled()] * len(batches)

    # --- what is said of it: once, however many requests meet it -------------------------------

    def _database_failed(self, error: StorageUnavailable) -> None:
        self._away.set()
        trouble = _FULL if isinstance(error, StorageFull) else _AWAY
        # A PostgreSQL whose disk is full may end for that: it is full all the same.
        if self._database_trouble not in {trouble, _FULL}:
            self._database_trouble = trouble
            _logger.warning(
                "%s, requests go to the outage spool",
                trouble,
                extra={"reason": str(error), "folder": str(self._root)},
            )

    def _database_works(self) -> None:
        if self._database_trouble:
            self._database_trouble = self._spool_trouble = ""
            _logger.info("database back")

    def _spool_failed(self, error: SpoolError) -> str:
        """Return the reason as senders are told it, who need not know our folders."""
        if not isinstance(error, SpoolFull):
            trouble = "the disk takes nothing for the outage spool"
        elif isinstance(error.__cause__, OSError):
            trouble = "the disk of the outage spool is full"
        else:
            trouble = "the outage spool is full (outage_max_bytes)"
        if self._spool_trouble != trouble:
            self._spool_trouble = trouble
            _logger.error(
                "%s: requests are refused",
                trouble,
                extra={"reason": str(error), "folder": str(self._root)},
            )
        return trouble

    # --- the draining thread ----------------------------------------------------------------------

    def _run(self) -> None:
        self._drain_orphans()
        with self._spool.reader() as reader:
            while not self._stopping.is_set():
                self._wake.wait()
                self._wake.clear()
                self._empty(reader)

    def _drain_orphans(self) -> None:
        """Write what processes that have ended left behind."""
        while not self._stopping.is_set():
            try:
                orphan = Spool.adopt(self._root, self._settings)
            except SpoolError:
                _logger.exception("outage spool of an earlier process cannot be read")
                return
            if orphan is None:
                return
            with orphan, orphan.reader() as reader:
                self._empty(reader)

    def _empty(self, reader: SpoolReader) -> None:
        """Write everything that waits, oldest first, however long PostgreSQL is away."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                records = reader.read(reader.acknowledged, _RECORDS, _BYTES)
                if not records.records and not records.losses:
                    break
                self._write_records(records)
                reader.acknowledge(records.end)
            except (StorageUnavailable, SpoolUnavailable, SpoolFull) as error:
                if isinstance(error, StorageUnavailable):
                    self._database_failed(error)
                else:
                    self._spool_failed(error)
                self._away.set()
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._away.clear()
                self._database_works()
                pause = _FIRST_PAUSE
        else:
            return
        # Nothing waits: whether the database is back, the next request finds out.
        self._away.clear()

    def _write_records(self, records: ReadBatch) -> None:
        for loss in records.losses:
            _logger.error(
                "outage spool damaged",
                extra={"reason": loss.reason.value, "requests": loss.records},
            )
            self._tally.lost(loss.reason.value, loss.records)
        batches: list[Batch] = []
        for record in records.records:
            try:
                batches.append(unpack(record))
            except ValueError:
                _logger.exception("outage spool has a record of another version")
                self._tally.lost("unreadable", 1)
        for batch, outcome in zip(batches, self._write_each(batches), strict=True):
            if outcome is not None:
                self._tally.drained(batch, outcome)

    def _write_each(self, batches: list[Batch]) -> list[WriteOutcome | None]:
        """Write batches together; by themselves if that fails for a reason that retrying keeps."""
        try:
            return list(self._drain(batches))
        except StorageUnavailable:
            raise
        except Exception:
            if len(batches) > 1:
                return [self._write_each([batch])[0] for batch in batches]
            _logger.exception("a spooled request cannot be stored")
            self._tally.lost("refused", 1)
            return [None]
