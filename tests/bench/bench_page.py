"""How long each view of the page takes, and what looking at it costs receiving.

    python -m tests.bench.bench_page [ROWS [TIMES]]

Makes ROWS log records and half as many spans of a week, as `bench_query` does, and asks for each
view of the navigation TIMES times, over HTTP, as its address is and for an hour. Then a sender
sends at full speed, in rounds with somebody who opens a view each second and in rounds without, in
turns; what counts is their ratio.
"""

from __future__ import annotations

import http.client
import os
import platform
import re
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from relayscope.collector.signals import LOGS
from relayscope.storage import EmbeddedServer, create_engine, migrate
from tests.bench.bench_ingest import load, make_request, row
from tests.bench.bench_query import fill
from tests.fix_collector import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUDGET_MS: Final = 150
_ROUNDS: Final = 6
_SECONDS: Final = 5.0
_STATIC: Final = ("/static/page.css", "/static/page.js")


def main() -> None:
    """Measure, and print the tables."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-bench-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
    ):
        engine = create_engine(server.url)
        migrate(engine)
        engine.dispose()
        print(
            f"{datetime.now(tz=UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
            f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n"
            f"{number:,} log records and {number // 2:,} spans in 7 days\n"
        )
        fill(server.url, number)
        environment = {
            "RELAYSCOPE_DATABASE_URL": server.url,
            "RELAYSCOPE_DATA_DIR": f"{folder}/collector",
            "RELAYSCOPE_GRPC": "127.0.0.1:0",
            "RELAYSCOPE_HTTP": "127.0.0.1:0",
        }
        with Collector(environment=environment) as collector:
            collector.wait_until_ready()
            paths = _views(collector.page)
            _say_views(collector.page, paths, times)
            _say_receiving(collector, paths)


def _get(address: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=120)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def _views(address: str) -> list[str]:
    _, page = _get(address, "/")
    (navigation,) = re.findall(r'<nav aria-label="Views">(.*?)</nav>', page, re.DOTALL)
    return re.findall(r'href="([^"]+)"', navigation)


def _say_views(address: str, paths: list[str], times: int) -> None:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since, until = (end - timedelta(hours=ago) for ago in (13, 12))
    hour = f"since={since:%Y-%m-%dT%H:%M}&until={until:%Y-%m-%dT%H:%M}"
    row(f"{times} times each, ms", "p50", "p95", "kB", "budget")
    for path in paths:
        for shown in (path, f"{path}?{hour}"):
            status, page = _get(address, shown)
            if status != 200:
                continue  # It takes no time.
            taken = []
            for _ in range(times):
                began = time.perf_counter()
                _get(address, shown)
                taken.append((time.perf_counter() - began) * 1000)
            cuts = quantiles(taken, n=20)
            name = path if shown == path else f"{path}, an hour"
            missed = "" if cuts[18] <= _BUDGET_MS else " MISSED"
            row(
                name,
                f"{median(taken):.0f}",
                f"{cuts[18]:.0f}",
                f"{len(page.encode()) / 1000:.0f}",
                f"{_BUDGET_MS}{missed}",
            )
    files = sum(len(_get(address, path)[1].encode()) for path in _STATIC)
    row("page.css and page.js", "", "", f"{files / 1000:.0f}")
    print()


def _looking(address: str, paths: list[str], enough: threading.Event) -> Iterator[str]:
    while True:
        for path in paths:
            if enough.wait(1.0):
                return
            _get(address, path)
            yield path


def _say_receiving(collector: Collector, paths: list[str]) -> None:
    request = make_request(LOGS)
    load(collector.grpc, request, LOGS, 2.0)  # imports, caches, partitions
    ratios = []
    for _ in range(_ROUNDS):
        speeds = []
        for looks in (False, True):
            enough, seen = threading.Event(), list[str]()
            watcher = threading.Thread(
                target=lambda enough=enough, seen=seen: seen.extend(
                    _looking(collector.page, paths, enough)
                )
            )
            if looks:
                watcher.start()
            items, elapsed = load(collector.grpc, request, LOGS, _SECONDS)
            enough.set()
            if looks:
                watcher.join()
            speeds.append(items / elapsed)
        ratios.append(speeds[1] / speeds[0])
        row("records a second", f"{speeds[0]:,.0f}", f"{speeds[1]:,.0f}", f"{ratios[-1]:.2f}")
    row("with somebody looking", "", "", f"{median(ratios):.2f}")


if __name__ == "__main__":
    main()
