"""What is removed when: whole segments, by their age and by how much there is in all."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from psycopg import Connection, errors
from psycopg.sql import SQL, Identifier

from relayscope.storage.retention_class import REST
from relayscope.storage.sealing.segment import PARENTS, Segment
from relayscope.storage.sealing.source import Source
from relayscope.storage.tables import PARTITIONED, SCHEMA

_HOLDS: Final = "select from_time, to_time from relayscope_store.hold where until > now()"
_HOLD: Final = (
    "insert into relayscope_store.hold (from_time, to_time, until)"
    " select %(from_time)s, %(to_time)s, now() + %(keep)s"
)
_SIZE: Final = "select pg_database_size(current_database())"
# Readers wait behind us for so long, and writers of other partitions not at all.
_LIMITS: Final = "set local lock_timeout = '300ms'"
_SHORT_LIMITS: Final = "set local lock_timeout = '50ms'"
_DROPPED_AT_ONCE: Final = 31
_WRITTEN_TO: Final = timedelta(days=33)
"""For so long a `Writer` makes partitions for the past, and a day or two more."""
_TRIES: Final = 20
_PAUSE_SECONDS: Final = 1.0

# What segments that are gone were the last to use. Sealers work one at a time, as we do.
_FORGET_SHAPES: Final = (
    "delete from relayscope_store.log_shape where last_segment < coalesce("
    "(select min(id) from relayscope_store.segment where signal = 'log'), 2147483647)"
)
_REMOVED: Final = (
    "insert into relayscope_store.removal"
    " (signal, class, from_time, to_time, rows, bytes, reason, archive) values"
    " (%(signal)s, %(class)s, %(from_time)s, %(to_time)s, %(rows)s, %(bytes)s, %(reason)s,"
    " %(archive)s)"
)
_EMPTY: Final = (
    "select relname from pg_inherits as of_parent join pg_class on pg_class.oid = inhrelid"
    " where inhparent = %s::regclass and relname ~ %s"
    " and not exists (select from pg_inherits as child where child.inhparent = pg_class.oid)"
)


@dataclass(frozen=True, slots=True)
class Policy:
    """For how long what is kept.

    Attributes:
        ages: By signal (`log`, `span`, `metric_point`), how long after its time; what is missing
            is kept.
        class_ages: By the name of a `RetentionClass`, how long its records of any signal.
        max_bytes: How large the database may be; beyond it goes what is nearest to its end.
    """

    ages: Mapping[str, timedelta] = field(default_factory=dict)
    class_ages: Mapping[str, timedelta] = field(default_factory=dict)
    max_bytes: int | None = None

    def age(self, signal: str, class_: str) -> timedelta | None:
        """How long records of a class are kept; None if nothing says."""
        if class_ != REST and class_ in self.class_ages:
            return self.class_ages[class_]
        return self.ages.get(signal)

    def longest(self, signal: str) -> timedelta | None:
        """How long any record of a signal may be kept; None if nothing says."""
        if signal not in self.ages:
            return None
        return max(self.ages[signal], *self.class_ages.values(), timedelta())


class Removal(NamedTuple):
    """One thing to remove, and why.

    Attributes:
        what: A segment; or a partition that was never sealed.
        signal: Of its records.
        reason: `age` or `size`.
    """

    what: Segment | Source
    signal: str
    reason: str

    @property
    def from_time(self) -> datetime:
        """The time of its records begins here."""
        return self.what.stretch.start

    @property
    def to_time(self) -> datetime:
        """The time of its records ends before this."""
        return self.what.stretch.end

    @property
    def class_(self) -> str:
        """The retention class of its records; empty if they are not sorted yet."""
        return self.what.class_ if isinstance(self.what, Segment) else ""


def plan(connection: Connection[Any], policy: Policy, now: datetime | None = None) -> list[Removal]:
    """What the policy says has to go, the earliest first; nothing is changed.

    Args:
        connection: Of the owner.
        policy: For how long what is kept.
        now: Another time than the present.
    """
    now = now or datetime.now(UTC)
    holds = [tuple(row) for row in connection.execute(_HOLDS)]
    candidates = [
        (found, _life(found, policy, now))
        for found in _removable(connection, now)
        if not any(start < found.to_time and end > found.from_time for start, end in holds)
    ]
    expired = [found._replace(reason="age") for found, life in candidates if life >= 1]
    left = sorted(
        ((life, found) for found, life in candidates if life < 1), key=lambda pair: -pair[0]
    )
    ((size,),) = connection.execute(_SIZE).fetchall()
    surplus = size - sum(found.what.bytes for found in expired)
    for _, found in left:
        if policy.max_bytes is None or surplus <= policy.max_bytes:
            break
        surplus -= found.what.bytes
        expired.append(found)
    return sorted(expired, key=lambda found: (found.from_time, found.signal))


def everything(connection: Connection[Any]) -> list[Removal]:
    """All segments, the earliest first, as if they had to go."""
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
                connection.execute(_LIMITS)
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


def tidy(connection: Connection[Any]) -> None:
    """Forget what nothing refers to any more: shapes, holds that have ended, empty tables."""
    connection.execute(_FORGET_SHAPES)
    connection.execute("delete from relayscope_store.hold where until <= now()")
    for parent, *_ in PARENTS.values():
        pattern = f"^{parent}_[0-9]{{4}}_"
        for (stretch,) in connection.execute(_EMPTY, (f"{SCHEMA}.{parent}", pattern)).fetchall():
            # Somebody reads it: next time.
            with suppress(errors.LockNotAvailable), connection.transaction():
                connection.execute(_LIMITS)
                connection.execute(SQL("drop table {}").format(Identifier(SCHEMA, stretch)))
    for table in PARTITIONED:
        _drop_long_empty(connection, Source.all(connection, table))


def _drop_long_empty(connection: Connection[Any], sources: list[Source]) -> None:
    """Drop partitions that are too old for anybody to make them again, a few at a time."""
    before = datetime.now(UTC) - _WRITTEN_TO
    empty = [source for source in sources if source.end_time < before and source.is_empty]
    for source in empty[:_DROPPED_AT_ONCE]:
        with suppress(errors.LockNotAvailable), connection.transaction():
            connection.execute(_SHORT_LIMITS)
            # Also the table that it is part of is locked, which those who write wait for.
            connection.execute(SQL("lock {} in access exclusive mode").format(source.table))
            if source.count_rows(connection) == 0:
                connection.execute(SQL("drop table {}").format(source.table))


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
        for source in Source.all(connection, table):
            if source.end_time < now and not source.is_empty:
                yield Removal(source, table.name, "size")


def _life(removal: Removal, policy: Policy, now: datetime) -> float:
    """Which part of the time that it is kept has passed; 0 if it is kept for good."""
    if isinstance(removal.what, Segment):
        age = policy.age(removal.signal, removal.what.class_)
    else:
        age = policy.longest(removal.signal)
    return 0.0 if age is None else (now - removal.to_time) / max(age, timedelta(seconds=1))
