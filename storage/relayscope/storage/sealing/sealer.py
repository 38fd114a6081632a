"""Who seals: one at a time, again and again."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from psycopg import Connection, errors
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, Table

from relayscope.storage.partitions import Stretch
from relayscope.storage.retention_class import RetentionClass, conditions
from relayscope.storage.sealing.fill import Filling, filling
from relayscope.storage.sealing.segment import Segment
from relayscope.storage.sealing.source import Source
from relayscope.storage.sealing.strays import place_strays
from relayscope.storage.tables import PARTITIONED

_logger = logging.getLogger(__name__)

_LOCK: Final = "select pg_try_advisory_lock(hashtextextended('relayscope.sealing', 0))"
_OWNER: Final = (
    "select rolname, rolname = current_user from pg_class join pg_roles on pg_roles.oid = relowner"
    " where pg_class.oid = 'relayscope_store.log'::regclass"
)

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
"""How long the moment is waited for in which nobody reads the partition."""
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
        rows: How many it had.
        seconds: How long it took.
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
            after: How long the end of a partition must be past.
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
        with alone(self._engine) as connection:
            if connection is None:
                return
            self._connection = connection
            connection.execute(_SETTINGS)
            place_strays(connection)
            for table, source in self._due(connection, quiet=quiet):
                try:
                    sealed = self._seal(connection, table, source)
                except _Disturbed:
                    _logger.info("not sealed yet", extra={"partition": source.name})
                    remove_unfinished(connection)
                    continue
                if sealed is not None:
                    yield sealed

    def _due(self, connection: Connection[Any], *, quiet: bool) -> list[tuple[Table, Source]]:
        before, self._inserted = self._inserted, {}
        due = []
        for table in PARTITIONED:
            for source in Source.all(connection, table):
                if source.end_time + self._after > datetime.now(UTC):
                    continue
                self._inserted[source.name] = source.inserted
                if not quiet or before.get(source.name) == source.inserted:
                    due.append((table, source))
        return due

    def _seal(self, connection: Connection[Any], table: Table, source: Source) -> Sealed | None:
        began = time.monotonic()
        # All its pages are marked as visible to all, so that counting need not look at them.
        connection.execute(SQL("vacuum {}").format(source.table))
        rows = source.count_rows(connection)
        if rows < (_LATE_ROWS if source.sealed_before else 1):
            return None
        fillings = [
            filling(
                connection,
                Segment.create(connection, table.name, name, source.stretch),
                source.table,
                condition,
            )
            for name, condition in conditions(self._classes, table).items()
        ]
        for piece in _pieces(source.stretch, rows):
            for each in fillings:
                each.copy(piece)
        for each in fillings:
            each.segment.add_indexes(connection)
            for name in each.segment.tables:
                connection.execute(SQL("vacuum (freeze, analyze) {}").format(name))
        _exchange(connection, source, fillings)
        sealed = {segment.id: segment.bytes for segment in Segment.all(connection)}
        return Sealed(
            source.name,
            sum(each.rows for each in fillings),
            time.monotonic() - began,
            source.bytes,
            sum(sealed.get(each.segment.id, 0) for each in fillings),
        )


@contextmanager
def alone(engine: Engine) -> Iterator[Connection[Any] | None]:
    """A connection for the only one who changes what is sealed; None if there is one already.

    What another has left unfinished is removed before.
    """
    pooled = engine.raw_connection()
    connection = cast("Connection[Any]", pooled.driver_connection)
    pooled.detach()
    with closing(connection):
        connection.autocommit = True
        _become_owner(connection)
        locked = connection.execute(_LOCK).fetchone()
        if locked is None or not locked[0]:
            yield None
        else:
            remove_unfinished(connection)
            yield connection


def _become_owner(connection: Connection[Any]) -> None:
    """What is made belongs to the owner of the rest, or it could not become part of it."""
    ((owner, is_ours),) = connection.execute(_OWNER).fetchall()
    if not is_ours:
        connection.execute(SQL("set role {}").format(Identifier(owner)))


def remove_unfinished(connection: Connection[Any]) -> None:
    """Remove what somebody had begun to build who is no more."""
    for segment in Segment.all(connection, "building"):
        with connection.transaction():
            segment.drop(connection)


def _pieces(stretch: Stretch, rows: int) -> Iterator[Stretch]:
    """Divide a stretch of time into pieces of about the same number of rows, if all is even."""
    number = rows // _PIECE_ROWS + 1
    width = (stretch.end - stretch.start) / number
    for index in range(number):
        last = index == number - 1
        start = stretch.start + index * width
        yield Stretch(start, stretch.end if last else start + width)


def _exchange(connection: Connection[Any], source: Source, fillings: Sequence[Filling]) -> None:
    """Show the segments and empty the partition, at once.

    Raises:
        _Disturbed: There are other rows in the partition than were copied, or it is in use.
    """
    deadline = time.monotonic() + _EXCHANGE_SECONDS
    while True:
        try:
            with connection.transaction():
                connection.execute(_EXCHANGE_SETTINGS)
                for each in fillings:
                    if each.rows:
                        each.segment.attach(connection, each.rows)
                    else:
                        each.segment.drop(connection)
                connection.execute(SQL("lock {} in access exclusive mode").format(source.table))
                # Rows are only ever added: as many as were copied are those that were copied.
                if source.count_rows(connection) != sum(each.rows for each in fillings):
                    raise _Disturbed
                connection.execute(SQL("truncate {}").format(source.table))
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if time.monotonic() > deadline:
                raise _Disturbed from None
            time.sleep(_EXCHANGE_PAUSE)
        else:
            return
