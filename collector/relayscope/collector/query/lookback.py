"""Stretches of time in which to look, one after the other, until one holds enough.

The newest of something are looked for back from the newest row that there is, and not from now: a
stretch then has as much in it whenever it was recorded.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from relayscope.collector.query.named_query import rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import LiteralString

    import psycopg

ROWS: Final = 1000
"""Rows in the first stretch, however fast they came: a busy collector's minute had millions of
records, which took a list of calls 40 s. To find out which calls there are takes 30 µs for each. A
page of traces is in it, if they have up to 20 spans each."""

_STRETCHES: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=6),
    timedelta(days=2),
)
"""After it, those of them that are so much longer that it is worth it."""

_WORTH: Final = 5
"""Least ratio of a stretch to the one before: what was looked at in vain costs little beside it."""

_MANY: Final = 25
"""Ratio of a stretch to the one before where rows come so fast that the shortest of these has far
more of them: at 150,000 a second, the second look has 25,000 rows and not 9 million."""

_AHEAD: Final = timedelta(minutes=1)
"""Upper bound of what other machines' clocks may be ahead: what a broken one has put into the
future is found, too, and nothing is counted from it."""

_TICK: Final = timedelta(microseconds=1)

_A_DAY: Final = timedelta(days=1)
"""Time to look back for the greatest: unlike the newest, they could be anywhere."""

EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)


class Window(NamedTuple):
    """From `since` until before `until`."""

    since: datetime
    until: datetime


class Edge(NamedTuple):
    """An end of what is stored.

    Attributes:
        time: Of the last row there; None if there is none.
        near: Of the last but so many; None if there are fewer.
    """

    time: datetime | None
    near: datetime | None


EVERYTHING: Final = Window(EARLIEST, LATEST)


def whole(since: datetime | None, until: datetime | None, sort: object) -> Window:
    """Return the time that a list is about.

    Args:
        since: The beginning, if the user gave one.
        until: The end, if the user gave one.
        sort: The column by which the greatest come first.
    """
    if since is None and sort != "time":
        since = (until or datetime.now(UTC)) - _A_DAY
    return Window(since or EARLIEST, until or LATEST)


def up_to(until: datetime) -> datetime:
    """Return until when the newest row is asked for."""
    return min(until, datetime.now(UTC) + _AHEAD)


def back(edge: Edge, time: Window) -> Iterator[Window]:
    """Yield the windows to look at for the newest: each ends where the one before began.

    What was looked at is not looked at again: texts that no index knows took six times as long to
    look for when all windows had the same end.

    Args:
        edge: Of the newest rows in it.
        time: In which to look; all windows together.
    """
    until = time.until
    for newest, length in _lengths(edge):
        if newest - time.since <= _WORTH * length:
            break
        yield Window(newest - length, until)
        until = newest - length
    yield Window(time.since, until)


def on(edge: Edge, time: Window) -> Iterator[Window]:
    """Yield the windows to look at for the oldest, as `back` does from the other end."""
    since = time.since
    for oldest, length in _lengths(edge):
        if time.until - oldest <= _WORTH * length:
            break
        yield Window(since, oldest + length)
        since = oldest + length
    yield Window(since, time.until)


def _lengths(edge: Edge) -> Iterator[tuple[datetime, timedelta]]:
    if edge.time is None or edge.near is None:
        return  # all there is, is little
    first = abs(edge.time - edge.near) + _TICK  # a window is until before its end
    yield edge.time, first
    last = first
    while _WORTH * _MANY * last <= _STRETCHES[0]:
        last *= _MANY
        yield edge.time, last
    for longer in _STRETCHES:
        if longer >= _WORTH * last:
            yield edge.time, longer
            last = longer


def windows(
    connection: psycopg.Connection[Any], newest: LiteralString, time: Window = EVERYTHING
) -> Iterator[Window]:
    """Yield the windows to look at for the newest.

    Args:
        connection: As `database.reading` gives it.
        newest: The name of the statement that finds the edge.
        time: In which to look.
    """
    (edge,) = rows(connection, newest, {"until": up_to(time.until), "rows": ROWS})
    return back(Edge(**edge), time)
