"""Time of questions, size of records, and cost of sealing them.

    python -m tests.bench.bench_query [ROWS [QUESTIONS]]

Makes ROWS log records and half as many spans of a week (`traffic.py`), writes them by COPY, seals
what can be sealed, and asks 200 random questions of each kind through the public views and
functions, after one round to warm up. Everything runs on this machine, in the embedded PostgreSQL
with its default settings: seven days, each with a segment of errors and one of the rest.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
from sqlalchemy import make_url

from relayscope.storage import Batch, EmbeddedServer, Writer, create_engine, migrate
from relayscope.storage.sealing import Sealer, Segment
from relayscope.storage.sealing.retention_class import RetentionClass
from tests.bench.traffic import BACKENDS, COMMON, PORTS, RECORDS, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from relayscope.storage.sealing import Sealed

DAYS: Final = 7
_QUESTIONS: Final = 200
_DAY_NANO: Final = 86_400 * 10**9
_TRACES_AT_ONCE: Final = 200
_PROCESSES: Final = 2


_SIZES: Final = (
    "select sum(pg_table_size(oid)), sum(pg_indexes_size(oid)) from pg_class"
    " where relkind = 'r' and relname ~ %s and relnamespace = 'relayscope_store'::regnamespace"
)
_SAMPLE: Final = (
    "select trace_id, substring(body from 'ord-[a-z0-9]{8}') from relayscope.messages"
    " where time >= %(at)s and time < %(at)s + interval '10 minutes' and kind = 'request'"
    " and method = 'tools/call' limit 1"
)
_UNSEALED: Final = "_20[0-9_]+$"


class Question(NamedTuple):
    """One kind of question, and how to ask a random one."""

    name: str
    statement: str
    values: Callable[[random.Random], tuple[object, ...]]
    budget_ms: int


def main() -> None:
    """Measure, and print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    questions = int(sys.argv[2]) if len(sys.argv) > 2 else _QUESTIONS
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-bench-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
    ):
        engine = create_engine(server.url)
        migrate(engine)
        with psycopg.connect(dsn(server.url), autocommit=True) as connection:
            _say_where(connection, number)
            began = time.perf_counter()
            fill(server.url, number)
            _row(
                "made and written",
                f"{(time.perf_counter() - began) / number * 1e6:.1f} µs per record and half a span",
            )
            before = {name: _size(connection, name + _UNSEALED) for name in ("log", "span")}
            sealed = list(Sealer(engine, [RetentionClass("errors", errors=True)]).seal(quiet=False))
            _say_sealing(connection, number, before, sealed)
            _ask_all(connection, questions)
            _drop_day(connection)
        engine.dispose()


