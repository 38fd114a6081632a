"""Windows of time in which to look for the newest of something, if nobody said how far back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOK_BACK: Final = (timedelta(minutes=10), timedelta(hours=3), timedelta(days=2))
"""The newest are mostly in the first; each is so much larger than the one before that what was
looked at in vain costs little. The last window is everything."""

_A_DAY: Final = timedelta(days=1)
"""Time to look back for the greatest: unlike the newest, they could be anywhere."""

EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)


class Window(NamedTuple):
    """From `since` until before `until`."""

    since: datetime
    until: datetime


def beginning(
    since: datetime | None, until: datetime | None, sort: object, *, is_by_trace: bool
) -> datetime | None:
    """Return from when on a list is looked for; None if back from the newest.

    Args:
        since: where it was said.
        until: where it was said.
        sort: the column by which the greatest come first.
        is_by_trace: whether it is about certain traces.
    """
    if since is None and sort != "time":
        return (until or datetime.now(UTC)) - _A_DAY
    if since is None and is_by_trace:
        return EARLIEST  # an index finds them, wherever they are
    return since


def windows(since: datetime | None, until: datetime | None) -> Iterator[Window]:
    """Yield the windows to look at, one after the other, until one holds enough.

    Args:
        since: where it was said how far back: then there is one window.
        until: where it was said.
    """
    end = until or LATEST
    if since is None:
        newest = min(end, datetime.now(UTC))
        for back in _LOOK_BACK:
            yield Window(newest - back, end)
    yield Window(since or EARLIEST, end)
