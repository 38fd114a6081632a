"""Tables and rows about segments that nothing refers to any more."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from psycopg import Connection, errors
from psycopg.sql import SQL, Identifier

from relayscope.storage.retention.removal import LOCK_LIMITS
from relayscope.storage.sealing.live_partition import LivePartition
from relayscope.storage.sealing.segment import PARENTS
from relayscope.storage.tables import PARTITIONED, SCHEMA

_SHORT_LIMITS: Final = "set local lock_timeout = '50ms'"
_DROPPED_AT_ONCE: Final = 31
_WRITTEN_TO: Final = timedelta(days=33)
"""Age up to which a `Writer` makes partitions, and a day or two more."""
# What segments that are gone were the last to use. Sealers work one at a time, as we do.
_FORGET_SHAPES: Final = (
    "delete from relayscope_store.log_shape where last_segment < coalesce("
    "(select min(id) from relayscope_store.segment where signal = 'log'), 2147483647)"
)
_EMPTY: Final = (
    "select relname from pg_inherits as of_parent join pg_class on pg_class.oid = inhrelid"
    " where inhparent = %s::regclass and relname ~ %s"
    " and not exists (select from pg_inherits as child where child.inhparent = pg_class.oid)"
)


def drop_unused_tables(connection: Connection[Any]) -> None:
    """Forget what nothing refers to any more: shapes, holds that have ended, empty tables."""
    connection.execute(_FORGET_SHAPES)
    connection.execute("delete from relayscope_store.hold where until <= now()")
    for parent, *_ in PARENTS.values():
        pattern = f"^{parent}_[0-9]{{4}}_"
        for (name,) in connection.execute(_EMPTY, (f"{SCHEMA}.{parent}", pattern)).fetchall():
            # Somebody reads it: next time.
            with suppress(errors.LockNotAvailable), connection.transaction():
                connection.execute(LOCK_LIMITS)
                connection.execute(SQL("drop table {}").format(Identifier(SCHEMA, name)))
    for table in PARTITIONED:
        _drop_long_empty(connection, LivePartition.all(connection, table))


def _drop_long_empty(connection: Connection[Any], partitions: list[LivePartition]) -> None:
    """Drop partitions that are too old for anybody to make them again, a few at a time."""
    before = datetime.now(UTC) - _WRITTEN_TO
    empty = [
        partition for partition in partitions if partition.end_time < before and partition.is_empty
    ]
    for partition in empty[:_DROPPED_AT_ONCE]:
        with suppress(errors.LockNotAvailable), connection.transaction():
            connection.execute(_SHORT_LIMITS)
            # Also the table that it is part of is locked, which those who write wait for.
            connection.execute(SQL("lock {} in access exclusive mode").format(partition.table))
            if partition.count_rows(connection) == 0:
                connection.execute(SQL("drop table {}").format(partition.table))