def fill(url: str, number: int) -> None:
    """Write so many log records of the last seven whole days, in two processes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(_PROCESSES) as pool:
        pool.starmap(_fill_day, [(url, day, number // DAYS // RECORDS) for day in range(DAYS)])


def _fill_day(url: str, day: int, traces: int) -> None:
    traffic = Traffic(day)
    start = (time.time_ns() // _DAY_NANO - DAYS + day) * _DAY_NANO
    step = (_DAY_NANO - 10**9) // traces
    engine = create_engine(url)
    writer = Writer(engine, timeout=timedelta(minutes=5))
    made = (traffic.trace(start + number * step) for number in range(traces))
    while some := list(islice(made, _TRACES_AT_ONCE)):
        batch = Batch(os.urandom(16), traffic.resources, traffic.scopes)
        for trace in some:
            batch.spans += trace.spans
            batch.logs += trace.logs
        writer.write([batch])
    writer.close()
    engine.dispose()


def _say_where(connection: psycopg.Connection[Any], number: int) -> None:
    version = connection.info.server_version // 10_000
    print(
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, PostgreSQL {version}, Python {platform.python_version()}\n"
        f"{number:,} log records and {number // 2:,} spans in {DAYS} days\n"
    )


def _say_sealing(
    connection: psycopg.Connection[Any],
    number: int,
    before: dict[str, tuple[int, int]],
    sealed: Sequence[Sealed],
) -> None:
    bodies = connection.execute(
        "select percentile_cont(0.5) within group (order by length), avg(length), max(length)"
        " from (select octet_length(unnest(body)) as length"
        " from relayscope_store.log_chunk tablesample system (5)) as bodies"
    ).fetchone()
    if bodies and bodies[0]:
        _row(
            "bodies", f"median {bodies[0]:,.0f} B, mean {bodies[1]:,.0f} B, longest {bodies[2]:,} B"
        )
    print()
    _row("bytes per record", "tables", "indexes", "together", "sealing µs")
    for name, parts, count in (
        ("log", "log_(sealed|chunk)_[0-9]+$|log_shape$", number),
        ("span", "span_sealed_[0-9]+$", number // 2),
    ):
        _row(f"{name}, written to", *_per(before[name], count), "")
        seconds = sum(each.seconds for each in sealed if each.name.startswith(f"{name}_"))
        _row(
            f"{name}, sealed",
            *_per(_size(connection, parts), count),
            f"{seconds / count * 1e6:.1f}",
        )
    print()


def _size(connection: psycopg.Connection[Any], pattern: str) -> tuple[int, int]:
    row = connection.execute(_SIZES, (f"^{pattern}" if pattern[0] != "^" else pattern,)).fetchone()
    return (int(row[0] or 0), int(row[1] or 0)) if row else (0, 0)


def _per(size: tuple[int, int], count: int) -> tuple[str, str, str]:
    return f"{size[0] / count:.0f}", f"{size[1] / count:.0f}", f"{sum(size) / count:.0f}"


def _ask_all(connection: psycopg.Connection[Any], number: int) -> None:
    _row(f"{number} questions each, ms", "p50", "p95", "rows", "budget")
    connection.execute("set search_path = relayscope, public; set timezone = 'UTC'")
    for question in _questions(connection):
        for _ in range(2):  # The first round warms up: the second asks the same.
            chance = random.Random(question.name)
            taken, rows = [], 0
            for _ in range(number):
                values = question.values(chance)
                began = time.perf_counter()
                rows += len(connection.execute(question.statement, values).fetchall())
                taken.append((time.perf_counter() - began) * 1000)
        cuts = quantiles(taken, n=20)
        _row(
            question.name,
            f"{cuts[9]:.1f}",
            f"{cuts[18]:.1f}",
            f"{rows / number:.1f}",
            f"{question.budget_ms}" + ("" if cuts[18] <= question.budget_ms else " MISSED"),
        )
    print()


def _questions(connection: psycopg.Connection[Any]) -> Iterator[Question]:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=DAYS)
    seeded = random.Random(0)
    sample = [
        connection.execute(
            _SAMPLE, {"at": start + timedelta(days=seeded.uniform(0, DAYS - 0.1))}
        ).fetchone()
        for _ in range(_QUESTIONS)
    ]
    traces = [row[0] for row in sample if row]
    orders = [row[1] for row in sample if row and row[1]]
    tools = [(tool, backend) for backend, names in Traffic(0).tools.items() for tool in names]

    def stretch(chance: random.Random, hours: int) -> tuple[datetime, datetime]:
        begins = start + timedelta(hours=chance.uniform(0, DAYS * 24 - hours))
        return begins, begins + timedelta(hours=hours)

    def peer(chance: random.Random) -> str:
        return f"127.0.0.1:{PORTS[chance.choice(BACKENDS)]}"

    yield Question(
        "trace by id", "select * from trace(%s)", lambda chance: (chance.choice(traces),), 20
    )
    yield Question(
        "last errors of a component",
        "select * from logs where severity_number >= 17 and component = %s and time >= %s"
        " and time < %s order by time desc limit 100",
        lambda chance: (chance.choice(BACKENDS), start, end),
        100,
    )
    yield Question(
        "method and tool, an hour",
        "select * from messages where method = 'tools/call' and tool = %s and time >= %s"
        " and time < %s order by time desc limit 100",
        lambda chance: (chance.choice(tools)[0], *stretch(chance, 1)),
        100,
    )
    yield Question(
        "attribute, a day",
        "select * from logs_having(jsonb_build_object('gen_ai.tool.name', %s::text), %s, %s,"
        " most => 100)",
        lambda chance: (chance.choice(tools)[0], *stretch(chance, 24)),
        100,
    )
    search = "select * from search(%s, %s, %s, most => 100)"
    yield Question("text, common", search, lambda _: (COMMON, start, end), 500)
    yield Question("text, rare", search, lambda chance: (chance.choice(orders), start, end), 500)
    yield Question(
        "text, absent",
        search,
        lambda chance: ("".join(chance.choices("qxzjkvw0123456789", k=9)), start, end),
        500,
    )
    yield Question(
        "legs of a peer, a day",
        "select * from legs where peer = %s and time >= %s and time < %s"
        " order by time desc limit 100",
        lambda chance: (peer(chance), *stretch(chance, 24)),
        2000,
    )
    yield Question(
        "compare_peers, a day",
        "select * from compare_peers('tools/call', %s, %s, %s, %s)",
        lambda chance: (peer(chance), peer(chance), *stretch(chance, 24)),
        2000,
    )
    yield Question(
        "service_calls, a day",
        "select * from service_calls(%s, %s)",
        lambda chance: stretch(chance, 24),
        2000,
    )


def _drop_day(connection: psycopg.Connection[Any]) -> None:
    segments = Segment.all(connection)
    first = [segment for segment in segments if segment.from_time == segments[0].from_time]
    began = time.perf_counter()
    for segment in first:
        with connection.transaction():
            segment.drop(connection)
    taken = (time.perf_counter() - began) * 1000
    rows = sum(segment.rows for segment in first)
    size = sum(segment.bytes for segment in first)
    _row("dropping a day", f"{taken:.0f} ms for {rows:,} rows and {size / 2**20:,.0f} MiB")


def dsn(url: str) -> str:
    """The URL of an engine, as libpq takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _row(name: str, *cells: str) -> None:
    print(f"{name:28}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
