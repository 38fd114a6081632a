"""Time and size of each view of the page, and the cost of looking for what is received meanwhile.

    python -m tests.bench.bench_page [ROWS [TIMES]]

Makes ROWS log records and half as many spans of a week as `bench_query` does, seals what can be
sealed, and asks each view TIMES times, each time about another hour, trace or text, after a round
to warm up. So it does with the views of a trace of a thousand spans and two thousand messages, and
opens them in a browser. Then receives calls at full speed, in turn alone and beside a person who
opens a view each second and has the live one open. Everything runs on this machine.
"""

from __future__ import annotations

import os
import platform
import random
import re
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import httpx
import psycopg

from relayscope.collector.page.questions import questions
from relayscope.storage import EmbeddedServer, RetentionClass, Sealer, create_engine, migrate
from tests.bench import large_trace
from tests.bench.bench_query import DAYS, dsn, fill
from tests.bench.load import load_calls
from tests.bench.traffic import BACKENDS, COMMON
from tests.fix_collector import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TIMES: Final = 40
_BUDGET_MS: Final = 150
_BUDGET_BYTES: Final = 150_000
_LARGE_BUDGET_MS: Final = 300
_PAINT_BUDGET_MS: Final = 1000
_PAINTS: Final = 10
_ROUNDS: Final = 10
_ROUND_SECONDS: Final = 8.0

_TRACES: Final = (
    "select distinct trace_id from relayscope.spans"
    " where start_time >= %s and start_time < %s limit 50"
)
_ASSET: Final = re.compile(r'(?:href|src)="(/static/[^"]+)"')


class View(NamedTuple):
    """A view, and a random address of it."""

    name: str
    address: Callable[[random.Random], str]
    parameters: Callable[[random.Random], dict[str, str]] = lambda _: {}
    budget: int = _BUDGET_MS


class Seen(NamedTuple):
    """A page that a reader asked for while records came in."""

    milliseconds: float
    name: str
    answered: bool


