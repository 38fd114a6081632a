"""The sealer: moves the rows of past partitions into segments."""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from psycopg import Connection, errors
from psycopg.sql import SQL
from sqlalchemy import Engine, Table

from relayscope.storage.partitions import TimeRange
from relayscope.storage.sealing.default_partition import move_default_rows
from relayscope.storage.sealing.live_partition import LivePartition
from relayscope.storage.sealing.maintenance_connection import (
    maintenance_connection,
    remove_unfinished,
)
from relayscope.storage.sealing.retention_class import RetentionClass, conditions
from relayscope.storage.sealing.segment import Segment
from relayscope.storage.sealing.segment_builder import SegmentBuilder, segment_builder
from relayscope.storage.tables import PARTITIONED

_logger = logging.getLogger(__name__)

_SETTINGS: Final = (
    # Sorting a piece, and building the text index, which is twice as fast with as much.
    "set work_mem = '64MB'; set maintenance_work_mem = '256MB';"
    # One core of the machine at most: the others are for those who write and read.
    "set max_parallel_workers_per_gather = 0; set max_parallel_maintenance_workers = 0"
)
_EXCHANGE_SETTINGS: Final = (
    # Who writes into this very partition waits behind us for so long, and for the count.
    "set local lock_timeout = '300ms'; set local enable_seqscan = off"
)
_EXCHANGE_SECONDS: Final = 60.0
"""Time to wait for a moment in which nobody reads the partition."""
_EXCHANGE_PAUSE: Final = 1.0

_PIECE_ROWS: Final = 50_000
"""Rows that are sorted and packed at once: 50 MB of them at 1 kB each."""

_LATE_ROWS: Final = 10_000
"""Rows that came after their partition had been sealed are sealed, too, when so many have come:
until then it costs less to scan them than to have tables for them."""


class Sealed(NamedTuple):
    """One partition, sealed.

    Attributes:
        name: Of the partition.
        rows: Number of its rows.
        seconds: Time that sealing took.
        bytes_before: Of the partition, with indexes.
        bytes_after: Of the segments.
    """

    name: str
    rows: int
    seconds: float
    bytes_before: int
    bytes_after: int


class _Disturbed(Exception):
    """Somebody wrote into the partition, or would not let it go."""


class Sealer:
    """Seals what is past and quiet.

    A partition is exchanged for its segments in one short transaction, after they have been built
    beside it, where nobody sees them. It stays, empty, for rows that come late. When the process
    that builds dies, what it had begun is removed by the next.
    """

    def __init__(
        self,
        engine: Engine,
        classes: Sequence[RetentionClass] = (),
        *,
        after: timedelta = timedelta(hours=1),
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            engine: Of a user who may create tables.
            classes: Records that get segments of their own.
            after: Time that must have passed since the end of a partition.
        """
        self._engine = engine
        self._classes = tuple(classes)
        self._after = after
        self._inserted: dict[str, int] = {}
        self._connection: Connection[Any] | None = None

    def interrupt(self) -> None:
        """Make a `seal` in another thread end soon; what it builds is removed by the next."""
        connection = self._connection
        if connection is not None and not connection.closed:
            connection.cancel_safe()

    def seal(self, *, quiet: bool = True) -> Iterator[Sealed]:
        """Seal, one by one, the partitions whose time has come; nothing if somebody else does.

        Args:
            quiet: Leave out those that were written to since the last call, or that are seen for
                the first time, so that nothing is built in vain.

        Raises:
            psycopg.Error: PostgreSQL went away or refused; what was sealed before stays so.
        """
        with maintenance_connection(self._engine) as connection:
            if connection is None:
                return
            self._connection = connection
            connection.execute(_SETTINGS)
            move_default_rows(connection)
            for table, partition in self._due(connection, quiet=quiet):
                try:
                    sealed = self._seal(connection, table, partition)
                except _Disturbed:
                    _logger.info("not sealed yet", extra={"partition": partition.name})
                    remove_unfinished(connection)
                    continue
                if sealed is not None:
                    yield sealed

    def _due(
        self, connection: Connection[Any], *, quiet: bool
    ) -> list[tuple[Table, LivePartition]]:
        before, self._inserted = self._inserted, {}
        due = []
        for table in PARTITIONED:
            for partition in LivePartition.all(connection, table):
                if partition.end_time + self._after > datetime.now(UTC):
                    continue
                self._inserted[partition.name] = partition.inserted
                if not quiet or before.get(partition.name) == partition.inserted:
                    due.append((table, partition))
        return due

    def _seal(
        self, connection: Connection[Any], table: Table, partition: LivePartition
    ) -> Sealed | None:
        began = time.monotonic()
        # All its pages are marked as visible to all, so that counting need not look at them.
        connection.execute(SQL("vacuum {}").format(partition.table))
        rows = partition.count_rows(connection)
        if rows < (_LATE_ROWS if partition.sealed_before else 1):
            return None
        builders = [
            segment_builder(
                connection,
                Segment.create(connection, table.name, name, partition.time_range),
                partition.table,
                condition,
            )
            for name, condition in conditions(self._classes, table).items()
        ]
        for piece in _pieces(partition.time_range, rows):
            for each in builders:
                each.copy(piece)
        for each in builders:
            each.segment.add_indexes(connection)
            for name in each.segment.tables:
                connection.execute(SQL("vacuum (freeze, analyze) {}").format(name))
        _exchange(connection, partition, builders)
        sealed = {segment.id: segment.bytes for segment in Segment.all(connection)}
        return Sealed(
            partition.name,
            sum(each.rows for each in builders),
            time.monotonic() - began,
            partition.bytes,
            sum(sealed.get(each.segment.id, 0) for each in builders),
        )


def _pieces(time_range: TimeRange, rows: int) -> Iterator[TimeRange]:
    """Divide a range of time into pieces of about the same number of rows, if all is even."""
    number = rows // _PIECE_ROWS + 1
    width = (time_range.end - time_range.start) / number
    for index in range(number):
        last = index == number - 1
        start = time_range.start + index * width
        yield TimeRange(start, time_range.end if last else start + width)


def _exchange(
    connection: Connection[Any], partition: LivePartition, builders: Sequence[SegmentBuilder]
) -> None:
    """Show the segments and empty the partition, at once.

    Raises:
        _Disturbed: There are other rows in the partition than were copied, or it is in use.
    """
    deadline = time.monotonic() + _EXCHANGE_SECONDS
    while True:
        try:
            with connection.transaction():
                connection.execute(_EXCHANGE_SETTINGS)
                for each in builders:
                    if each.rows:
                        each.segment.attach(connection, each.rows)
                    else:
                        each.segment.drop(connection)
                connection.execute(SQL("lock {} in access exclusive mode").format(partition.table))
                # Rows are only ever added: as many as were copied are those that were copied.
                if partition.count_rows(connection) != sum(each.rows for each in builders):
                    raise _Disturbed
                connection.execute(SQL("truncate {}").format(partition.table))
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if time.monotonic() > deadline:
                raise _Disturbed from None
            time.sleep(_EXCHANGE_PAUSE)
        else:
            return
