"""The collector's figures over time, as curves."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    Points = dict[str, list[tuple[datetime, float]]]

_QUANTILES: Final = {"half of all commits": 0.5, "95 of 100": 0.95}


class Key(NamedTuple):
    """A figure, with those of its labels by which figures are told apart here."""

    name: str
    outcome: str | None = None
    code: str | None = None
    le: str | None = None


class Sample(NamedTuple):
    """The figures of all collectors at a time."""

    time: datetime
    values: Mapping[Key, float]


def samples(rows: Iterable[Mapping[str, Any]]) -> list[Sample]:
    """Read samples from rows of `collector_history`, the oldest first."""
    found: dict[datetime, dict[Key, float]] = defaultdict(dict)
    names = Key._fields
    for row in rows:
        found[row["time"]][Key(*(row[name] for name in names))] = row["value"]
    return [Sample(time, values) for time, values in found.items()]


def items(samples: Sequence[Sample]) -> Points:
    """Spans, records and data points in each second, by what became of them."""
    return _rates(samples, "relayscope_items_total", lambda key: key.outcome or "?")


def requests(samples: Sequence[Sample]) -> Points:
    """Requests in each second: those that were accepted and those that were not."""
    return _rates(
        samples,
        "relayscope_requests_total",
        lambda key: "accepted" if key.code == "OK" else f"refused: {key.code}",
    )


def sanitized(samples: Sequence[Sample]) -> Points:
    """Findings of the sanitizer in each second."""
    return _rates(samples, "relayscope_sanitizer_hits_total", lambda _: "taken out")


def lost(samples: Sequence[Sample]) -> Points:
    """Requests that had been accepted and could not be stored, in each second."""
    return _rates(samples, "relayscope_outage_lost_requests_total", lambda _: "lost requests")


def waiting(samples: Sequence[Sample]) -> Points:
    """Bytes that wait: on disk for PostgreSQL, and in memory."""
    names = {
        "relayscope_outage_waiting_bytes": "on disk for PostgreSQL",
        "relayscope_in_flight_bytes": "in memory",
    }
    return {
        called: [(one.time, one.values.get(Key(name), 0.0)) for one in samples]
        for name, called in names.items()
    }


def latencies(samples: Sequence[Sample]) -> Points:
    """Seconds that commits took, by their histogram."""
    points: Points = defaultdict(list)
    for before, after in _neighbours(samples):
        counts = sorted(
            (float(key.le or "inf"), value - before.values.get(key, 0.0))
            for key, value in after.values.items()
            if key.name == "relayscope_commit_seconds_bucket"
        )
        for called, quantile in _QUANTILES.items():
            found = _quantile(counts, quantile)
            if found is not None:
                points[called].append((after.time, found))
    return points


def _rates(samples: Sequence[Sample], name: str, called: Any) -> Points:
    points: Points = defaultdict(list)
    for before, after in _neighbours(samples):
        seconds = (after.time - before.time).total_seconds()
        rates: dict[str, float] = defaultdict(float)
        for key, value in after.values.items():
            if key.name == name:
                # A process that is forgotten takes its counts along.
                rates[called(key)] += max(0.0, value - before.values.get(key, 0.0)) / seconds
        for one, rate in rates.items():
            points[one].append((after.time, rate))
    return points


def _neighbours(samples: Sequence[Sample]) -> Iterator[tuple[Sample, Sample]]:
    return (pair for pair in pairwise(samples) if pair[0].time < pair[1].time)


def _quantile(counts: Sequence[tuple[float, float]], quantile: float) -> float | None:
    """A quantile of a histogram whose counts include those of all smaller bounds.

    Within a bucket values are taken to be spread evenly; beyond the last bound there is that bound.
    """
    total = counts[-1][1] if counts else 0.0
    if total <= 0:
        return None
    wanted = quantile * total
    lower, below = 0.0, 0.0
    for bound, count in counts:
        if count >= wanted and count > below:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (wanted - below) / (count - below)
        lower, below = bound, max(below, count)
    return lower
