"""A slot that this process holds, with its writer."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock

from relayscope.spool.errors import SpoolError, from_os
from relayscope.spool.format.cursor import read_cursor
from relayscope.spool.format.segment import list_segments
from relayscope.spool.position import START, Backlog
from relayscope.spool.slot.recovery import Tail, recover
from relayscope.spool.slot.slot import Slot
from relayscope.spool.slot.slot_writer import SlotLost, SlotWriter
from relayscope.spool.slot.write_buffer import WriteBuffer
from relayscope.spool.spool_settings import Durability, SpoolSettings


class OpenSlot:
    """A slot with its writer, from the recovery of its tail until it is left.

    If the host closes its files, whoever adopts the slot has what was appended, and the next record
    begins another slot: this one's lock is gone, so that an adopter may be at work there already.
    """

    append: Callable[[bytes], object]
    """Append a record as durably as the settings say."""

    def __init__(
        self, slot: Slot, settings: SpoolSettings, another: Callable[[], Slot] | None = None
    ) -> None:
        """Recover the slot and continue it; it is left again if that fails.

        Args:
            slot: The slot.
            settings: Promises and bounds.
            another: Makes a slot to go on in when the host has closed the files of this one.

        Raises:
            OSError: It cannot be read.
        """
        self._settings = settings
        self._another = another
        self._moving = RLock()
        self._buffer: WriteBuffer | None = None
        try:
            self._writer = SlotWriter(slot, settings, recover(slot.folder))
        except BaseException:
            slot.leave()
            raise
        match settings.durability:
            case Durability.PROCESS:
                self.append = self._append
            case Durability.WINDOW:
                self._buffer = WriteBuffer(self._append_all, settings)
                self.append = self._buffer.append
            case Durability.POWER:
                self.append = self._append_and_flush_to_disk

    @property
    def folder(self) -> Path:
        """The slot's folder."""
        return self._writer.slot.folder

    @property
    def delivered(self) -> bool:
        """True if everything written to the slot has been acknowledged, and nothing is kept."""
        is_read = (read_cursor(self.folder) or START) >= self._writer.end
        return is_read and not self._writer.slot.is_kept

    def append_later(self, job: Callable[[], object]) -> None:
        """Call ``job``, which appends a record: now, or within the window."""
        if self._buffer is None:
            job()
        else:
            self._buffer.append_later(job)

    def flush(self) -> None:
        """Write what is in memory."""
        if self._buffer is not None:
            self._buffer.flush()

    def backlog(self) -> Backlog:
        """Measure the records that wait to be acknowledged."""
        end = self._writer.end
        oldest = [segment.start for segment in list_segments(self.folder)[:1]]
        first = min(end, max([read_cursor(self.folder) or START, *oldest]))
        return Backlog(
            records=end.sequence - first.sequence,
            bytes=end.offset - first.offset,
            disk_bytes=self._writer.disk_bytes,
            seconds=0.0 if first == end else self._writer.seconds_since(first),
        )

    def drop_to(self, max_bytes: int) -> None:
        """Drop the oldest records until the slot takes at most ``max_bytes``."""
        self._writer.drop_to(max_bytes)

    def close(self) -> None:
        """Write what is in memory and leave the slot; delete it if all was delivered.

        Raises:
            SpoolFull, SpoolUnavailable: The disk refuses what was in memory: that is lost.
        """
        try:
            if self._buffer is not None:
                self._buffer.close()
            self._writer.close()
            if self._writer.slot.is_held and self.delivered:
                self._writer.slot.remove_files()
        finally:
            self._writer.slot.leave()

    def discard(self) -> None:
        """Delete the slot, whatever is in it."""
        with suppress(SpoolError):
            self._writer.close()
        self._writer.slot.remove_files()
        self._writer.slot.leave()

    def leave_to_parent(self) -> None:
        """In a forked child: close the inherited files, of which the parent has its own."""
        with suppress(OSError):
            self._writer.leave_to_parent()
        with suppress(OSError):
            self._writer.slot.leave()

    def _append(self, record: bytes) -> int:
        writer = self._writer
        try:
            return writer.append(record)
        except SlotLost:
            self._move_from(writer)
            return self._writer.append(record)

    def _append_all(self, records: deque[bytes]) -> None:
        writer = self._writer
        try:
            writer.append_all(records)
        except SlotLost:
            self._move_from(writer)
            self._writer.append_all(records)

    def _append_and_flush_to_disk(self, record: bytes) -> None:
        sequence = self._append(record)
        self._writer.flush_to_disk(sequence)

    def _move_from(self, lost: SlotWriter) -> None:
        """Go on in another slot, unless that has been done."""
        with self._moving:
            if self._writer is not lost or self._another is None:
                return
            try:
                slot = self._another()
            except OSError as error:
                raise from_os(error, "begin another spool") from error
            writer = SlotWriter(slot, self._settings, Tail(START, START))
            # No call may stand between these two: a signal handler that appends would move, too.
            if self._writer is not lost:
                slot.remove_files()
                slot.leave()
                return
            self._writer = writer
            if self._settings.durability is Durability.POWER:
                with suppress(SpoolError):
                    lost.flush_to_disk(lost.end.sequence)
            unwritten = lost.give_up()
        self._append_all(unwritten)
