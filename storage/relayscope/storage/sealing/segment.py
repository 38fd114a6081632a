"""A segment: the tables that hold the sealed rows of one class and one range of time."""

import re
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from relayscope.storage.partitions import TimeRange
from relayscope.storage.tables import SCHEMA, log, metric_point, span

PARENTS: Final = {
    span.name: ("span_sealed",),
    log.name: ("log_sealed", "log_chunk"),
    metric_point.name: ("metric_point_sealed",),
}
"""Tables whose partitions the segments of a signal are; the first one is by time, too."""

TIME: Final = {span.name: "start_time", log.name: "time", metric_point.name: "time"}

_REGISTER: Final = (
    "insert into relayscope_store.segment (signal, class, from_time, to_time)"
    " values (%s, %s, %s, %s) returning id"
)
_LIST: Final = (
    "select id, signal, class as class_, from_time, to_time, rows, bytes, state"
    " from relayscope_store.segment where state = %s order by from_time, id"
)
_CREATE: Final = SQL(
    "create table {table} (like {parent}, check (segment is not null and segment = {id}){checks})"
)
_CHECK_TIME: Final = SQL(", check ({time} >= {start} and {time} < {end})")
_CREATE_RANGE: Final = SQL(
    "create table {table} (like {parent} including all) partition by list (segment)"
)
_ATTACH_RANGE: Final = SQL(
    "alter table {parent} attach partition {table} for values from ({start}) to ({end})"
)
_ATTACH: Final = SQL("alter table {parent} attach partition {table} for values in ({id})")
_INDEXES: Final = (
    "select pg_get_indexdef(indexrelid) from pg_index where indrelid = %s::regclass order by 1"
)
_EXISTS: Final = (
    "select exists (select from pg_catalog.pg_tables where schemaname = %s and tablename = %s)"
)
_SEALED: Final = (
    "update relayscope_store.segment set state = 'sealed', sealed_at = now(), rows = %s,"
    " bytes = (select sum(pg_total_relation_size(format('relayscope_store.%%I', name)::regclass))"
    " from unnest(%s::text[]) as name) where id = %s"
)


class Segment(NamedTuple):
    """One row of the register of segments, and the tables that belong to it.

    Attributes:
        id: Its number.
        signal: The name of the table whose rows it holds.
        class_: The name of their `RetentionClass`.
        from_time: They are of this time or later.
        to_time: They are earlier than this.
        rows: Number of its rows; 0 before it is sealed.
        bytes: Of its tables, with indexes; 0 before it is sealed.
        state: `building` or `sealed`.
    """

    id: int
    signal: str
    class_: str
    from_time: datetime
    to_time: datetime
    rows: int
    bytes: int
    state: str

    @classmethod
    def create(
        cls, connection: Connection[Any], signal: str, class_: str, time_range: TimeRange
    ) -> Self:
        """Register a new one and make its empty tables, which nobody sees yet."""
        with connection.transaction():
            row = connection.execute(_REGISTER, (signal, class_, *time_range)).fetchone()
            assert row is not None  # noqa: S101  # It returns one.
            segment = cls(row[0], signal, class_, *time_range, rows=0, bytes=0, state="building")
            for parent in PARENTS[signal]:
                by_time = parent == PARENTS[signal][0]
                checks = _CHECK_TIME.format(**segment._names(parent)) if by_time else SQL("")
                connection.execute(_CREATE.format(**segment._names(parent), checks=checks))
        return segment

    @classmethod
    def all(cls, connection: Connection[Any], state: str = "sealed") -> list[Self]:
        """Return those in a state, the earliest first."""
        with connection.cursor(row_factory=class_row(cls)) as cursor:
            return cursor.execute(_LIST, (state,)).fetchall()

    @property
    def time_range(self) -> TimeRange:
        """The time of what it holds."""
        return TimeRange(self.from_time, self.to_time)

    @property
    def tables(self) -> tuple[Identifier, ...]:
        """The names of its tables, in the order of `PARENTS`."""
        return tuple(Identifier(SCHEMA, name) for name in self._table_names)

    def add_indexes(self, connection: Connection[Any]) -> None:
        """Give its tables the indexes that those they will be partitions of have."""
        for parent, name in zip(PARENTS[self.signal], self._table_names, strict=True):
            definitions = connection.execute(_INDEXES, (f"{SCHEMA}.{parent}",)).fetchall()
            for (definition,) in definitions:
                connection.execute(_for_table(definition, name))

    def attach(self, connection: Connection[Any], rows: int) -> None:
        """Show it to those who read, with so many rows; in the caller's transaction."""
        parent = PARENTS[self.signal][0]
        name = f"{parent}_{TimeRange(self.from_time, self.to_time)}"
        names = self._names(parent)
        of_range = names | {"table": Identifier(SCHEMA, name)}
        found = connection.execute(_EXISTS, (SCHEMA, name)).fetchone()
        if found is not None and not found[0]:
            connection.execute(_CREATE_RANGE.format(**of_range))
            connection.execute(_ATTACH_RANGE.format(**of_range))
        connection.execute(_ATTACH.format(**names | {"parent": Identifier(SCHEMA, name)}))
        for other in PARENTS[self.signal][1:]:
            connection.execute(_ATTACH.format(**self._names(other)))
        connection.execute(_SEALED, (rows, list(self._table_names), self.id))

    def drop(self, connection: Connection[Any]) -> None:
        """Remove it with all its rows; in the caller's transaction."""
        connection.execute(SQL("drop table if exists {}").format(SQL(", ").join(self.tables)))
        connection.execute("delete from relayscope_store.segment where id = %s", (self.id,))

    @property
    def _table_names(self) -> tuple[str, ...]:
        return tuple(f"{parent}_{self.id}" for parent in PARENTS[self.signal])

    def _names(self, parent: str) -> dict[str, Composable]:
        return {
            "table": Identifier(SCHEMA, f"{parent}_{self.id}"),
            "parent": Identifier(SCHEMA, parent),
            "id": Literal(self.id),
            "time": Identifier(TIME[self.signal]),
            "start": Literal(self.from_time.isoformat()),
            "end": Literal(self.to_time.isoformat()),
        }


_ON: Final = re.compile(r"^CREATE (UNIQUE )?INDEX \S+ ON ONLY \S+ ")


def _for_table(definition: str, table: str) -> Composed:
    """The definition of an index of a parent, for a partition: PostgreSQL chooses the name."""
    match = _ON.match(definition)
    assert match is not None  # noqa: S101  # The form of pg_get_indexdef for our own names.
    rest = definition[match.end() :]
    # Its text is PostgreSQL's rendering of what our migrations say.
    return SQL("create {unique}index on {table} {rest}").format(
        unique=SQL("unique " if match[1] else ""),
        table=Identifier(SCHEMA, table),
        rest=SQL(rest),
    )
