"""`/pipeline`: what becomes of what is sent, what is missing of it, and how long it is kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from relayscope.collector.maintenance.retention_policy import policy
from relayscope.collector.page import figure_history
from relayscope.collector.page.behind import Statement, behind
from relayscope.collector.page.curves import curves
from relayscope.collector.page.interval import CHOICES, interval
from relayscope.collector.page.view import View
from relayscope.collector.query.drop_reasons import why_dropped
from relayscope.collector.query.problems import MOST
from relayscope.collector.query.queries import query
from relayscope.collector.text.quantities import duration_text, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.curves import Curves
    from relayscope.collector.page.figure_history import Points, Sample
    from relayscope.collector.page.interval import Interval
    from relayscope.collector.page.page import Page
    from relayscope.storage import Policy

_PARTITIONS: Final = 200
_COLUMNS: Final = 120
"""Into which the time of a plot is divided."""

_STEPS: Final = {
    timedelta(seconds=1): "second",
    timedelta(seconds=5): "5 seconds",
    timedelta(seconds=30): "30 seconds",
    timedelta(minutes=1): "minute",
    timedelta(minutes=5): "5 minutes",
    timedelta(minutes=30): "30 minutes",
    timedelta(hours=1): "hour",
    timedelta(hours=6): "6 hours",
    timedelta(days=1): "day",
}
"""In which people count time, and how they say it."""

_LONGEST: Final = timedelta(days=400)


class Plot(NamedTuple):
    """Curves, and how to say their values.

    Attributes:
        label: The name of what the curves show.
        curves: Them.
        points: The same as a table.
        written: Makes words of a value.
    """

    label: str
    curves: Curves
    points: Points
    written: Callable[[float], str]


class Found(NamedTuple):
    """Rows of what is stored, what is missing and how long it is kept; and the database's size.

    Attributes:
        since: From when on; the first step begins there.
        until: Until before.
        step: The stretches of time in which records are counted.
        statements: The SQL behind it.
    """

    since: datetime
    until: datetime
    step: timedelta
    stored: Sequence[Mapping[str, Any]]
    samples: Sequence[Sample]
    delivery: Sequence[Mapping[str, Any]]
    dropped: Sequence[Mapping[str, Any]]
    partitions: Sequence[Mapping[str, Any]]
    database_bytes: int
    statements: Sequence[Statement]


async def find(page: Page, time: Interval) -> Found:
    """Ask for it."""
    until = min(time.until, datetime.now(UTC))
    since = max(time.since, until - _LONGEST)
    asked = {"since": since, "until": until}
    step = step_of(until - since)
    stored, figures, delivery, dropped, partitions, size = await asyncio.gather(
        page.reader.rows(query("stored_over_time"), asked | {"step": step}),
        page.reader.rows(query("collector_history"), asked | {"step": step}),
        page.reader.rows(query("delivery"), asked),
        page.reader.rows(query("dropped"), asked | {"most": MOST}),
        page.reader.rows(query("partitions"), {"most": _PARTITIONS}),
        page.reader.rows(query("database_bytes")),
    )
    names = (
        "stored_over_time",
        "collector_history",
        "delivery",
        "dropped",
        "partitions",
        "database_bytes",
    )
    return Found(
        since,
        until,
        step,
        stored,
        figure_history.samples(figures),
        delivery,
        [{**row, "why": why_dropped(row["reason"])} for row in dropped],
        kept(partitions, policy(page.settings)),
        size[0]["bytes"],
        behind(asked | {"step": step, "most": MOST}, *names),
    )


async def pipeline(request: Request) -> Response:
    """Show it."""
    page: Page = request.app.state.page
    time = interval(request.query_params)
    found = await find(page, time)
    return await page.render(
        request,
        "pipeline.html",
        interval=time,
        choices=CHOICES,
        stored=_stored(found),
        plots=_plots(found.samples),
        delivery=found.delivery,
        dropped=found.dropped,
        partitions=found.partitions,
        size=found.database_bytes,
        most_bytes=page.settings.max_database_bytes,
        statements=found.statements,
    )


def step_of(length: timedelta) -> timedelta:
    """The step that divides a time into a few dozen columns, `_COLUMNS` at most."""
    return next((step for step in _STEPS if length / step <= _COLUMNS), timedelta(days=1))


def _stored(found: Found) -> Plot | None:
    counts = {(row["what"], row["time"]): row["records"] for row in found.stored}
    if not counts:
        return None
    columns = int((found.until - found.since) / found.step) + 1
    times = [found.since + number * found.step for number in range(columns)]
    points: Points = {
        what: [(time, float(counts.get((what, time), 0))) for time in times]
        for what in ("log records", "spans")
    }
    drawn = curves(points)
    label = f"Stored records, by their own time, in each {_STEPS[found.step]}"
    return Plot(label, drawn, points, "{:,.0f}".format) if drawn else None


def _plots(samples: Sequence[Sample]) -> list[Plot]:
    given: tuple[tuple[str, Points, Callable[[float], str]], ...] = (
        ("Items in each second, by what became of them", figure_history.items(samples), _rate),
        ("Requests in each second", figure_history.requests(samples), _rate),
        ("Taken out by the sanitizer in each second", figure_history.sanitized(samples), _rate),
        ("Time to commit", figure_history.latencies(samples), _seconds),
        ("Waiting", figure_history.waiting(samples), lambda value: size_text(round(value))),
        ("Accepted, and not to be stored any more", figure_history.lost(samples), _rate),
    )
    drawn = ((label, curves(points), points, written) for label, points, written in given)
    return [Plot(label, found, points, w) for label, found, points, w in drawn if found]


def kept(rows: Iterable[Mapping[str, Any]], kept_by: Policy) -> list[dict[str, Any]]:
    """Partitions and segments, each with the time at which retention will remove it."""
    return [{**row, "goes": _goes(row, kept_by)} for row in rows]


def _goes(row: Mapping[str, Any], kept_by: Policy) -> datetime | None:
    age = (
        kept_by.age(row["signal"], row["class"])
        if row["is_sealed"]
        else kept_by.longest(row["signal"])
    )
    try:
        end: datetime = row["to_time"]
        return None if age is None else end + age
    except OverflowError:
        return None


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"  # noqa: PLR2004 - of less, digits count


def _seconds(value: float) -> str:
    return duration_text(round(value * 1e9))


views = (View("/pipeline", "Pipeline", pipeline),)
