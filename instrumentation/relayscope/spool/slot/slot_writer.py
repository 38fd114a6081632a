"""Appends records to the segments of one slot."""

import os
from collections import deque
from contextlib import suppress
from itertools import accumulate, islice, takewhile
from threading import RLock
from time import monotonic

from relayscope.spool.errors import SpoolClosed, SpoolError, SpoolUnavailable, from_os
from relayscope.spool.format.frame import FRAME_BYTES, MARKER_BYTES
from relayscope.spool.format.segment import Header, SegmentFile
from relayscope.spool.format.segment_writer import SegmentWriter
from relayscope.spool.position import Position
from relayscope.spool.slot.recovery import Tail, measure
from relayscope.spool.slot.sealed_segments import SealedSegments, largest_record, too_large
from relayscope.spool.slot.slot import Slot
from relayscope.spool.spool_settings import Durability, SpoolSettings
from relayscope.spool.system import boot_clock
from relayscope.spool.system.syscalls import flush_folder

# Other threads wait while the frames of so much are put together (500 B records: 60 µs); the write
# itself lets them run.
_BYTES_AT_ONCE = 64 * 1024

# To ask for the lock as well as for the segment would double what asking costs each record. A host
# that closes what it does not know closes both; and an adopter looks every 0.3 s.
_LOOK_SECONDS = 0.1


class SlotLost(SpoolUnavailable):
    """The host has closed the files: what is in the slot is left to whoever adopts it."""


