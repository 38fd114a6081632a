"""Cost of receiving, sanitizing and storing, against raw COPY of the same rows.

    python -m tests.bench.bench_ingest [SECONDS]

Everything runs on this machine at once: the sender in a process of its own, the collector with
default settings and default sanitizer rules, the embedded PostgreSQL with every commit durable.
Ratios travel between machines, absolute times do not.
"""

from __future__ import annotations

import collections
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, LiteralString, NamedTuple
from uuid import uuid4

import grpc
import psycopg
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from relayscope.collector.ingest.decode import decode, parse
from relayscope.collector.signals import LOGS, TRACES, Signal
from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.sanitizer import Rules, Sanitizer, Value
from relayscope.storage import Batch, EmbeddedServer, Writer, create_engine, migrate
from tests.bench.record import ATTRIBUTES, PLAIN
from tests.fix_collector import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.queues import Queue

ITEMS: Final = 512
"""In one request, as the SDK's batch processors send by default."""

_MARK: Final = b"mark-0123456789abcdef"
"""Replaced in each request, so that none is a repetition."""

_CONNECTIONS: Final = 4
_IN_FLIGHT: Final = 4

_WORKERS: Final = (1, 2)
ROUNDS: Final = 5

_TABLES: Final = {LOGS: "log", TRACES: "span"}


