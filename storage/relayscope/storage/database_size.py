"""The size of the database, and of what is sealed and removed in it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import Engine, text

from relayscope.storage.tables import SCHEMA

_SIZE: Final = text(
    "select pg_database_size(current_database()) as bytes,"
    " (select count(*) from pg_inherits join pg_class on pg_class.oid = inhparent"
    " where relnamespace = to_regnamespace(:schema) and relkind = 'p') as partitions"
)
_SEALED: Final = text(
    "select signal, sum(rows)::bigint, sum(bytes)::bigint from relayscope_store.segment"
    " where state = 'sealed' group by 1"
)
_REMOVED: Final = text(
    "select signal, reason, sum(rows)::bigint from relayscope_store.removal group by 1, 2"
)


class DatabaseSize(NamedTuple):
    """Size of the database, of what is sealed in it, and of what was removed.

    Attributes:
        bytes: Of all of it.
        partitions: Of the tables of records.
        sealed: Records and their bytes, by the name of their table.
        removed: Records that retention has removed, by the name of their table and the reason.
    """

    bytes: int
    partitions: int
    sealed: Mapping[str, tuple[int, int]]
    removed: Mapping[tuple[str, str], int]


def measure_database(engine: Engine) -> DatabaseSize:
    """Measure the database.

    Raises:
        SQLAlchemyError: It could not be asked.
    """
    with engine.connect() as connection:
        row = connection.execute(_SIZE, {"schema": SCHEMA}).one()
        return DatabaseSize(
            row.bytes,
            row.partitions,
            {signal: (rows, size) for signal, rows, size in connection.execute(_SEALED)},
            {(signal, reason): rows for signal, reason, rows in connection.execute(_REMOVED)},
        )