class SlotWriter:
    """The one writer of a slot. Thread-safe, and safe in signal handlers and finalisers.

    Attributes:
        slot: The slot, which this process holds unless the host has closed its files.
    """

    def __init__(self, slot: Slot, settings: SpoolSettings, tail: Tail) -> None:
        """Continue the spool in ``slot`` after ``tail``."""
        self.slot = slot
        self._folder = folder = slot.folder
        self._settings = settings
        self._next_start = tail.next_start
        self._torn_records = tail.torn_records
        self._torn_bytes = tail.torn_bytes
        self._sealed = SealedSegments(folder, settings, tail.next_start)
        self._segment: SegmentWriter | None = None
        self._seal_size = 0
        self._seal_time = 0.0
        self._look_time = 0.0
        self._closed = False
        # Reentrant, because a signal handler or finaliser may append while its own thread does.
        self._lock = RLock()
        self._appending = False
        self._interrupting: deque[bytes] = deque()
        # Flushes are shared: whoever gets this lock flushes what all others have appended by then.
        # Taken alone or inside `_lock`, never the other way round.
        self._flushing = RLock()
        self._safe_sequence = tail.next_start.sequence
        self._unsafe = range(0)
        if tail.torn_records:
            # Readers learn of the loss from the next header. If the disk is full now, the first
            # append writes it.
            with suppress(SpoolError):
                self.begin_segment()

    @property
    def end(self) -> Position:
        """Position after the last record."""
        segment = self._segment
        return self._next_start if segment is None else segment.end

    @property
    def disk_bytes(self) -> int:
        """Bytes of all segments."""
        with self._lock:
            active = 0 if self._segment is None else self._segment.size
            return self._sealed.disk_bytes + active

    def seconds_since(self, position: Position) -> float:
        """Age of the oldest segment that holds records at or after ``position``."""
        with self._lock:
            segment = self._segment
            if segment is not None and segment.start <= position:
                return boot_clock.now() - segment.born
            return self._sealed.seconds_since(position)

    def append(self, record: bytes) -> int:
        """Hand a record to the operating system.

        Returns:
            The number that the next record will have: what `flush_to_disk` takes.

        Raises:
            SpoolFull: There is no room on the disk, or within the bounds.
            SpoolUnavailable: The disk refuses.
            SlotLost: The host has closed the files.
            RecordTooLarge: It will never fit.
        """
        with self._lock:
            if self._appending:
                # The append that this one interrupts writes it, right after its own record.
                if len(record) > largest_record(self._settings):
                    raise too_large(len(record), self._settings)
                self._interrupting.append(record)
                return self.end.sequence
            try:
                self._appending = True
                segment = self._segment_for(len(record))
                sequence = segment.append(record)
                if self._interrupting:
                    self._append_interrupting()
            except OSError as error:
                raise self._refusal(error, "append to the spool") from error
            finally:
                self._appending = False
            return sequence

    def append_all(self, records: deque[bytes]) -> None:
        """Append records in few writes, letting other threads run meanwhile.

        Those that were written are taken out of ``records``, also on failure.

        Raises:
            As `append`.
        """
        with self._lock:
            if self._appending:
                self._interrupting.extend(records)
                records.clear()
                return
            try:
                self._appending = True
                while records:
                    self._append_some(records)
                self._append_interrupting()
            except OSError as error:
                raise self._refusal(error, "append to the spool") from error
            finally:
                self._appending = False

    def flush_to_disk(self, sequence: int) -> None:
        """Return once the disk has all records before number ``sequence``.

        Raises:
            SpoolUnavailable: The flush failed; they may be there or not.
        """
        with self._flushing:
            if sequence in self._unsafe:
                raise SpoolUnavailable("The disk failed to keep a record; append it again.")
            segment = self._segment
            if segment is None or self._safe_sequence >= sequence:
                return  # Sealing flushes, too.
            reached = segment.end_sequence
            try:
                segment.flush_to_disk()
            except OSError as error:
                segment.damaged = True
                self._give_up_until(reached)
                raise from_os(error, "flush the spool") from error
            self._safe_sequence = reached

    def drop_to(self, max_bytes: int) -> None:
        """Drop the oldest records until all segments take at most ``max_bytes``.

        Raises:
            SpoolFull, SpoolUnavailable: The disk refuses.
        """
        with self._lock:
            # A new segment, so that the reader finds an end to the hole.
            self.begin_segment()
            active = 0 if self._segment is None else self._segment.size
            try:
                self._sealed.drop_to(max_bytes - active, self.end)
            except OSError as error:
                raise from_os(error, "drop the oldest records") from error

    def begin_segment(self) -> None:
        """Seal the present segment and begin one that only tells of losses before it.

        The first record that is appended then begins its own in its place.

        Raises:
            SpoolFull, SpoolUnavailable: The disk refuses.
        """
        with self._lock:
            try:
                self._seal()
                self._begin_segment(0)
            except OSError as error:
                raise from_os(error, "begin a segment of the spool") from error

    def close(self) -> None:
        """Seal the present segment; nothing can be appended any more."""
        with self._lock:
            self._closed = True
            try:
                self._seal()
            except OSError as error:
                raise from_os(error, "close the spool") from error

    def leave_to_parent(self) -> None:
        """In a forked child: close the inherited file, and touch nothing else."""
        segment, self._segment, self._closed = self._segment, None, True
        if segment is not None:
            segment.close()

    def give_up(self) -> deque[bytes]:
        """Leave the slot as it is; who appends from now on is told that it is lost.

        Returns:
            Records that signal handlers have appended, and that are not written.
        """
        with self._lock:
            self.slot.leave()
            self.leave_to_parent()
            self._look_time = 0.0
            return self._interrupting

    def _append_some(self, records: deque[bytes]) -> None:
        """Append as many records as make one write into one segment."""
        segment = self._segment_for(len(records[0]))
        room = min(self._seal_size - segment.size, _BYTES_AT_ONCE)
        sizes = accumulate(FRAME_BYTES + len(record) for record in records)
        fitting = max(1, sum(1 for _ in takewhile(lambda size: size <= room, sizes)))
        before = segment.end_sequence
        try:
            segment.append_all(tuple(islice(records, fitting)))
        finally:
            for _ in range(segment.end_sequence - before):
                records.popleft()

    def _append_interrupting(self) -> None:
        # What fails now stays for the next append: its own record is safe, and may not fail.
        with suppress(OSError, SpoolError):
            while self._interrupting:
                record = self._interrupting[0]
                self._segment_for(len(record)).append(record)
                self._interrupting.popleft()

    def _refusal(self, error: OSError, action: str) -> SpoolError:
        if self.slot.is_held and (self._segment is None or self._segment.is_open):
            return from_os(error, action)
        return SlotLost("The host has closed the files of its spool; another one is begun.")

    def _segment_for(self, length: int) -> SegmentWriter:
        segment = self._segment
        now = monotonic()
        if now >= self._look_time:
            self.slot.check()
            self._look_time = now + _LOOK_SECONDS
        if (
            segment is None
            or segment.size + FRAME_BYTES + length > self._seal_size
            or segment.damaged
            or now >= self._seal_time
        ):
            if self._closed:
                raise SpoolClosed("This spool was closed.")
            self._seal()
            return self._begin_segment(self._sealed.room_for(length, self._next_start))
        return segment

    def _begin_segment(self, seal_size: int) -> SegmentWriter:
        header = Header(
            self._torn_records,
            self._torn_bytes,
            boot_clock.this_boot(),
            boot_clock.now(),
            os.urandom(MARKER_BYTES),
        )
        segment = SegmentWriter.create(self._folder, self._next_start, header)
        if self._settings.durability is Durability.POWER:
            try:
                segment.flush_to_disk()
                flush_folder(self._folder)
                flush_folder(self._folder.parent)
            except BaseException:
                segment.close()
                raise
        self._seal_size = seal_size
        self._seal_time = monotonic() + self._settings.segment_seconds
        self._segment = segment
        return segment

    def _seal(self) -> None:
        segment = self._segment
        if segment is None:
            return
        with self._flushing:
            end = self._end_of(segment)
            if self._settings.durability is Durability.POWER:
                self._flush_before_sealing(segment, end)
            self._next_start = end
            self._segment = None
            segment.close()
        if end > segment.start:  # Otherwise the next one replaces it, and has the same losses.
            self._sealed.add(segment)
            self._torn_records = self._torn_bytes = 0

    def _end_of(self, segment: SegmentWriter) -> Position:
        if segment.damaged:
            with suppress(FileNotFoundError):
                return measure(SegmentFile(segment.start, segment.path)).end
        return segment.end

    def _flush_before_sealing(self, segment: SegmentWriter, end: Position) -> None:
        # The system forgets what it could not write: after one failed flush, the next one of the
        # same file would succeed and prove nothing.
        if not segment.damaged:
            with suppress(OSError):
                segment.flush_to_disk()
                self._safe_sequence = end.sequence
                return
        self._give_up_until(end.sequence)

    def _give_up_until(self, sequence: int) -> None:
        """Let every append fail that waits for a flush of a record before ``sequence``."""
        first = self._unsafe.start if self._unsafe else self._safe_sequence + 1
        self._unsafe = range(first, sequence + 1)