def main() -> None:
    """Measure, and print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    print(
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}\n"
        f"{ITEMS} items in a request, 8 attributes each; body {len(PLAIN)} B (logs), "
        f"1 event (spans)\nmedian of {ROUNDS} rounds, each with raw COPY and {seconds:g} s "
        "per number of workers\n"
    )
    row("", "items/s", "of COPY", "(range)", "CPU µs", "of it PG", "peak MiB")
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
    ):
        for signal in (LOGS, TRACES):
            rounds = [_round(server.url, Path(folder), signal, seconds) for _ in range(ROUNDS)]
            row(
                f"{signal.name}: raw binary COPY",
                f"{median(copied for copied, _ in rounds):,.0f}",
                "1.00",
            )
            for index, workers in enumerate(_WORKERS):
                _report(
                    f"{signal.name}: {workers} worker{'s' * (workers > 1)}",
                    [(copied, runs[index]) for copied, runs in rounds],
                )
        print("\nwhere the time of one worker goes, µs of CPU per item, each step alone:\n")
        row("", *(signal.name for signal in (LOGS, TRACES)))
        with database(server.url) as url:
            steps = [_steps(url, signal) for signal in (LOGS, TRACES)]
        for name in steps[0]:
            row(name, *(f"{step[name]:.1f}" for step in steps))


def _round(
    server_url: str, folder: Path, signal: Signal, seconds: float
) -> tuple[float, list[Run]]:
    """Items per second of raw COPY, and right after it each number of workers.

    Neighbours on the same hardware make a machine half as fast again from one minute to the next,
    so a ratio is one of neighbouring moments.
    """
    with database(server_url) as url:
        copied = _raw_copy(url, signal)
    runs = []
    for workers in _WORKERS:
        with database(server_url) as url:
            runs.append(run(url, folder, signal, workers, seconds))
    return copied, runs


def _report(name: str, rounds: list[tuple[float, Run]]) -> None:
    ratios = sorted(run.per_second / copied for copied, run in rounds)
    runs = [run for _, run in rounds]
    row(
        name,
        f"{median(run.per_second for run in runs):,.0f}",
        f"{median(ratios):.2f}",
        f"{ratios[0]:.2f}-{ratios[-1]:.2f}",
        f"{median(run.collector_us for run in runs):.1f}",
        f"+{median(run.postgres_us for run in runs):.1f}",
        f"{max(run.peak for run in runs) / 2**20:.0f}",
    )


class _Unsanitized(Sanitizer):
    """Lets everything pass, to see what the rest costs."""

    def record(self, attributes: dict[str, Value], body: Value) -> tuple[dict[str, Value], Value]:
        return attributes, body

    def records(
        self, records: Sequence[tuple[dict[str, Value], Value]]
    ) -> Sequence[tuple[dict[str, Value], Value]]:
        return records


class Run(NamedTuple):
    """Cost of one run of a collector."""

    per_second: float
    collector_us: float
    postgres_us: float
    peak: int


class database:  # noqa: N801 - reads as a function
    """A database of its own, migrated; dropped afterwards."""

    def __init__(self, server_url: str) -> None:
        self._server = make_url(server_url)
        self._name = f"bench_{uuid4().hex}"

    def __enter__(self) -> str:
        self._execute("create database {}")
        url = self._server.set(database=self._name).render_as_string(hide_password=False)
        engine = create_engine(url)
        migrate(engine)
        engine.dispose()
        return url

    def __exit__(self, *_: object) -> None:
        self._execute("drop database {} with (force)")

    def _execute(self, statement: LiteralString) -> None:
        url = _dsn(self._server.render_as_string(hide_password=False))
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(SQL(statement).format(Identifier(self._name)))


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


# --- what is sent -------------------------------------------------------------------------------


def _attributes() -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value)
            if isinstance(value, int)
            else AnyValue(string_value=str(value)),
        )
        for key, value in ATTRIBUTES.items()
    ]


def make_request(signal: Signal, bodies: Sequence[str] = (PLAIN,)) -> bytes:
    """A request with `ITEMS` records, these bodies in turn, and a mark to make another of it."""
    resource = Resource(
        attributes=[KeyValue(key="service.name", value=AnyValue(string_value="relay"))]
    )
    now = time.time_ns()
    attributes = _attributes()
    if signal is LOGS:
        logs = ExportLogsServiceRequest()
        records = logs.resource_logs.add(resource=resource).scope_logs.add().log_records
        for number in range(ITEMS):
            records.add(
                time_unix_nano=now + number,
                severity_number=1,
                event_name=EVENT_MESSAGE,
                body=AnyValue(string_value=bodies[number % len(bodies)]),
                attributes=attributes,
                trace_id=os.urandom(16),
                span_id=os.urandom(8),
            )
        records[0].severity_text = _MARK.decode()
        return logs.SerializeToString()
    traces = ExportTraceServiceRequest()
    spans = traces.resource_spans.add(resource=resource).scope_spans.add().spans
    for number in range(ITEMS):
        span = spans.add(
            name="tools/call get_time",
            kind=2,
            start_time_unix_nano=now + number,
            end_time_unix_nano=now + number + 1_000_000,
            attributes=attributes,
            trace_id=os.urandom(16),
            span_id=os.urandom(8),
            parent_span_id=os.urandom(8),
        )
        span.events.add(name="sent", time_unix_nano=now, attributes=attributes[:1])
    spans[0].trace_state = _MARK.decode()
    return traces.SerializeToString()


def _send(address: str, service: str, raw: bytes, seconds: float, answer: Queue[Any]) -> None:
    """Keep requests in flight for so long; answers with the items acknowledged and the time."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.insecure_channel(address, options=options) for _ in range(_CONNECTIONS)]
    methods: list[Any] = [channel.unary_unary(f"/{service}/Export") for channel in channels]
    before, _, after = raw.partition(_MARK)
    waiting: collections.deque[Any] = collections.deque()
    sent = 0
    started = time.perf_counter()
    while time.perf_counter() < started + seconds:
        marked = before + b"mark-%016x" % sent + after
        waiting.append(methods[sent % _CONNECTIONS].future(marked))
        sent += 1
        if len(waiting) >= _CONNECTIONS * _IN_FLIGHT:
            waiting.popleft().result()
    for call in waiting:
        call.result()
    answer.put((sent * ITEMS, time.perf_counter() - started))


def _raw_copy(url: str, signal: Signal, requests: int = 200) -> float:
    """Items per second of one connection that sends ready-made binary COPY data."""
    _write(url, [_decode(signal, make_request(signal)) for _ in range(requests)])
    with psycopg.connect(_dsn(url)) as connection, connection.cursor() as cursor:
        table = Identifier("relayscope_store", _TABLES[signal])
        cursor.execute(SQL("select * from {} limit 0").format(table))
        names = [Identifier(column.name) for column in cursor.description or ()]
        parts = {"table": table, "columns": SQL(", ").join(names)}
        out = "copy (select {columns} from {table}) to stdout (format binary)"
        with cursor.copy(SQL(out).format(**parts)) as copy:
            data = b"".join(bytes(chunk) for chunk in copy)
        cursor.execute(SQL("truncate {}").format(table))
        connection.commit()
        started = time.perf_counter()
        into = "copy {table} ({columns}) from stdin (format binary)"
        with cursor.copy(SQL(into).format(**parts)) as copy:
            copy.write(data)
        connection.commit()
        elapsed = time.perf_counter() - started
    return requests * ITEMS / elapsed


