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


class Figure(NamedTuple):
    """One number: its name and labels are those on `/metrics`."""

    name: str
    labels: Mapping[str, str]
    value: float


class Size(NamedTuple):
    """How much there is in the database."""

    bytes: int
    partitions: int


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
        return Size(row.bytes, row.partitions)
