"""The collector about itself, as Prometheus metrics. No label ever holds text from telemetry.

With several workers the counts are shared through files in `PROMETHEUS_MULTIPROC_DIR`, so that any
of them answers `/metrics` for all, and what a worker has counted outlives it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from relayscope.collector.signals import LOGS, METRICS, TRACES
from relayscope.storage import MetricSample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relayscope.collector.internal_telemetry.component_class import ComponentClasses
    from relayscope.collector.signals import Signal
    from relayscope.spool import Backlog
    from relayscope.storage import Batch, DatabaseSize, WriteOutcome

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ITEMS: Final = (1, 10, 100, 1_000, 10_000, 100_000)

# A line more per figure, and nobody needs to know when counting began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations


class CollectorMetrics:
    """The metrics of one worker."""

    def __init__(self, classes: ComponentClasses) -> None:
        self._classes = classes
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "relayscope_requests",
            "Requests by answer; `code` is a gRPC status, `reason` says why one was refused.",
            ("signal", "transport", "code", "reason"),
            registry=self._registry,
        )
        self._items = Counter(
            "relayscope_items",
            "Spans, log records and data points: stored, duplicate (stored before), rejected (for "
            "a `reason`), spooled (waiting on disk), drained (of those, stored since).",
            ("signal", "component_class", "outcome", "reason"),
            registry=self._registry,
        )
        self._sanitized = Counter(
            "relayscope_sanitizer_hits",
            "What the sanitizer took out, by rule.",
            ("signal", "component_class", "rule"),
            registry=self._registry,
        )
        self._commit_seconds = Histogram(
            "relayscope_commit_seconds",
            "Time to write and commit one group of requests.",
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._commit_items = Histogram(
            "relayscope_commit_items",
            "Items in one group of requests.",
            registry=self._registry,
            buckets=_ITEMS,
        )
        self._in_flight = Gauge(
            "relayscope_in_flight_bytes",
            "Requests being received, decoded and stored.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._lost = Counter(
            "relayscope_outage_lost_requests",
            "Requests that had been accepted and cannot be stored any more, by reason.",
            ("reason",),
            registry=self._registry,
        )
        self._waiting_bytes = Gauge(
            "relayscope_outage_waiting_bytes",
            "Requests waiting on disk for PostgreSQL.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._waiting_seconds = Gauge(
            "relayscope_outage_waiting_seconds",
            "Age of the oldest request waiting on disk.",
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._database_bytes = Gauge(
            "relayscope_database_bytes",
            "Size of the database.",
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._partitions = Gauge(
            "relayscope_partitions",
            "Partitions of the tables of records.",
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._sealed_records = Gauge(
            "relayscope_sealed_records",
            "Records in sealed segments.",
            ("table",),
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._sealed_bytes = Gauge(
            "relayscope_sealed_bytes",
            "Size of sealed segments, with indexes.",
            ("table",),
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._removed_records = Gauge(
            "relayscope_removed_records",
            "Records that retention has removed, since the database was made.",
            ("table", "reason"),
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._ready = Gauge(
            "relayscope_ready",
            "1 while PostgreSQL answers.",
            registry=self._registry,
            multiprocess_mode="livemin",
        )

    def answered(self, signal: Signal, transport: str) -> None:
        """Count a request that was stored."""
        self._requests.labels(signal.name, transport, "OK", "").inc()

    def refused(self, signal: Signal, transport: str, code: str, reason: str) -> None:
        """Count a request that got an error as its answer; the reason is the error's name."""
        self._requests.labels(signal.name, transport, code, reason).inc()

    def asked(self, about: str, code: str, reason: str = "") -> None:
        """Count a request without telemetry: about `levels`, or over `opamp`."""
        self._requests.labels(about, "http", code, reason).inc()

    def class_of(self, batch: Batch) -> str:
        """Return the class of a request's components, which the following ask for."""
        return self._classes.of(batch)

    def items(self, signal: Signal, component_class: str, outcome: str, count: int) -> None:
        """Count items of a request by outcome: `stored`, `duplicate`, `spooled`, ..."""
        if count:
            self._items.labels(signal.name, component_class, outcome, "").inc(count)

    def rejected(self, signal: Signal, component_class: str, reasons: Mapping[str, int]) -> None:
        """Count items of a request that could not be stored."""
        for reason, count in reasons.items():
            self._items.labels(signal.name, component_class, "rejected", reason).inc(count)

    def sanitized(self, signal: Signal, component_class: str, hits: Mapping[str, int]) -> None:
        """Count what the sanitizer took out of a request, by rule."""
        for rule, count in hits.items():
            self._sanitized.labels(signal.name, component_class, rule).inc(count)

    def committed(self, seconds: float, items: int) -> None:
        """Observe a group of requests that was written."""
        self._commit_seconds.observe(seconds)
        self._commit_items.observe(items)

    def drained(self, batch: Batch, outcome: WriteOutcome) -> None:
        """Count a request that had waited on disk and was written."""
        became = "duplicate" if outcome.duplicate else "drained"
        counts = ((TRACES, batch.spans), (LOGS, batch.logs), (METRICS, batch.points))
        for signal, rows in counts:
            self.items(signal, self.class_of(batch), became, len(rows))

    def lost(self, reason: str, requests: int) -> None:
        """Count accepted requests that cannot be stored any more."""
        self._lost.labels(reason).inc(requests)

    def waiting(self, backlog: Backlog) -> None:
        """Set the gauges of what waits on disk."""
        self._waiting_bytes.set(backlog.bytes)
        self._waiting_seconds.set(backlog.seconds)

    def state(self, *, in_flight: int, ready: bool) -> None:
        """Set the gauges that are sampled."""
        self._in_flight.set(in_flight)
        self._ready.set(ready)

    def database(self, size: DatabaseSize) -> None:
        """Set the gauges of the database's size."""
        self._database_bytes.set(size.bytes)
        self._partitions.set(size.partitions)
        for table, (records, size_) in size.sealed.items():
            self._sealed_records.labels(table).set(records)
            self._sealed_bytes.labels(table).set(size_)
        for (table, reason), records in size.removed.items():
            self._removed_records.labels(table, reason).set(records)

    def samples(self) -> list[MetricSample]:
        """Return this worker's own samples."""
        return [
            MetricSample(sample.name, sample.labels, sample.value)
            for metric in self._registry.collect()
            for sample in metric.samples
        ]

    def text(self) -> bytes:
        """Render the metrics of all workers in Prometheus's text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]  # its __init__ has no annotations
        return generate_latest(everyone)