def run(  # noqa: PLR0913, PLR0917  # what is varied
    url: str,
    folder: Path,
    signal: Signal,
    workers: int,
    seconds: float,
    bodies: Sequence[str] = (PLAIN,),
) -> Run:
    """Load a collector with so many workers for so long."""
    server, request = postmaster(folder), make_request(signal, bodies)
    with tempfile.TemporaryDirectory() as data:
        environment = {
            "RELAYSCOPE_DATABASE_URL": url,
            "RELAYSCOPE_DATA_DIR": data,
            "RELAYSCOPE_GRPC": "127.0.0.1:0",
            "RELAYSCOPE_HTTP": "127.0.0.1:0",
            "RELAYSCOPE_WORKERS": str(workers),
        }
        with Collector(environment=environment) as collector:
            collector.wait_until_ready()
            load(collector.grpc, request, signal, 2.0)  # imports, caches, partitions
            processes = _family(collector.process.pid)
            collector_before = sum(map(_cpu_seconds, processes))
            postgres_before = _postgres_cpu_seconds(server)
            items, elapsed = load(collector.grpc, request, signal, seconds)
            collector_cpu = sum(map(_cpu_seconds, processes)) - collector_before
            postgres_cpu = _postgres_cpu_seconds(server) - postgres_before
            return Run(
                items / elapsed,
                collector_cpu / items * 1e6,
                postgres_cpu / items * 1e6,
                max(map(_peak, processes)),
            )


def load(address: str, request: bytes, signal: Signal, seconds: float) -> tuple[int, float]:
    """Send at full speed for so long; return the items that were taken, and the time."""
    context = multiprocessing.get_context("spawn")
    answer: Queue[Any] = context.Queue()
    sender = context.Process(target=_send, args=(address, signal.service, request, seconds, answer))
    sender.start()
    items, elapsed = answer.get()
    sender.join()
    return items, elapsed


def _steps(url: str, signal: Signal) -> dict[str, float]:
    raw = make_request(signal)
    without = _Unsanitized(Rules.default())
    sanitizer = Sanitizer.default()
    parsing = _cost(lambda: parse(signal, raw))
    rows = _cost(lambda: decode(signal, parse(signal, raw), raw, without, 0)) - parsing
    sanitized = _cost(lambda: decode(signal, parse(signal, raw), raw, sanitizer, 0))
    batches = [_decode(signal, raw.replace(_MARK, b"mark-%016x" % n)) for n in range(40)]
    started = time.process_time()
    _write(url, batches)
    writing = (time.process_time() - started) / len(batches) / ITEMS * 1e6
    return {
        "parse (protobuf)": parsing,
        "rows, without sanitizing": rows,
        "sanitize": sanitized - rows - parsing,
        "encode and send COPY": writing,
    }


def _cost(work: Callable[[], object]) -> float:
    """µs of CPU per item, at best of several rounds."""
    rounds = []
    for _ in range(20):
        started = time.process_time()
        work()
        rounds.append(time.process_time() - started)
    return min(rounds) / ITEMS * 1e6


def _decode(signal: Signal, raw: bytes) -> Batch:
    return decode(signal, parse(signal, raw), raw, Sanitizer.default(), 0).batch


def _write(url: str, batches: list[Batch]) -> None:
    engine = create_engine(url)
    writer = Writer(engine)
    for batch in batches:
        writer.write([batch])
    writer.close()
    engine.dispose()


# --- processes, as /proc knows them -------------------------------------------------------------


def _family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def postmaster(folder: Path) -> int:
    """The embedded server's first process."""
    (found,) = folder.rglob("postmaster.pid")
    return int(found.read_text().split()[0])


def _postgres_cpu_seconds(postmaster: int) -> float:
    """Of the server and its processes, those included that have ended."""
    fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return ended + sum(map(_cpu_seconds, _family(postmaster)))


def _peak(pid: int) -> int:
    """The most memory a process has held, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def row(name: str, *cells: str) -> None:
    """Print a row of a table."""
    print(f"{name:28}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
