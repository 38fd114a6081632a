"""Cost of receiving, sanitizing and storing, against raw COPY of the same rows.

    python -m tests.bench.bench_ingest [SECONDS]

Everything runs on this machine at once: the sender in a process of its own, the collector with
default settings and default sanitizer rules, the embedded PostgreSQL with every commit durable.
Ratios travel between machines, absolute times do not.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, LiteralString, NamedTuple
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from relayscope.collector.ingest.decode import decode, parse
from relayscope.collector.signals import LOGS, TRACES, Signal
from relayscope.sanitizer import Rules, Sanitizer, Value
from relayscope.storage import Batch, EmbeddedServer, Writer, create_engine, migrate
from tests.bench.load import ITEMS, Requests, load
from tests.bench.record import PLAIN
from tests.fix_collector import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


# --- what is measured ---------------------------------------------------------------------------


def _raw_copy(url: str, signal: Signal, requests: int = 200) -> float:
    """Items per second of one connection that sends ready-made binary COPY data."""
    sent = Requests(signal)
    _write(url, [_decode(signal, sent.another()) for _ in range(requests)])
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
    server = postmaster(folder)
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
            load(collector.grpc, signal, 2.0, bodies)  # imports, caches, partitions
            processes = _family(collector.process.pid)
            collector_before = sum(map(_cpu_seconds, processes))
            postgres_before = _postgres_cpu_seconds(server)
            taken = load(collector.grpc, signal, seconds, bodies)
            collector_cpu = sum(map(_cpu_seconds, processes)) - collector_before
            postgres_cpu = _postgres_cpu_seconds(server) - postgres_before
            return Run(
                taken.rate,
                collector_cpu / taken.items * 1e6,
                postgres_cpu / taken.items * 1e6,
                max(map(_peak, processes)),
            )


def _steps(url: str, signal: Signal) -> dict[str, float]:
    sent = Requests(signal)
    raw = sent.another()
    without = _Unsanitized(Rules.default())
    sanitizer = Sanitizer.default()
    parsing = _cost(lambda: parse(signal, raw))
    rows = _cost(lambda: decode(signal, parse(signal, raw), raw, without, 0)) - parsing
    sanitized = _cost(lambda: decode(signal, parse(signal, raw), raw, sanitizer, 0))
    batches = [_decode(signal, sent.another()) for _ in range(40)]
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
