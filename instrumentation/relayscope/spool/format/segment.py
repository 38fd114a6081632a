"""Segments: the files that a spool's records are in.

A segment is named after the position of its first record, ``<sequence>-<offset>.segment``, so that
a listing of the folder alone tells where records are missing. It begins with its header, written
twice because without the marker in it nothing else could be read::

    magic         8 bytes   "RSSPOOL1"
    torn records  8 bytes   cut off right before this segment when its spool was recovered
    torn bytes    8 bytes
    boot         16 bytes   of the machine that began the segment (see `boot_clock`)
    born          8 bytes   seconds since that boot
    marker        4 bytes   begins every frame (see `frame`)
    checksum      4 bytes   CRC-32 of the above

and is followed by frames, without gaps: a position inside a segment is a place in its file.
"""

import os
import struct
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Self
from zlib import crc32

from relayscope.spool.format.frame import FRAME_BYTES, Frames
from relayscope.spool.position import Position
from relayscope.spool.system.own_files import open_own

_MAGIC = b"RSSPOOL1"
_HEADER = struct.Struct("<8sQQ16sd4s")
_CHECKSUM = struct.Struct("<I")
_COPY_BYTES = _HEADER.size + _CHECKSUM.size
HEADER_BYTES = 2 * _COPY_BYTES

NEXT_SEGMENT = "next"  # the name of a segment until its header is written
_SUFFIX = ".segment"
_DIGITS = 20  # of 2**64

# Bytes read at once: larger is not faster (read and decode 500 B records: 64 KiB 1.05 µs each,
# 256 KiB 0.95, 1 MiB 0.97).
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a segment."""

    torn_records: int
    torn_bytes: int
    boot: bytes
    born: float
    marker: bytes

    def pack(self) -> bytes:
        """Return the header as it is written to the file."""
        fields = _HEADER.pack(
            _MAGIC, self.torn_records, self.torn_bytes, self.boot, self.born, self.marker
        )
        return (fields + _CHECKSUM.pack(crc32(fields))) * 2

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read whichever copy is whole; if neither is, the header is not `readable`."""
        for start in (0, _COPY_BYTES):
            fields = data[start : start + _HEADER.size]
            check = data[start + _HEADER.size : start + _COPY_BYTES]
            if len(check) == _CHECKSUM.size and check == _CHECKSUM.pack(crc32(fields)):
                magic, *values = _HEADER.unpack(fields)
                if magic == _MAGIC:
                    return cls(*values)
        return cls(0, 0, b"", 0.0, b"")

    @property
    def readable(self) -> bool:
        """True if records of the segment can be found."""
        return bool(self.marker)


@dataclass(frozen=True, slots=True, order=True)
class SegmentFile:
    """A segment in a folder's listing."""

    start: Position
    path: Path


def segment_path(folder: Path, start: Position) -> Path:
    """Return the path of the segment that begins at ``start``."""
    return folder / f"{start.sequence:0{_DIGITS}d}-{start.offset:0{_DIGITS}d}{_SUFFIX}"


def list_segments(folder: Path) -> list[SegmentFile]:
    """List the segments of a folder, oldest first; none if there is no folder."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    segments = []
    for name in names:
        sequence, dash, offset = name.removesuffix(_SUFFIX).partition("-")
        if name.endswith(_SUFFIX) and dash and sequence.isdecimal() and offset.isdecimal():
            start = Position(int(sequence), int(offset))
            segments.append(SegmentFile(start, folder / name))
    return sorted(segments)


class SegmentReader:
    """Reads one segment, also while it is being written."""

    def __init__(self, segment: SegmentFile) -> None:
        """Open the file.

        Raises:
            FileNotFoundError: It is gone.
        """
        self.start = segment.start
        self._file = FileIO(open_own(segment.path, os.O_RDONLY))
        try:
            self.header = Header.unpack(self._file.read(HEADER_BYTES))
        except BaseException:
            self._file.close()
            raise
        self._frames = Frames(self.header.marker)
        self._buffer = b""
        self._buffer_at = 0

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def read(self, position: Position, max_records: int, max_bytes: int) -> list[bytes]:
        """Return the valid consecutive records at ``position``, at least one if it is there."""
        records: list[bytes] = []
        size = 0
        while len(records) < max_records and (size < max_bytes or not records):
            found = self._decode(position, max_records - len(records), max_bytes - size)
            if not found or (records and size + len(found[0]) > max_bytes):
                break
            found_bytes = sum(map(len, found))
            position = position.after(len(found), found_bytes)
            size += found_bytes
            records += found
        return records

    def resume(self, position: Position) -> Position | None:
        """Find the next valid record at or after ``position``, where none could be read."""
        found = self._frames.find(self._rest(position), self._index(position))
        if found is None:
            return None
        if self.read(position, 1, 0):
            return position  # Its writer completed it during the search.
        distance, found_index = found
        skipped = found_index - self._index(position)
        return position.after(skipped, distance - skipped * FRAME_BYTES)

    def unread_bytes(self, position: Position) -> int:
        """Bytes in the file from ``position`` on."""
        return max(0, os.fstat(self._file.fileno()).st_size - self._place(position))

    def begun_records(self, position: Position) -> int:
        """Records that were begun from ``position`` on, as far as can still be told."""
        return self._frames.count_begun(self._rest(position), self._index(position))

    def _index(self, position: Position) -> int:
        return position.sequence - self.start.sequence

    def _place(self, position: Position) -> int:
        payload = position.offset - self.start.offset
        return HEADER_BYTES + self._index(position) * FRAME_BYTES + payload

    def _decode(self, position: Position, max_records: int, max_bytes: int) -> list[bytes]:
        place = self._place(position)
        index = self._index(position)
        decode = partial(self._frames.decode, max_records=max_records, max_bytes=max_bytes)
        within = place - self._buffer_at
        # What is in the buffer and valid stays so; what is not may have been completed since.
        if 0 <= within < len(self._buffer):
            buffered = decode(self._buffer, within, index).records
            if buffered:
                return buffered
        self._fill(place, _CHUNK_BYTES)
        decoded = decode(self._buffer, 0, index)
        if not decoded.records and 0 < decoded.wanted <= self.unread_bytes(position):
            self._fill(place, decoded.wanted)
            decoded = decode(self._buffer, 0, index)
        return decoded.records

    def _fill(self, place: int, size: int) -> None:
        self._file.seek(place)
        self._buffer = self._file.read(size)
        self._buffer_at = place

    def _rest(self, position: Position) -> bytes:
        self._file.seek(self._place(position))
        return self._file.read()
