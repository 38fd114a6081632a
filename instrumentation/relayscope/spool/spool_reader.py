"""Reads a spool from the oldest record on, and acknowledges delivered records."""

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from relayscope.spool.errors import SpoolClosed, from_os
from relayscope.spool.format.cursor import Cursor, flush_cursor
from relayscope.spool.format.segment import list_segments
from relayscope.spool.format.segment_sequence import SegmentSequence
from relayscope.spool.format.writer_info import read_writer_info
from relayscope.spool.position import START, Position, ReadBatch
from relayscope.spool.system import forked_child


class SpoolReader:
    """The one reader of a spool: a thread beside its writer, or another process.

    Not thread-safe. A forked child finds it closed.
    """

    def __init__(self, folder: Path) -> None:
        """Open the spool in ``folder`` (`Spool.folder`) for reading.

        Raises:
            SpoolHeld: Another reader has it.
            SpoolUnavailable: It cannot be opened.
        """
        self._folder = folder
        self._segments = SegmentSequence(folder)
        try:
            oldest = [segment.start for segment in list_segments(folder)] or [START]
            self._cursor: Cursor | None = Cursor(folder, otherwise=oldest[0])
        except OSError as error:
            raise from_os(error, f"read the spool {folder}") from error
        self._furthest = self._cursor.position
        forked_child.on_fork(self)

    @property
    def folder(self) -> Path:
        """The spool's own folder. A reader may keep files in it, which are deleted with it."""
        return self._folder

    @property
    def writer_info(self) -> bytes:
        """The bytes that describe the writer; empty if they were damaged."""
        return read_writer_info(self._folder)

    @property
    def acknowledged(self) -> Position:
        """The position up to which everything has been delivered; read from here at first."""
        return self._open_cursor().position

    @property
    def furthest(self) -> Position:
        """The position up to which records have been read: as far as may be acknowledged."""
        return self._furthest

    def read(self, position: Position, max_records: int, max_bytes: int) -> ReadBatch:
        """Read what follows ``position``.

        Args:
            position: `acknowledged`, or the ``end`` of an earlier batch.
            max_records: At most so many records.
            max_bytes: At most so many bytes of records; one record is returned however large.

        Returns:
            The records, and what was lost before the first of them; without records at the end of
            the spool (also while its last record is being written).

        Raises:
            ValueError: A limit is below one.
            SpoolUnavailable: The disk refuses.
        """
        if max_records < 1 or max_bytes < 1:
            raise ValueError(f"Read at least one record and byte, not {max_records}, {max_bytes}.")
        position = max(position, self._open_cursor().position)
        try:
            batch = self._segments.read(position, max_records, max_bytes)
        except OSError as error:
            raise from_os(error, "read the spool") from error
        self._furthest = max(self._furthest, batch.end)
        return batch

    def acknowledge(self, position: Position) -> None:
        """Remember that everything before ``position`` has been delivered, and make room.

        Going back does nothing. After a crash, what was acknowledged last may be read again.

        Raises:
            ValueError: ``position`` is further than what was read.
            SpoolUnavailable: The disk refuses; the old position stays.
        """
        cursor = self._open_cursor()
        if position > self._furthest:
            raise ValueError(f"{position} has not been read yet, only {self._furthest}.")
        if position <= cursor.position:
            return
        try:
            cursor.advance(position)
        except OSError as error:
            raise from_os(error, "acknowledge records of the spool") from error
        with suppress(OSError):  # What cannot be deleted now is deleted next time.
            self._delete_before(position)

    def close(self) -> None:
        """Let another reader have the spool."""
        self._segments.close()
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def after_fork_in_child(self) -> None:
        """Leave the spool to the parent process."""
        with suppress(OSError):
            self.close()

    def _open_cursor(self) -> Cursor:
        if self._cursor is None:
            raise SpoolClosed("This reader was closed, or belongs to the parent process.")
        return self._cursor

    def _delete_before(self, position: Position) -> None:
        segments = pairwise(list_segments(self._folder))
        delivered = [segment for segment, successor in segments if successor.start <= position]
        if delivered:
            flush_cursor(self._folder)
        for segment in delivered:
            segment.path.unlink(missing_ok=True)
