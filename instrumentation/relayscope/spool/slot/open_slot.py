"""A slot that this process holds, with its writer."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from relayscope.spool.errors import SpoolError
from relayscope.spool.format.cursor import read_cursor
from relayscope.spool.format.segment import list_segments
from relayscope.spool.position import START, Backlog
from relayscope.spool.slot.recovery import recover
from relayscope.spool.slot.slot import Slot
from relayscope.spool.slot.slot_writer import SlotWriter
from relayscope.spool.slot.write_buffer import WriteBuffer
from relayscope.spool.spool_settings import Durability, SpoolSettings


class OpenSlot:
    """A slot with its writer, from the recovery of its tail until it is left."""

    append: Callable[[bytes], object]
    """Append a record as durably as the settings say."""

    def __init__(self, slot: Slot, settings: SpoolSettings) -> None:
        """Recover the slot and continue it; it is left again if that fails.

        Raises:
            OSError: It cannot be read.
        """
        self._slot = slot
        self._buffer: WriteBuffer | None = None
        try:
            self._writer = SlotWriter(slot.folder, settings, recover(slot.folder))
        except BaseException:
            slot.leave()
            raise
        match settings.durability:
            case Durability.PROCESS:
                self.append = self._writer.append
            case Durability.WINDOW:
                self._buffer = WriteBuffer(self._writer, settings)
                self.append = self._buffer.append
            case Durability.POWER:
                self.append = self._append_and_flush_to_disk

    @property
    def folder(self) -> Path:
        """The slot's folder."""
        return self._slot.folder

    @property
    def delivered(self) -> bool:
        """True if everything written to the slot has been acknowledged, and nothing is kept."""
        is_read = (read_cursor(self.folder) or START) >= self._writer.end
        return is_read and not self._slot.is_kept

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
            if self.delivered:
                self._slot.remove_files()
        finally:
            self._slot.leave()

    def discard(self) -> None:
        """Delete the slot, whatever is in it."""
        with suppress(SpoolError):
            self._writer.close()
        self._slot.remove_files()
        self._slot.leave()

    def leave_to_parent(self) -> None:
        """In a forked child: close the inherited files, of which the parent has its own."""
        with suppress(OSError):
            self._writer.leave_to_parent()
        with suppress(OSError):
            self._slot.leave()

    def _append_and_flush_to_disk(self, record: bytes) -> None:
        self._writer.flush_to_disk(self._writer.append(record))
