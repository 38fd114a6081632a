"""The retention policy of the settings, as storage takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relayscope.collector.signals import LOGS, METRICS, TRACES
from relayscope.storage import Policy, RetentionClass

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings

TABLES = {TRACES: "span", LOGS: "log", METRICS: "metric_point"}
"""Table of the records of each signal."""


def classes(settings: Settings) -> tuple[RetentionClass, ...]:
    """Return the classes of records that are kept apart, in the order in which they are tried."""
    return tuple(
        RetentionClass(each.name, errors=each.errors, components=each.components)
        for each in settings.keep_apart
    )


def policy(settings: Settings) -> Policy:
    """Return how long records are kept."""
    ages = {
        TABLES[TRACES]: settings.keep_traces,
        TABLES[LOGS]: settings.keep_logs,
        TABLES[METRICS]: settings.keep_metrics,
    }
    return Policy(
        {table: age for table, age in ages.items() if age is not None},
        {each.name: each.keep for each in settings.keep_apart},
        settings.max_database_bytes,
    )
