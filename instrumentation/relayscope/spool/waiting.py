"""What waits in a spool that anybody may have open: neither writer nor reader is asked."""

from pathlib import Path

from relayscope.spool.cursor import read_cursor
from relayscope.spool.position import START
from relayscope.spool.recovery import recover
from relayscope.spool.segment import list_segments


def waiting(folder: Path) -> int:
    """Return how many records in a slot are not acknowledged.

    Raises:
        OSError: It cannot be read.
    """
    oldest = [segment.start for segment in list_segments(folder)[:1]]
    first = max([read_cursor(folder) or START, *oldest])
    return max(0, recover(folder).next_start.sequence - first.sequence)
