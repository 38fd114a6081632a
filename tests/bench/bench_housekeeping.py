"""Cost of sealing, retention and questions for those who write.

    python -m tests.bench.bench_housekeeping [SECONDS]

The collector of `bench_ingest`, one worker, in rounds: alone; and while, without a pause, past days
are sealed, others removed, and questions asked as commands ask them. A request's time is from
sending it to its answer, with as many requests under way as `bench_ingest` keeps, so most of it is
waiting for their turn; what those who write wait for locks is told by PostgreSQL. In the end every
acknowledged record of a round must be stored.
"""

from __future__ import annotations

import itertools
import os
import platform
import sys
import tempfile
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

import psycopg

from relayscope.collector.query.database import connect_reader
from relayscope.collector.signals import LOGS
from relayscope.storage import (
    EmbeddedServer,
    Policy,
    RetentionClass,
    Sealer,
    Segment,
    create_engine,
    drop_unused_tables,
    maintenance_connection,
    migrate,
    plan,
    remove,
)
from tests.bench.bench_query import dsn, fill
from tests.bench.load import IN_FLIGHT, ITEMS, Load, load
from tests.fix_collector import Collector

_ROUNDS: Final = 3
_PAST: Final = 140_000
"""Log records of the week before, for each round to seal and to remove."""

_LONGEST_SECONDS: Final = 1.0
_LEAST: Final = 2 / 3

_WAITING: Final = (
    "select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)::float8"
    " from pg_locks join pg_stat_activity using (pid)"
    " where not granted and query ilike 'copy %'"
)
_QUESTIONS: Final = (
    "select * from relayscope.trace((select trace_id from relayscope.logs limit 1))",
    "select * from relayscope.messages where time > now() - interval '2 days' limit 100",
    "select * from relayscope.search('because', most => 100)",
    "select * from relayscope.search('qxzjkvw01')",
    "select * from relayscope.service_calls(now() - interval '5 days', now())",
)


class Upkeep(threading.Thread):
    """Seals, removes and asks, until told to stop."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.stop = threading.Event()
        self.sealed = 0
        self.removed = 0
        self.asked = 0
        self.waited = 0.0

    def run(self) -> None:
        """Do one after the other, and ask beside it."""
        others = [threading.Thread(target=work) for work in (self._ask, self._watch)]
        for other in others:
            other.start()
        engine = create_engine(self._url)
        sealer = Sealer(engine, [RetentionClass("errors", errors=True)])
        old = Policy(dict.fromkeys(("log", "span"), timedelta(days=3)))
        while not self.stop.is_set():
            # One at a time: its lock is free for removing in between.
            for sealed in itertools.islice(sealer.seal(quiet=False), 1):
                self.sealed += sealed.rows
            with maintenance_connection(engine) as connection:
                if connection is not None:
                    for removal in plan(connection, old):
                        if isinstance(removal.what, Segment) and remove(connection, removal):
                            self.removed += removal.what.rows
                    drop_unused_tables(connection)
            self.stop.wait(0.1)
        engine.dispose()
        for other in others:
            other.join()

    def _watch(self) -> None:
        """Note the longest that anybody who writes has waited for a lock."""
        with psycopg.connect(dsn(self._url), autocommit=True) as connection:
            while not self.stop.wait(0.02):
                ((waited,),) = connection.execute(_WAITING).fetchall()
                self.waited = max(self.waited, waited)

    def _ask(self) -> None:
        with closing(connect_reader([dsn(self._url)])) as connection:
            for question in itertools.cycle(_QUESTIONS):
                if self.stop.is_set():
                    return
                connection.execute(question).fetchall()
                connection.rollback()
                self.asked += 1


def main() -> None:
    """Measure, print the table, and fail if a promise is broken."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    print(
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n"
        f"{ITEMS} log records in a request, {IN_FLIGHT} requests under way, {seconds:g} s each\n"
    )
    print(f"{'':14}{'records/s':>12}{'longest s':>12}{'sealed':>10}{'removed':>10}{'asked':>8}")
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-bench-") as folder,
        EmbeddedServer.start(Path(folder) / "server") as server,
    ):
        engine = create_engine(server.url)
        migrate(engine)
        engine.dispose()
        ratios, waited, missing = [], 0.0, 0
        for _ in range(_ROUNDS):
            alone_, busy, wait, lost = _round(server.url, Path(folder), seconds)
            ratios.append(busy.rate / alone_.rate)
            waited = max(waited, wait)
            missing += lost
    print(
        f"\nof the speed alone: {median(ratios):.2f}; longest wait for a lock: {waited:.2f} s; "
        f"lost: {missing}"
    )
    if median(ratios) < _LEAST or waited > _LONGEST_SECONDS or missing:
        sys.exit("a promise is broken")


def _round(url: str, folder: Path, seconds: float) -> tuple[Load, Load, float, int]:
    environment = {
        "RELAYSCOPE_DATABASE_URL": url,
        "RELAYSCOPE_DATA_DIR": str(folder / "collector"),
        "RELAYSCOPE_GRPC": "127.0.0.1:0",
        "RELAYSCOPE_HTTP": "127.0.0.1:0",
        # This program does it.
        "RELAYSCOPE_SEAL_AFTER": "P1000D",
    }
    fill(url, _PAST)
    with Collector(environment=environment) as collector:
        collector.wait_until_ready()
        load(collector.grpc, LOGS, 2.0)
        before = _stored(url)
        by_itself = load(collector.grpc, LOGS, seconds)
        _say("alone", by_itself)
        upkeep = Upkeep(url)
        upkeep.start()
        busy = load(collector.grpc, LOGS, seconds)
        upkeep.stop.set()
        upkeep.join()
        _say("with upkeep", busy, upkeep.sealed, upkeep.removed, upkeep.asked)
        after = _stored(url)
    return by_itself, busy, upkeep.waited, by_itself.items + busy.items - (after - before)


def _say(name: str, taken: Load, *numbers: int) -> None:
    cells = "".join(f"{number:>10,}" for number in numbers)
    print(f"{name:14}{taken.rate:>12,.0f}{taken.longest:>12.2f}{cells}", flush=True)


def _stored(url: str) -> int:
    """Return the number of the sender's records, which are those of today."""
    with psycopg.connect(dsn(url)) as connection:
        ((count,),) = connection.execute(
            "select count(*) from relayscope_store.log"
            " where time >= date_trunc('day', now(), 'UTC') - interval '1 hour'"
        ).fetchall()
        return int(count)


if __name__ == "__main__":
    main()
