"""What a sender of 1 MiB texts costs its neighbour.

usage: python -m tests.bench.bench_neighbours [SECONDS] [ROUNDS]

A neighbour sends a small log record every 20 ms over gRPC, a program as others are; how long each
is answered after is measured, alone and beside a process that sends one text of 1 MiB after the
other, with and without a secret in it. Everything runs on this machine at once: the collector with
default settings and one worker, the embedded PostgreSQL with every commit durable. Each round
measures the neighbour alone right before. Before the first round the large texts are sent for a
while and a checkpoint is made: the first minutes of a new cluster write each WAL segment with
zeros (10 to 100 ms, in which nobody commits), later ones write to old segments. Ends with 1 if a
budget is missed.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import sys
import tempfile
import time
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
    from multiprocessing.synchronize import Event

_BUDGET: Final = 2.0
"""Of the p99 without the other sender."""

_WARM_UP: Final = 15.0
"""Seconds; about 40 segments of WAL."""

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


def _send_large(address: str, kind: str, secret: bool, stop: Event) -> None:  # noqa: FBT001  # a process's argument
    """Send one 1 MiB text after the other, until told to stop."""
    chance = Random(kind)  # the same texts each time
    texts = [KINDS[kind].text(chance, _SIZE, secret=secret) for _ in range(4)]
    with grpc.insecure_channel(address) as channel:
        number = 0
        while not stop.is_set():
            try:
                export(channel, LOGS, _request(f"{number} {texts[number % len(texts)]}"))
            except grpc.RpcError:
                stop.wait(1)
            number += 1


def _neighbour(address: str, seconds: float) -> list[float]:
    """How many milliseconds each small record waited for its answer."""
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


def _round(address: str, kind: str, seconds: float, *, secret: bool) -> tuple[float, float]:
    """The neighbour's p99 alone, and beside the sender."""
    alone = _p99(_neighbour(address, seconds))
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    sender = context.Process(target=_send_large, args=(address, kind, secret, stop))
    sender.start()
    time.sleep(2)  # until it has its texts and has sent the first
    try:
        beside = _p99(_neighbour(address, seconds))
    finally:
        stop.set()
        sender.join()
    return alone, beside


def _warm_up(address: str, url: str) -> None:
    """Write as many WAL segments as a round writes, and have them kept for later."""
    _round(address, "prose", _WARM_UP, secret=False)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def main() -> None:
    """Measure, print the table, and say which budgets are missed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load before {os.getloadavg()[0]:.1f}\n"
        f"p99 of a small record's answer, alone and beside a sender of 1 MiB texts; "
        f"median of {rounds} rounds of {seconds:g} s each\n"
    )
    row("texts of the other", "alone ms", "beside ms", "ratio", "(range)")
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
                    pairs = [_round(address, kind, seconds, secret=secret) for _ in range(rounds)]
                    ratios = sorted(beside / alone for alone, beside in pairs)
                    row(
                        name,
                        f"{median(alone for alone, _ in pairs):.1f}",
                        f"{median(beside for _, beside in pairs):.1f}",
                        f"{median(ratios):.2f}",
                        f"{ratios[0]:.2f}-{ratios[-1]:.2f}",
                    )
                    if median(ratios) > _BUDGET:
                        missed.append(f"{name}: {median(ratios):.2f} times, not {_BUDGET:g}")
    for each in missed:
        print(f"missed: {each}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
