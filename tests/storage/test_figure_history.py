"""What collectors said of themselves, kept for those who look later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg

from relayscope.storage import MetricSample, forget_history, keep_history, store_samples

if TYPE_CHECKING:
    from sqlalchemy import Engine

COUNTS, STATES = ("items", "seconds"), ("waiting",)


def history(url: str) -> list[list[dict[str, Any]]]:
    """The lists of figures, the oldest first."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select figures from relayscope.collector_history order by time"
        ).fetchall()
    return [sorted(figures, key=str) for (figures,) in rows]


def test_figures_of_all_processes_are_kept_together(database_url: str, engine: Engine) -> None:
    """Added up by the labels that are told apart; the others, and other figures, are not kept."""
    for value in (3.0, 4.0):
        store_samples(
            engine,
            uuid4(),
            [
                MetricSample("items", {"outcome": "stored", "signal": "logs"}, value),
                MetricSample("items", {"outcome": "stored", "signal": "traces"}, 1.0),
                MetricSample("seconds", {"le": "0.1"}, value),
                MetricSample("waiting", {}, value),
                MetricSample("other", {}, value),
            ],
        )
    keep_history(engine, COUNTS, STATES)
    assert history(database_url) == [
        [
            {"le": "0.1", "name": "seconds", "value": 7},
            {"name": "items", "outcome": "stored", "value": 9},
            {"name": "waiting", "value": 7},
        ]
    ]


def test_a_process_that_has_gone_still_counts_and_has_no_state(
    database_url: str, engine: Engine
) -> None:
    """What it has stored is stored; what waited in it does not wait any more."""
    store_samples(engine, uuid4(), [MetricSample("items", {}, 3), MetricSample("waiting", {}, 3)])
    with psycopg.connect(database_url) as connection:
        connection.execute("update relayscope_store.figure set updated_at = now() - interval '1 h'")
    keep_history(engine, COUNTS, STATES)
    assert history(database_url) == [[{"name": "items", "value": 3}]]


def test_what_is_old_is_forgotten(database_url: str, engine: Engine) -> None:
    """And nothing else; where nothing is said, nothing is kept."""
    keep_history(engine, COUNTS, STATES)
    assert history(database_url) == []
    store_samples(engine, uuid4(), [MetricSample("items", {}, 3)])
    for _ in range(2):
        keep_history(engine, COUNTS, STATES)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "update relayscope_store.figure_sample set time = time - interval '2 days'"
            " where time = (select min(time) from relayscope_store.figure_sample)"
        )
    assert forget_history(engine, timedelta(days=1)) == 1
    assert len(history(database_url)) == 1
