"""Scenarios in which something could grow without end: names (R20) and leaks (R23)."""

from __future__ import annotations

import itertools
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from sqlalchemy import text

from relayscope.storage import create_engine
from tests.fix_collector import Collector
from tests.fix_oracle import FILLER, Oracle
from tests.soak.field import Field, wait_until_drained

if TYPE_CHECKING:
    import random

_MIB = 2**20
_MOST_MEMORY = 200 * _MIB

_SERVICES = 10_000
_RECORDS = 1_000
_KEYS = 100
"""In each round 10,000 names of services and 100,000 keys of attributes that never came before."""

_INDEX_BYTES = 200
"""For a record or a resource, in all indexes of its table: what ids and times need, and no keys."""

_REQUESTS = 200
_SPANS = 500
_LEAK = 24 * _MIB

_TRIES = 5
"""Ten thousand names take a busy machine longer than a request may take; the work goes on."""

_NUMBERS = itertools.count()


def names_without_end(ground: Field, oracle: Oracle, rounds: int, _: random.Random) -> float:
    """R20: a hundred thousand new names a round cost no line of metrics, memory or index."""
    slowest = 0.0
    lines = 0
    with ground.running():
        ground.start()
        assert ground.collector is not None
        for _round in range(rounds):
            started = time.monotonic()
            for request in (_services(), *(_keys() for _ in range(10))):
                _send(ground.collector, oracle, "logs", request)
            slowest = max(slowest, time.monotonic() - started)
            marks, request = oracle.issue("logs")
            _send(ground.collector, oracle, "logs", request)
            oracle.acknowledge(marks)
            now = len(ground.collector.ask("GET", "/metrics").body.splitlines())
            if lines and now > lines:
                raise AssertionError(f"/metrics grew from {lines} to {now} lines")
            lines = now
        if (peak := ground.collector.peak_memory()) > _MOST_MEMORY:
            raise AssertionError(f"the collector held {peak / _MIB:.0f} MiB")
    _check_indexes(ground)
    return slowest


def spans_without_end(ground: Field, oracle: Oracle, rounds: int, _: random.Random) -> float:
    """R23: after the first, a hundred thousand spans a round leak neither memory nor files."""
    slowest = 0.0
    with ground.running():
        ground.start()
        assert ground.collector is not None
        _hundred_thousand_spans(ground.collector, oracle)
        files = ground.collector.open_files()
        warm = ground.collector.peak_memory()
        for _round in range(rounds):
            started = time.monotonic()
            _hundred_thousand_spans(ground.collector, oracle)
            slowest = max(slowest, time.monotonic() - started)
        if (peak := ground.collector.peak_memory()) > warm + _LEAK:
            raise AssertionError(f"from {warm / _MIB:.0f} to {peak / _MIB:.0f} MiB")
        if (now := ground.collector.open_files()) > files + 4:
            raise AssertionError(f"from {files} to {now} open files")
        wait_until_drained(ground)
    return slowest


def _hundred_thousand_spans(collector: Collector, oracle: Oracle) -> None:
    for _request in range(_REQUESTS):
        marks, request = oracle.issue("traces", _SPANS)
        _send(collector, oracle, "traces", request)
        oracle.acknowledge(marks)


def _send(collector: Collector, oracle: Oracle, signal: str, request: bytes) -> None:
    """Send a request, and the same again while it is refused for now, as senders do."""
    for _try in range(_TRIES):
        oracle.attempts[signal] += 1
        status = collector.post(signal, request).status
        if status != HTTPStatus.SERVICE_UNAVAILABLE:
            break
    if status != HTTPStatus.OK:
        raise AssertionError(f"answered with {status}")


def _attribute(key: str, value: str = "") -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _services() -> bytes:
    record = LogRecord(attributes=[_attribute(FILLER)])
    return ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=Resource(attributes=[_attribute("service.name", f"s-{next(_NUMBERS)}")]),
                scope_logs=[ScopeLogs(log_records=[record])],
            )
            for _ in range(_SERVICES)
        ]
    ).SerializeToString()


def _keys() -> bytes:
    records = [
        LogRecord(
            attributes=[
                _attribute(FILLER),
                *(_attribute(f"k-{next(_NUMBERS)}") for _ in range(_KEYS)),
            ]
        )
        for _ in range(_RECORDS // 10)
    ]
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])]
    ).SerializeToString()


def _check_indexes(ground: Field) -> None:
    engine = create_engine(ground.database_url)
    with engine.connect() as connection:
        for table, bytes_, rows in connection.execute(_INDEXES):
            # A few pages are there for nothing.
            if bytes_ > _INDEX_BYTES * rows + 2 * _MIB:
                raise AssertionError(f"{table}: {bytes_} bytes of indexes for {rows} rows")
    engine.dispose()


_INDEXES = text(
    "select 'log', sum(pg_indexes_size(inhrelid)), (select count(*) from relayscope_store.log) "
    "from pg_inherits where inhparent = 'relayscope_store.log'::regclass "
    "union all "
    "select 'resource', pg_indexes_size('relayscope_store.resource'), "
    "(select count(*) from relayscope_store.resource)"
)