def main() -> None:
    """Measure, and print the tables."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    times = int(sys.argv[2]) if len(sys.argv) > 2 else _TIMES
    seconds = _ROUND_SECONDS if times >= _TIMES else 0.5
    print(
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n"
        f"{number:,} log records and {number // 2:,} spans in {DAYS} days\n"
    )
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-bench-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
    ):
        engine = create_engine(server.url)
        migrate(engine)
        _sizes(server.url)
        fill(server.url, number)
        for _ in Sealer(engine, [RetentionClass("errors", errors=True)]).seal(quiet=False):
            pass
        engine.dispose()
        with _serving(server.url) as (collector, client):
            views = _views(server.url)
            _row(f"{times} times each, ms", "p50", "p95", "bytes", "budget")
            for view in views:
                _ask(client, view, times)
            print()
            _large(server.url, client, times)
            _beside(collector, client, views, seconds)


@contextmanager
def _serving(url: str) -> Iterator[tuple[Collector, httpx.Client]]:
    with tempfile.TemporaryDirectory() as data:
        environment = {
            "RELAYSCOPE_DATABASE_URL": url,
            "RELAYSCOPE_DATA_DIR": data,
            "RELAYSCOPE_GRPC": "127.0.0.1:0",
            "RELAYSCOPE_HTTP": "127.0.0.1:0",
        }
        with Collector(environment=environment) as collector:
            collector.wait_until_ready()
            base = f"http://{collector.page}"
            with httpx.Client(base_url=base, trust_env=False, timeout=120) as client:
                yield collector, client


def _views(url: str) -> list[View]:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=DAYS)
    with psycopg.connect(dsn(url)) as connection:
        found = connection.execute(_TRACES, (end - timedelta(hours=6), end)).fetchall()
    traces: list[UUID] = [row[0] for row in found]

    def hour(chance: random.Random, **others: str) -> dict[str, str]:
        begins = start + timedelta(hours=chance.uniform(0, DAYS * 24 - 1))
        until = begins + timedelta(hours=1)
        return {"since": begins.isoformat(), "until": until.isoformat(), **others}

    def an_hour(path: str, **others: str) -> View:
        said = " ".join(others.values())
        return View(
            f"{path} {said}, an hour".replace(" ,", ","),
            lambda _: path,
            lambda chance: hour(chance, **others),
        )

    def of_backend(path: str) -> View:
        return View(
            f"{path} of a component, an hour",
            lambda _: path,
            lambda chance: hour(chance, component=chance.choice(BACKENDS)),
        )

    lists = ("/traces", "/calls", "/messages", "/logs")
    return [
        *(an_hour(path) for path in ("/", "/problems", "/cost", "/setup", "/pipeline")),
        *(View(f"{path}, the newest", lambda _, path=path: path) for path in lists),  # type: ignore[misc]  # bound now
        *(of_backend(path) for path in lists),
        an_hour("/calls", outcome="tool_error"),
        an_hour("/calls", sort="duration"),
        an_hour("/messages", text=COMMON),
        View(
            "/messages, an absent text",
            lambda _: "/messages",
            lambda chance: {"text": "".join(chance.choices("qxzjkvw0123456789", k=9))},
        ),
        View("/trace/ID", lambda chance: f"/trace/{chance.choice(traces).hex}"),
        View("/live/rows", lambda _: "/live/rows"),
        View("/levels", lambda _: "/levels"),
        View("/sql", lambda _: "/sql", lambda _: {"sql": questions()[0].statement}),
        an_hour("/api/calls"),
        an_hour("/api/messages"),
    ]


def _ask(client: httpx.Client, view: View, times: int) -> None:
    taken: list[float] = []
    size = 0
    for _ in range(2):  # The first round warms up: the second asks the same.
        chance = random.Random(view.name)
        taken = []
        for _ in range(times):
            address, parameters = view.address(chance), view.parameters(chance)
            began = time.perf_counter()
            answer = client.get(address, params=parameters)
            taken.append((time.perf_counter() - began) * 1000)
            size = max(size, len(answer.content))
            if not answer.is_success:
                print(f"{view.name}: {answer.status_code} {answer.text[:300]}", file=sys.stderr)
    _timed(view.name, taken, f"{size:,}", view.budget)


def _timed(name: str, taken: Sequence[float], size: str, budget: int) -> None:
    cuts = quantiles(taken, n=20)
    missed = "" if cuts[18] <= budget else " MISSED"
    _row(name, f"{cuts[9]:.0f}", f"{cuts[18]:.0f}", size, f"{budget}{missed}")


def _large(url: str, client: httpx.Client, times: int) -> None:
    """A trace of 1,000 spans and 2,000 messages."""
    path = f"/trace/{large_trace.store(url).hex}"
    _row("a large trace, ms", "p50", "p95", "bytes", "budget")
    for name in ("ladder", "waterfall", "log"):
        asked = {"view": name}
        view = View(name, lambda _: path, lambda _, asked=asked: asked, _LARGE_BUDGET_MS)  # type: ignore[misc]  # bound now
        _ask(client, view, times)
    for name in ("ladder", "waterfall", "log"):
        paints = large_trace.first_paints(f"{client.base_url}{path}?view={name}", _PAINTS)
        _timed(f"{name}, first paint in Chromium", paints, "", _PAINT_BUDGET_MS)
    print()


def _sizes(url: str) -> None:
    """Each page where nothing is stored, and with it all that a browser loads for it."""
    _row("bytes without data", "page", "with files", "budget")
    with _serving(url) as (_, client):
        shown = client.get("/").text
        for path in dict.fromkeys(re.findall(r'<li><a href="(/[a-z-]*)"', shown)):
            page = client.get(path)
            files = sum(
                len(client.get(one).content) for one in dict.fromkeys(_ASSET.findall(page.text))
            )
            whole = len(page.content) + files
            missed = "" if whole <= _BUDGET_BYTES else " MISSED"
            _row(path, f"{len(page.content):,}", f"{whole:,}", f"{_BUDGET_BYTES:,}{missed}")
    print()


def _beside(
    collector: Collector, client: httpx.Client, views: Sequence[View], seconds: float
) -> None:
    """Receive at full speed, alone and beside a reader, who opens each view about as often."""
    _received(collector, seconds)
    alone, beside = [], []
    seen: list[Seen] = []
    chance = random.Random(17)
    order = cycle(chance.sample(views, len(views)))
    for number in range(_ROUNDS):
        # In turns, because more and more is stored.
        for is_beside in (False, True) if number % 2 else (True, False):
            if is_beside:
                with _reader(client, order, chance, seen):
                    beside.append(_received(collector, seconds))
            else:
                alone.append(_received(collector, seconds))
    lost = 1 - sum(beside) / sum(alone)
    _row("received, records/s", "alone", "beside", "lost", "budget")
    missed = "" if lost < 0.05 else " MISSED"
    _row("", f"{median(alone):,.0f}", f"{median(beside):,.0f}", f"{lost:.1%}", f"5%{missed}")
    if seen:
        slowest = max(seen)
        _row(
            f"{len(seen)} pages meanwhile, ms",
            f"{median(one.milliseconds for one in seen):.0f}",
            "",
            "",
            "",
        )
        _row(f"  slowest: {slowest.name}", "", f"{slowest.milliseconds:.0f}", "", "")
        _row("  not answered", f"{sum(not one.answered for one in seen)}", "", "", "")


def _received(collector: Collector, seconds: float) -> float:
    """Log records and spans per second."""
    return load_calls(collector.grpc, seconds).rate


@contextmanager
def _reader(
    client: httpx.Client, order: Iterator[View], chance: random.Random, seen: list[Seen]
) -> Iterator[None]:
    """A person who opens the next view each second, and has the live one open."""
    stop = threading.Event()

    def read() -> None:
        while not stop.wait(1.0):
            view = next(order)
            for name, address, parameters in (
                (view.name, view.address(chance), view.parameters(chance)),
                ("live", "/live/rows", dict[str, Any]()),
            ):
                began = time.perf_counter()
                answer = client.get(address, params=parameters)
                taken = (time.perf_counter() - began) * 1000
                seen.append(Seen(taken, name, answer.is_success))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _row(name: str, *cells: str) -> None:
    print(f"{name:44}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
