"""The segments of a slot as one sequence of records, with the losses between them."""

from pathlib import Path

from relayscope.spool.format.drop_log import Hole, explain, losses_in, read_drops
from relayscope.spool.format.segment import (
    SegmentFile,
    SegmentReader,
    list_segments,
)
from relayscope.spool.position import Loss, LossReason, Position, ReadBatch


class SegmentSequence:
    """Reads the segments of a folder, while a writer may append to the last of them."""

    def __init__(self, folder: Path) -> None:
        """Prepare to read; nothing is opened yet."""
        self._folder = folder
        self._segment: SegmentReader | None = None

    def close(self) -> None:
        """Give the open segment back."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def read(self, position: Position, max_records: int, max_bytes: int) -> ReadBatch:
        """Read what follows ``position``; see `SpoolReader.read`.

        Raises:
            OSError: The disk refuses.
        """
        losses: list[Loss] = []
        while not (records := self._records(position, max_records, max_bytes)):
            onward = self._onward(position)
            if onward is None:
                self.close()  # A reader of many spools has few files open where nothing comes.
                break
            position, lost = onward
            losses += lost
        return ReadBatch(position, records, losses)

    def _records(self, position: Position, max_records: int, max_bytes: int) -> list[bytes]:
        if self._segment is None or position < self._segment.start:
            return []
        return self._segment.read(position, max_records, max_bytes)

    def _onward(self, position: Position) -> tuple[Position, list[Loss]] | None:
        """Return the next position to try and the losses before it; None at the end."""
        # Listed before the segment is read again: if it has a successor by now, it is complete.
        segments = list_segments(self._folder)
        present = [segment for segment in segments if segment.start <= position]
        following = segments[len(present) :]
        otherwise = LossReason.MISSING
        try:
            for segment in present[-1:]:
                reader = self._enter(segment)
                resumed = reader.resume(position)
                if resumed is not None:
                    return resumed, losses_in([Hole(position, resumed, LossReason.CORRUPT)])
                if reader.unread_bytes(position):
                    otherwise = LossReason.CORRUPT
            if not following:
                return None
            header = self._enter(following[0]).header
        except FileNotFoundError:
            return position, []  # Dropped or delivered since it was listed.
        if not header.readable and len(following) == 1:
            return None  # Torn when it was created: it holds nothing.
        start = following[0].start
        torn_from = max(position, start.after(-header.torn_records, -header.torn_bytes))
        lost = explain(position, torn_from, read_drops(self._folder), otherwise)
        return start, lost + losses_in([Hole(torn_from, start, LossReason.TORN)])

    def _enter(self, segment: SegmentFile) -> SegmentReader:
        """Open a segment, even if it is open: a restarted writer may have replaced its file."""
        self.close()
        self._segment = SegmentReader(segment)
        return self._segment
