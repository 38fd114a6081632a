"""Samples of the collector's metrics, by process, for those who ask with SQL."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Column, Engine, delete, func, text
from sqlalchemy.dialects.postgresql import insert

from relayscope.storage.tables import figure, figure_sample

_KEEP: Final = text(
    """
    insert into relayscope_store.figure_sample (time, figures)
    select now(), jsonb_agg(jsonb_strip_nulls(to_jsonb(one)))
    from (
        select name, labels ->> 'outcome' as outcome, labels ->> 'code' as code,
               labels ->> 'le' as le, sum(value) as value
        from relayscope_store.figure
        where name = any(:counts)
           or (name = any(:states) and updated_at > now() - :fresh)
        group by 1, 2, 3, 4
    ) as one
    having count(*) > 0
    on conflict do nothing
    """
)

_FRESH: Final = timedelta(seconds=30)
"""Age of a state that still says something of now: three times the pause between two reports."""


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
    return _delete_before(engine, figure.c.updated_at, older_than)


def keep_history(engine: Engine, counts: Collection[str], states: Collection[str]) -> None:
    """Keep what the samples of all processes are now, added up, for `collector_history`.

    Args:
        engine: Of the database.
        counts: Names of what only ever grows: it counts after its process has ended, too.
        states: Names of what is as it is, while its process runs.

    Raises:
        SQLAlchemyError: It could not be stored.
    """
    bound = {"counts": [*counts], "states": [*states], "fresh": _FRESH}
    with engine.begin() as connection:
        connection.execute(_KEEP, bound)


def forget_history(engine: Engine, older_than: timedelta) -> int:
    """Delete what `keep_history` has kept for longer than this; return how many times it was.

    Raises:
        SQLAlchemyError: They could not be deleted.
    """
    return _delete_before(engine, figure_sample.c.time, older_than)


def _delete_before(engine: Engine, time: Column[datetime], older_than: timedelta) -> int:
    with engine.begin() as connection:
        return connection.execute(delete(time.table).where(time < func.now() - older_than)).rowcount
