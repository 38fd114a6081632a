"""Samples of the collector's metrics, by process, for those who ask with SQL."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Engine, delete, func
from sqlalchemy.dialects.postgresql import insert

from relayscope.storage.tables import figure


class MetricSample(NamedTuple):
    """One number: its name and labels are those on `/metrics`."""

    name: str
    labels: Mapping[str, str]
    value: float


def store_samples(engine: Engine, process: UUID, samples: Iterable[MetricSample]) -> None:
    """Replace the samples of `process`.

    Raises:
        SQLAlchemyError: It could not be stored.
    """
    rows = [
        {"process": process, "name": name, "labels": dict(labels), "value": value}
        for name, labels, value in samples
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


def forget_samples(engine: Engine, older_than: timedelta) -> int:
    """Delete samples of processes that have been silent for this long; return how many.

    Raises:
        SQLAlchemyError: They could not be deleted.
    """
    with engine.begin() as connection:
        silent = figure.c.updated_at < func.now() - older_than
        return connection.execute(delete(figure).where(silent)).rowcount
