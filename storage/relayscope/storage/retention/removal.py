"""Removals: whole segments and partitions, chosen by age and by the size of the database."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from psycopg import Connection, errors
from psycopg.sql import SQL

from relayscope.storage.retention.policy import Policy
from relayscope.storage.sealing.live_partition import LivePartition
from relayscope.storage.sealing.segment import Segment
from relayscope.storage.tables import PARTITIONED

_HOLDS: Final = (
    "select from_time, to_time, until from relayscope_store.hold where until > now() order by 1, 2"
)
_HOLD: Final = (
    "insert into relayscope_store.hold (from_time, to_time, until)"
    " select %(from_time)s, %(to_time)s, now() + %(keep)s"
)
_SIZE: Final = "select pg_database_size(current_database())"
# Readers wait behind us for so long, and writers of other partitions not at all.
LOCK_LIMITS: Final = "set local lock_timeout = '300ms'"
_TRIES: Final = 20
_PAUSE_SECONDS: Final = 1.0

_REMOVED: Final = (
    "insert into relayscope_store.removal"
    " (signal, class, from_time, to_time, rows, bytes, reason, archive) values"
    " (%(signal)s, %(class)s, %(from_time)s, %(to_time)s, %(rows)s, %(bytes)s, %(reason)s,"
    " %(archive)s)"
)


class Removal(NamedTuple):
    """One thing to remove, and why.

    Attributes:
        what: A segment; or a partition that was never sealed.
        signal: Of its records.
        reason: `age` or `size`.
    """

    what: Segment | LivePartition
    signal: str
    reason: str

    @property
    def from_time(self) -> datetime:
        """The time of its records begins here."""
        return self.what.time_range.start

    @property
    def to_time(self) -> datetime:
        """The time of its records ends before this."""
        return self.what.time_range.end

    @property
    def class_(self) -> str:
        """The retention class of its records; empty if they are not sorted yet."""
        return self.what.class_ if isinstance(self.what, Segment) else ""


class Hold(NamedTuple):
    """A time whose records are kept whatever the policy says.

    Attributes:
        from_time: It begins here.
        to_time: It ends before this.
        until: How long they are kept.
    """

    from_time: datetime
    to_time: datetime
    until: datetime


def plan(connection: Connection[Any], policy: Policy, now: datetime | None = None) -> list[Removal]:
    """List what the policy says has to go, the earliest first; nothing is changed.

    Args:
        connection: Of the owner.
        policy: Says how long records are kept.
        now: Another time than the present.
    """
    now = now or datetime.now(UTC)
    held = holds(connection)
    candidates = [
        (found, _life(found, policy, now))
        for found in _removable(connection, now)
        if not any(
            hold.from_time < found.to_time and hold.to_time > found.from_time for hold in held
        )
    ]
    expired = [found._replace(reason="age") for found, life in candidates if life >= 1]
    left = sorted(
        ((life, found) for found, life in candidates if life < 1), key=lambda pair: -pair[0]
    )
    surplus = database_bytes(connection) - sum(found.what.bytes for found in expired)
    for _, found in left:
        if policy.max_bytes is None or surplus <= policy.max_bytes:
            break
        surplus -= found.what.bytes
        expired.append(found)
    counted = (_counted(connection, found) for found in expired)
    return sorted(counted, key=lambda found: (found.from_time, found.signal))


def holds(connection: Connection[Any]) -> list[Hold]:
    """List what is kept whatever the policy says, the earliest first."""
    return [Hold(*row) for row in connection.execute(_HOLDS)]


def database_bytes(connection: Connection[Any]) -> int:
    """Return the size of the database, as `Policy.max_bytes` bounds it."""
    ((size,),) = connection.execute(_SIZE).fetchall()
    return int(size)


def sealed_removals(connection: Connection[Any]) -> list[Removal]:
    """List all segments as removals, the earliest first."""
    return [Removal(segment, segment.signal, "kept") for segment in Segment.all(connection)]


def remove(connection: Connection[Any], removal: Removal, archive: str | None = None) -> bool:
    """Remove it; False if somebody reads it for so long that it has to wait.

    Args:
        connection: Of the owner, in no transaction.
        removal: From `plan`.
        archive: The name of the file that has its records now.

    Raises:
        psycopg.Error: PostgreSQL refused.
    """
    for _ in range(_TRIES):
        try:
            with connection.transaction():
                connection.execute(LOCK_LIMITS)
                if isinstance(removal.what, Segment):
                    removal.what.drop(connection)
                else:
                    # Not dropped, which would stop whoever writes: it is empty, and tidied later.
                    connection.execute(SQL("truncate {}").format(removal.what.table))
                connection.execute(
                    _REMOVED, {**_said_of(removal), "reason": removal.reason, "archive": archive}
                )
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False


def hold(
    connection: Connection[Any], from_time: datetime, to_time: datetime, keep: timedelta
) -> None:
    """Keep what is of a time for so long from now, whatever the policy says."""
    times = {"from_time": from_time, "to_time": to_time, "keep": keep}
    connection.execute(_HOLD, times)


def _said_of(removal: Removal) -> dict[str, object]:
    return {
        "signal": removal.signal,
        "class": removal.class_,
        "from_time": removal.from_time,
        "to_time": removal.to_time,
        "rows": removal.what.rows,
        "bytes": removal.what.bytes,
    }


def _removable(connection: Connection[Any], now: datetime) -> Iterator[Removal]:
    for segment in Segment.all(connection):
        yield Removal(segment, segment.signal, "size")
    for table in PARTITIONED:
        for partition in LivePartition.all(connection, table):
            if partition.end_time < now and not partition.is_empty:
                yield Removal(partition, table.name, "size")


def _counted(connection: Connection[Any], removal: Removal) -> Removal:
    """Count the rows of which PostgreSQL has no estimate: its statistics go with a crash."""
    what = removal.what
    if isinstance(what, Segment) or what.rows:
        return removal
    return removal._replace(what=what._replace(rows=what.count_rows(connection)))


def _life(removal: Removal, policy: Policy, now: datetime) -> float:
    """Return the share of its lifetime that has passed; 0 if it is kept for good."""
    if isinstance(removal.what, Segment):
        age = policy.age(removal.signal, removal.what.class_)
    else:
        age = policy.longest(removal.signal)
    return 0.0 if age is None else (now - removal.to_time) / max(age, timedelta(seconds=1))
