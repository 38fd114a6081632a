"""What the collector's processes say of themselves, for those who ask with SQL."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Engine, delete, func, text
from sqlalchemy.dialects.postgresql import insert

from relayscope.storage.tables import SCHEMA, figure

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


class Figure(NamedTuple):
    """One number: its name and labels are those on `/metrics`."""

    name: str
    labels: Mapping[str, str]
    value: float


class Size(NamedTuple):
    """How much there is in the database.

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


def store_figures(engine: Engine, process: UUID, figures: Iterable[Figure]) -> None:
    """Replace what `process` has said of itself.

    Raises:
        SQLAlchemyError: It could not be stored.
    """
    rows = [
        {"process": process, "name": name, "labels": dict(labels), "value": value}
        for name, labels, value in figures
    ]
    if not rows:
        return
    statement = insert(figure)
    replacing = statement.on_conflict_do_update(
        index_elements=[figure.c.process, figure.c.name, figure.c.labels],
        set_={"value": statement.excluded.value, "updated_at": func.now()},
    )
    with engine.begin() as connection:
        connection.execute(replacing, rows)


def forget_figures(engine: Engine, older_than: timedelta) -> int:
    """Forget what processes said that have been silent for this long; return how many figures.

    Raises:
        SQLAlchemyError: They could not be deleted.
    """
    with engine.begin() as connection:
        silent = figure.c.updated_at < func.now() - older_than
        return connection.execute(delete(figure).where(silent)).rowcount


def measure(engine: Engine) -> Size:
    """Return how much there is in the database.

    Raises:
        SQLAlchemyError: It could not be asked.
    """
    with engine.connect() as connection:
        row = connection.execute(_SIZE, {"schema": SCHEMA}).one()
        return Size(
            row.bytes,
            row.partitions,
            {signal: (rows, size) for signal, rows, size in connection.execute(_SEALED)},
            {(signal, reason): rows for signal, reason, rows in connection.execute(_REMOVED)},
        )
