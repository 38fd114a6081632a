"""What the settings say about how long records are kept, as storage takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relayscope.collector.signals import LOGS, METRICS, TRACES
from relayscope.storage import Policy, RetentionClass

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings

TABLES = {TRACES: "span", LOGS: "log", METRICS: "metric_point"}
"""Where the records of a signal are."""


def classes(settings: Settings) -> tuple[RetentionClass, ...]:
    """Records that are kept apart, in the order in which they are looked at."""
    return tuple(
        RetentionClass(each.name, errors=each.errors, components=each.components)
        for each in settings.keep_apart
    )


def policy(settings: Settings) -> Policy:
    """For how long what is kept."""
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
