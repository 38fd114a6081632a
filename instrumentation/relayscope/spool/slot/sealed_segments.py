"""The sealed segments of a spool, deleted to keep it within its bounds."""

from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from relayscope.spool.errors import RecordTooLarge, SpoolFull
from relayscope.spool.format.cursor import flush_cursor, read_cursor
from relayscope.spool.format.drop_log import Hole, note_drop
from relayscope.spool.format.frame import FRAME_BYTES, LARGEST_RECORD
from relayscope.spool.format.segment import (
    HEADER_BYTES,
    SegmentFile,
    SegmentReader,
    list_segments,
)
from relayscope.spool.format.segment_writer import SegmentWriter
from relayscope.spool.position import START, LossReason, Position
from relayscope.spool.spool_settings import Overflow, SpoolSettings
from relayscope.spool.system import boot_clock


@dataclass(frozen=True, slots=True)
class _Sealed:
    start: Position
    path: Path
    size: int
    born: float


class SealedSegments:
    """The sealed segments of a spool; used by its writer alone."""

    def __init__(self, folder: Path, settings: SpoolSettings, next_start: Position) -> None:
        """Take stock of a spool whose next segment begins at ``next_start``."""
        self._folder = folder
        self._settings = settings
        # A segment that begins where the next one will holds nothing, and is replaced by it.
        self._sealed = [
            sealed
            for segment in list_segments(folder)
            if segment.start < next_start and (sealed := _take_stock(segment))
        ]

    @property
    def disk_bytes(self) -> int:
        """Bytes of the sealed segments."""
        return sum(sealed.size for sealed in self._sealed)

    def add(self, segment: SegmentWriter) -> None:
        """Take over a segment that was sealed."""
        self._sealed.append(_Sealed(segment.start, segment.path, segment.size, segment.born))

    def room_for(self, record_bytes: int, end: Position) -> int:
        """Make room for a new segment.

        Args:
            record_bytes: Size of the record that the segment is begun for.
            end: Position at which it begins.

        Returns:
            The size to which it may grow.

        Raises:
            RecordTooLarge: The record exceeds the bounds even of an empty spool.
            SpoolFull: There is no room, and nothing may be dropped.
            OSError: A segment that has to go cannot be deleted.
        """
        if record_bytes > largest_record(self._settings):
            raise too_large(record_bytes, self._settings)
        self._forget_deleted()
        needed = HEADER_BYTES + FRAME_BYTES + record_bytes
        bound = self._settings.max_bytes
        wanted = max(needed, self._settings.segment_bytes)
        if self._settings.overflow is Overflow.DROP_OLDEST:
            self._drop_expired(end)
            self.drop_to(bound - wanted, end)
        elif self.disk_bytes + needed > bound:
            self._discard_acknowledged(end)
            if self.disk_bytes + needed > bound:
                raise SpoolFull(
                    f"The spool holds {self.disk_bytes} of at most {bound} bytes. "
                    "There is room again when records have been acknowledged."
                )
        return min(wanted, bound - self.disk_bytes)

    def drop_to(self, budget: int, end: Position) -> None:
        """Drop the oldest segments until the rest takes at most ``budget`` bytes."""
        while self._sealed and self.disk_bytes > budget:
            self._drop_oldest(LossReason.SIZE, end)

    def seconds_since(self, position: Position) -> float:
        """Age of the oldest sealed segment that holds a record at or after ``position``."""
        born = [sealed.born for sealed in self._sealed if sealed.start >= position]
        before = [sealed.born for sealed in self._sealed if sealed.start < position]
        oldest = (before[-1:] + born)[:1]
        return max(0.0, boot_clock.now() - oldest[0]) if oldest else 0.0

    def _drop_expired(self, end: Position) -> None:
        # A segment's last record is older than the next segment is.
        limit = boot_clock.now() - self._settings.max_age.total_seconds()
        while len(self._sealed) > 1 and self._sealed[1].born <= limit:
            self._drop_oldest(LossReason.AGE, end)

    def _drop_oldest(self, reason: LossReason, end: Position) -> None:
        oldest = self._sealed[0]
        successor = self._end_of_oldest(end)
        acknowledged = read_cursor(self._folder) or START
        if acknowledged < successor:
            hole = Hole(max(acknowledged, oldest.start), successor, reason)
            with suppress(OSError):  # The loss is counted without its note too, as missing.
                note_drop(self._folder, hole, acknowledged)
        oldest.path.unlink(missing_ok=True)
        del self._sealed[0]

    def _discard_acknowledged(self, end: Position) -> None:
        acknowledged = read_cursor(self._folder) or START
        if self._sealed and self._end_of_oldest(end) <= acknowledged:
            flush_cursor(self._folder)
        while self._sealed and self._end_of_oldest(end) <= acknowledged:
            self._sealed.pop(0).path.unlink(missing_ok=True)

    def _end_of_oldest(self, end: Position) -> Position:
        return self._sealed[1].start if len(self._sealed) > 1 else end

    def _forget_deleted(self) -> None:
        present = {segment.start for segment in list_segments(self._folder)}
        self._sealed = [sealed for sealed in self._sealed if sealed.start in present]


def largest_record(settings: SpoolSettings) -> int:
    """Return the bytes of the largest record that an empty spool can take."""
    return min(LARGEST_RECORD, settings.max_bytes - HEADER_BYTES - FRAME_BYTES)


def too_large(record_bytes: int, settings: SpoolSettings) -> RecordTooLarge:
    """Return the error for a record above `largest_record`."""
    return RecordTooLarge(
        f"A record of {record_bytes} bytes cannot be kept: with a bound of {settings.max_bytes} "
        f"bytes the largest has {largest_record(settings)}. Raise max_bytes, or make it smaller."
    )


def _take_stock(segment: SegmentFile) -> _Sealed | None:
    """Measure a segment from an earlier life of the spool; None if it is gone."""
    born = boot_clock.now()
    try:
        size = segment.path.stat().st_size
        with closing(SegmentReader(segment)) as reader:
            if boot_clock.comparable(reader.header.boot):
                born = min(born, reader.header.born)
    except FileNotFoundError:
        return None
    return _Sealed(segment.start, segment.path, size, born)
