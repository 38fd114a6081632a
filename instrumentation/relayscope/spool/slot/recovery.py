"""The end of a spool that nobody has open, and the records in it that wait.

Nothing is changed on the disk: what is torn is left where it is, the next segment begins after it
and says so in its header, and readers find the same records that are found here.
"""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from relayscope.spool.format.cursor import read_cursor
from relayscope.spool.format.frame import FRAME_BYTES
from relayscope.spool.format.segment import (
    SegmentFile,
    SegmentReader,
    list_segments,
)
from relayscope.spool.position import START, Position

_RECORDS_AT_ONCE = 4096
_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a segment.

    Attributes:
        end: Position after its last valid record.
        next_start: Position of the next segment: after the torn records, so that no number is ever
            used twice.
        torn_records: Records that the next header says were cut off right before it, at least.
        torn_bytes: Bytes of them, as far as they reached the disk.
    """

    end: Position
    next_start: Position
    torn_records: int = 0
    torn_bytes: int = 0


def recover(folder: Path) -> Tail:
    """Find where the spool in ``folder`` ends.

    Raises:
        OSError: It cannot be read.
    """
    while True:
        segments = list_segments(folder)
        try:
            return measure(segments[-1]) if segments else Tail(START, START)
        except FileNotFoundError:
            continue  # A reader in another process has just deleted it.


def waiting(folder: Path) -> int:
    """Return how many records in a slot are not acknowledged.

    Raises:
        OSError: It cannot be read.
    """
    oldest = [segment.start for segment in list_segments(folder)[:1]]
    first = max([read_cursor(folder) or START, *oldest])
    return max(0, recover(folder).next_start.sequence - first.sequence)


def measure(segment: SegmentFile) -> Tail:
    """Find where a segment ends that nobody appends to.

    Raises:
        FileNotFoundError: It is gone.
        OSError: It cannot be read.
    """
    with closing(SegmentReader(segment)) as reader:
        end = _last_valid(reader)
        unread = reader.unread_bytes(end)
        tail = _torn(end, unread, reader.begun_records(end) if unread else 0)
        if end > segment.start:
            return tail
        # No record stands between this loss and the one that this header tells of.
        return replace(
            tail,
            torn_records=tail.torn_records + reader.header.torn_records,
            torn_bytes=tail.torn_bytes + reader.header.torn_bytes,
        )


def _torn(end: Position, unread: int, begun: int) -> Tail:
    if unread <= 0:
        return Tail(end, end)
    records = max(1, begun)
    size = max(0, unread - records * FRAME_BYTES)
    return Tail(end, end.after(records, size), records, size)


def _last_valid(reader: SegmentReader) -> Position:
    end = reader.start
    while True:
        records = reader.read(end, _RECORDS_AT_ONCE, _BYTES_AT_ONCE)
        if records:
            end = end.after(len(records), sum(map(len, records)))
            continue
        resumed = reader.resume(end)
        if resumed is None:
            return end
        end = resumed
