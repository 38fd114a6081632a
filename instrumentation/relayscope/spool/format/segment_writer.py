"""Appends frames to the segment that is being written."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from relayscope.spool.format.frame import FRAME_BYTES, Frames
from relayscope.spool.format.segment import HEADER_BYTES, NEXT_SEGMENT, Header, segment_path
from relayscope.spool.position import Position
from relayscope.spool.system.guest_file import GuestFile
from relayscope.spool.system.own_files import open_own
from relayscope.spool.system.syscalls import LOCK_KEPT_BYTES, flush_to_disk, write, write_aside


class SegmentWriter:
    """A segment open for appending. Not thread-safe.

    Attributes:
        start: Position of its first record.
        born: Time of its beginning, by `boot_clock.now`.
        size: Bytes in its file.
        damaged: True if the bytes at its end are unknown; then nothing may be appended.
    """

    __slots__ = (
        "_file",
        "_frames",
        "_offset",
        "_records",
        "born",
        "damaged",
        "path",
        "size",
        "start",
    )

    def __init__(self, file: GuestFile, start: Position, path: Path, header: Header) -> None:
        """Take an open file that holds the header and nothing else."""
        self.start = start
        self.path = path
        self.born = header.born
        self.size = HEADER_BYTES
        self.damaged = False
        self._file = file
        self._frames = Frames(header.marker)
        self._records = 0
        self._offset = start.offset

    @classmethod
    def create(cls, folder: Path, start: Position, header: Header) -> Self:
        """Begin a segment.

        Readers see it only with its header. A file of the same name held no record that anybody
        was promised, and is replaced.

        Raises:
            OSError: It cannot be made; nothing of it stays.
        """
        new = folder / NEXT_SEGMENT
        path = segment_path(folder, start)
        descriptor = open_own(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        try:
            write(descriptor, header.pack())
            new.replace(path)
            file = GuestFile(descriptor)
        except BaseException:
            os.close(descriptor)
            with suppress(OSError):
                new.unlink()
            raise
        return cls(file, start, path, header)

    @property
    def is_open(self) -> bool:
        """False if the host has closed its file."""
        return self._file.is_open

    @property
    def end(self) -> Position:
        """Position after its last record."""
        return Position(self.start.sequence + self._records, self._offset)

    @property
    def end_sequence(self) -> int:
        """Number of the next record."""
        return self.start.sequence + self._records

    def append(self, record: bytes) -> int:
        """Append one record.

        Returns:
            The number of the next one.

        Raises:
            OSError: The record was not written; the segment is as before.
        """
        length = len(record)
        head = self._frames.head(self._records, record)
        self._file.check()
        try:
            if length <= LOCK_KEPT_BYTES:
                write(self._file.descriptor, head + record)
            else:
                write(self._file.descriptor, head)
                write(self._file.descriptor, record)
        except BaseException:
            self._settle([length])
            raise
        # No call may stand between here and the write: a signal could raise between the two, and
        # the next record would get the number of this one.
        self._records += 1
        self._offset += length
        self.size += FRAME_BYTES + length
        return self.start.sequence + self._records

    def append_all(self, records: Sequence[bytes]) -> None:
        """Append records in one write, letting other threads run meanwhile.

        Raises:
            OSError: The last of the records were not written; `end` says how many were.
        """
        parts = []
        for index, record in enumerate(records, start=self._records):
            parts += [self._frames.head(index, record), record]
        self._file.check()
        try:
            write_aside(self._file.descriptor, b"".join(parts))
        finally:
            self._settle([len(record) for record in records])

    def flush_to_disk(self) -> None:
        """Return once the disk has everything that was appended.

        Raises:
            OSError: It has not.
        """
        if self._file.is_open:
            flush_to_disk(self._file.descriptor)
            return
        descriptor = open_own(self.path, os.O_RDWR)
        try:
            flush_to_disk(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _settle(self, lengths: Sequence[int]) -> None:
        """Let the file say how many of the records just written are whole, and cut off the rest."""
        self.damaged = True
        with suppress(OSError):
            self._file.check()
            actual = os.fstat(self._file.descriptor).st_size
            for length in lengths:
                if self.size + FRAME_BYTES + length > actual:
                    os.ftruncate(self._file.descriptor, self.size)
                    break
                self._records += 1
                self._offset += length
                self.size += FRAME_BYTES + length
            self.damaged = False
