"""Frames: the records as they stand in a segment.

::

    marker    4 bytes   random, the same for all frames of a segment: finds them after damage
    index     4 bytes   number of the record within its segment
    length    4 bytes   of the record
    checksum  4 bytes   CRC-32 of the three fields above and the record
    record    length bytes

The checksum covers the length, so that a flipped length is damage and not a jump. The marker is
random and never leaves the disk, so that nobody can send a record which holds a frame that would
be believed after damage. Integers are little-endian.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from relayscope.spool.system.syscalls import checksum

_FIELDS = struct.Struct("<4sII")
_FRAME = struct.Struct("<4sIII")
FRAME_BYTES = _FRAME.size
MARKER_BYTES = 4
LARGEST_RECORD = 0xFFFF_FFFF


class Decoded(NamedTuple):
    """Result of `Frames.decode`.

    Attributes:
        records: The valid consecutive records.
        wanted: Bytes of the next frame, if it runs past the buffer's end; otherwise 0.
    """

    records: list[bytes]
    wanted: int


class Frames:
    """The frames of the segment that has this marker; none are valid without one."""

    def __init__(self, marker: bytes) -> None:
        """Take the segment's marker; empty if it is not known."""
        self._marker = marker

    def head(self, index: int, record: bytes) -> bytes:
        """The bytes that stand before ``record``."""
        fields = _FIELDS.pack(self._marker, index, len(record))
        return fields + checksum(record, crc32(fields)).to_bytes(4, "little")

    def decode(
        self, buffer: bytes, at: int, index: int, *, max_records: int, max_bytes: int
    ) -> Decoded:
        """Read consecutive records from ``at`` on, of which the first has number ``index``.

        At least one is returned when it is there, however large; it stops before the one that
        would exceed ``max_bytes``, and at the first that is not valid.
        """
        marker = self._marker
        records: list[bytes] = []
        size = 0
        available = len(buffer)
        view = memoryview(buffer)
        while len(records) < max_records and at + FRAME_BYTES <= available:
            found_marker, found_index, length, found_checksum = _FRAME.unpack_from(buffer, at)
            if found_marker != marker or found_index != index:
                break
            size += length
            if records and size > max_bytes:
                break
            start = at + FRAME_BYTES
            end = start + length
            if end > available:
                return Decoded(records, FRAME_BYTES + length)
            record = buffer[start:end]
            if crc32(record, crc32(view[at : at + _FIELDS.size])) != found_checksum:
                break
            records.append(record)
            index += 1
            at = end
        return Decoded(records, 0)

    def find(self, buffer: bytes, index: int) -> tuple[int, int] | None:
        """Find the first valid frame in bytes that should begin with frame number ``index``.

        Returns:
            Its place in ``buffer`` and its own number, or None.
        """
        for at, found in self._heads(buffer):
            skipped = found - index
            # At most as many were skipped as have room before it; the one looked for is at 0.
            possible = skipped == at == 0 or 0 < skipped * FRAME_BYTES <= at
            if possible and self.decode(buffer, at, found, max_records=1, max_bytes=0).records:
                return at, found
        return None

    def count_begun(self, buffer: bytes, index: int) -> int:
        """Count the frames, whole or not, in bytes that should begin with frame ``index``."""
        begun = 0
        for at, found in self._heads(buffer):
            if begun <= found - index and (found - index) * FRAME_BYTES <= at:
                begun = found - index + 1
        return begun

    def _heads(self, buffer: bytes) -> Iterator[tuple[int, int]]:
        """Every place where the marker is, and the number that stands behind it."""
        at = buffer.find(self._marker) if self._marker else -1
        while 0 <= at <= len(buffer) - _FIELDS.size:
            yield at, _FIELDS.unpack_from(buffer, at)[1]
            at = buffer.find(self._marker, at + 1)
