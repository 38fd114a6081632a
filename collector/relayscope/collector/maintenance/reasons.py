"""Reasons for which there was nothing to do: silence would leave open if anything works."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.filesize import decimal

from relayscope.storage import (
    database_bytes,
    holds,
    live_partitions,
    oldest_default_time,
    sealed_removals,
)

if TYPE_CHECKING:
    from datetime import timedelta

    import psycopg

    from relayscope.collector.config.settings import Settings


def not_sealed(connection: psycopg.Connection[Any], settings: Settings) -> str:
    """Explain that nothing was sealed."""
    waiting = live_partitions(connection)
    if not waiting:
        return "nothing was sealed: no records wait for it"
    due = moment_text(waiting[0].end_time + settings.seal_after)
    return (
        f"nothing was sealed: what is stored can be sealed {length_text(settings.seal_after)} "
        f"(seal_after) after its day has ended, the first at {due}; few records that came late "
        "wait for more"
    )


def not_archived(connection: psycopg.Connection[Any], until: datetime) -> str:
    """Explain that nothing was archived."""
    sealed = sealed_removals(connection)
    if not sealed:
        return (
            "nothing was archived: only sealed records can be, and none are sealed yet "
            "(`relayscope seal` says why)"
        )
    first = moment_text(min(removal.to_time for removal in sealed))
    return (
        f"nothing was archived: the first sealed records end at {first}, which is not before "
        f"{moment_text(until)}"
    )


def not_removed(connection: psycopg.Connection[Any], settings: Settings) -> str:
    """Explain that nothing is removed."""
    return _not_aged(connection, settings) + _too_large(connection, settings.max_database_bytes)


def _not_aged(connection: psycopg.Connection[Any], settings: Settings) -> str:
    kept = {
        "traces": settings.keep_traces,
        "logs": settings.keep_logs,
        "metrics": settings.keep_metrics,
        **{apart.name: apart.keep for apart in settings.keep_apart},
    }
    rules = ", ".join(
        f"{name} {'for good' if age is None else length_text(age)}" for name, age in kept.items()
    )
    sealed = [removal.from_time for removal in sealed_removals(connection)]
    waiting = [source.start_time for source in live_partitions(connection)]
    waiting += filter(None, [oldest_default_time(connection)])
    shortest = min((age for age in kept.values() if age is not None), default=None)
    if waiting and shortest is not None and min(waiting) < datetime.now(UTC) - shortest:
        return (
            f"nothing goes yet: kept are {rules}; records of "
            f"{moment_text(min(waiting))} are not sealed, which `relayscope seal` does now and "
            "`relayscope serve` by itself"
        )
    times = sealed + waiting
    oldest = f"the oldest are of {moment_text(min(times))}" if times else "there are none"
    return (
        f"no records have been kept long enough: kept are {rules}, and what was restored as long "
        f"as --keep-days said; {oldest}"
    )


def _too_large(connection: psycopg.Connection[Any], most: int | None) -> str:
    """Explain that the database is larger than it may be all the same; nothing if it is not."""
    size = database_bytes(connection)
    if most is None or size <= most:
        return ""
    said = (
        f"\nthe database has {decimal(size)}, more than max_database_bytes allows "
        f"({decimal(most)}), and nothing in it may be removed: "
    )
    held = [
        f"{moment_text(each.from_time)} to {moment_text(each.to_time)}, "
        f"held until {moment_text(each.until)}"
        for each in holds(connection)
    ]
    if not held:
        return f"{said}records go only when the time of their partition is past"
    return f"{said}the rest is not past, or was restored:\n  " + "\n  ".join(held)


def moment_text(time: datetime) -> str:
    """Return a time as these commands print it."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def length_text(length: timedelta) -> str:
    """Return a length of time as these commands print it: `30 days`, `1:00:00`."""
    return str(length).removesuffix(", 0:00:00")
