"""Cost of a sender of 1 MiB texts for its neighbour.

usage: python -m tests.bench.bench_neighbours [SECONDS] [ROUNDS]

A neighbour, a program like others, sends a small log record every 20 ms over gRPC. The time until
each answer is measured, alone and beside a process that sends one text of 1 MiB after the other,
with and without a secret in it. Everything runs on this machine at once: the collector with
default settings and one worker, the embedded PostgreSQL with every commit durable. The two are
measured by turns, and the p99 is that of all turns. Before the first turn the large texts are sent
for a while and a checkpoint is made: the first minutes of a new cluster write each WAL segment
with zeros (10 to 100 ms, in which nobody commits), later ones write to old segments. A disk that
others share makes the ratio chance: a TMPDIR on tmpfs leaves it out. Ends with 1 if a budget is
missed.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

import grpc
import psycopg
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from relayscope.collector.signals import LOGS
from relayscope.storage import EmbeddedServer
from tests.bench.bench_ingest import database, row
from tests.bench.text_kinds import KINDS
from tests.fix_collector import Collector, export

if TYPE_CHECKING:
    from collections.abc import Generator
    from multiprocessing.synchronize import Event

_BUDGET: Final = 2.0
"""Of the p99 without the other sender."""

_WARM_UP: Final = 15.0
"""Seconds; about 40 segments of WAL."""

_SETTLE: Final = 0.6
"""Seconds; a large text takes a fifth of that."""

_SIZE: Final = 2**20
_PAUSE: Final = 0.02
_KINDS: Final = (
    "prose",
    "Python source",
    "JSON rows",
    "prose about tokens",
    "base64 in a text",
    "percent-encoded",
)


def _request(body: str) -> bytes:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.time_unix_nano = time.time_ns()
    record.body.string_value = body
    return request.SerializeToString()


def _send_large(address: str, kind: str, secret: bool, go: Event, stop: Event) -> None:  # noqa: FBT001  # a process's argument
    """Send one 1 MiB text after the other while it may, until told to stop."""
    chance = Random(kind)  # the same texts each time
    texts = [KINDS[kind].text(chance, _SIZE, secret=secret) for _ in range(4)]
    with grpc.insecure_channel(address) as channel:
        number = 0
        while not stop.is_set():
            if not go.wait(0.1):
                continue
            try:
                export(channel, LOGS, _request(f"{number} {texts[number % len(texts)]}"))
            except grpc.RpcError:
                stop.wait(1)
            number += 1


def _neighbour(address: str, seconds: float) -> list[float]:
    """Return the milliseconds that each small record waited for its answer."""
    waited = []
    with grpc.insecure_channel(address) as channel:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            request = _request("hello")
            began = time.perf_counter()
            export(channel, LOGS, request)
            waited.append((time.perf_counter() - began) * 1e3)
            time.sleep(_PAUSE)
    return waited


def _p99(waited: list[float]) -> float:
    return quantiles(waited, n=100)[-1]


@contextmanager
def _sender(address: str, kind: str, *, secret: bool) -> Generator[Event]:
    """Yields what lets the sender send: while it is set."""
    context = multiprocessing.get_context("spawn")
    go, stop = context.Event(), context.Event()
    sender = context.Process(target=_send_large, args=(address, kind, secret, go, stop))
    sender.start()
    try:
        yield go
    finally:
        stop.set()
        sender.join()


def _alone_and_beside(
    address: str, kind: str, seconds: float, rounds: int, *, secret: bool
) -> tuple[list[float], list[float]]:
    """Turns of both, because the disk has better and worse minutes."""
    alone: list[float] = []
    beside: list[float] = []
    with _sender(address, kind, secret=secret) as go:
        go.set()
        time.sleep(_SETTLE)  # until it has its texts and has sent the first
        for _ in range(rounds):
            go.clear()
            time.sleep(_SETTLE)
            alone += _neighbour(address, seconds)
            go.set()
            time.sleep(_SETTLE)
            beside += _neighbour(address, seconds)
    return alone, beside


def _warm_up(address: str, url: str) -> None:
    """Write as many WAL segments as a round writes, and have them kept for later."""
    with _sender(address, "prose", secret=False) as go:
        go.set()
        time.sleep(_WARM_UP)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def main() -> None:
    """Measure, print the table, and say which budgets are missed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    print(
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load before {os.getloadavg()[0]:.1f}\n"
        f"answers to small records in ms, alone and beside a sender of 1 MiB texts, "
        f"each in {rounds} turns of {seconds:g} s\n"
    )
    row("texts of the other", "p50 alone", "p50 beside", "p99 alone", "p99 beside", "p99 ratio")
    missed = []
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
        database(server.url) as url,
    ):
        environment = {
            "RELAYSCOPE_DATABASE_URL": url,
            "RELAYSCOPE_DATA_DIR": f"{folder}/collector",
            "RELAYSCOPE_GRPC": "127.0.0.1:0",
            "RELAYSCOPE_HTTP": "127.0.0.1:0",
        }
        with Collector(environment=environment) as collector:
            address = collector.wait_until_ready().grpc
            _warm_up(address, url)
            for kind in _KINDS:
                for secret in (False, True):
                    name = f"{kind}{', dirty' if secret else ''}"
                    alone, beside = _alone_and_beside(address, kind, seconds, rounds, secret=secret)
                    ratio = _p99(beside) / _p99(alone)
                    row(
                        name,
                        f"{median(alone):.1f}",
                        f"{median(beside):.1f}",
                        f"{_p99(alone):.1f}",
                        f"{_p99(beside):.1f}",
                        f"{ratio:.2f}",
                    )
                    if ratio > _BUDGET:
                        missed.append(f"{name}: {ratio:.2f} times, not {_BUDGET:g}")
    for each in missed:
        print(f"missed: {each}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
