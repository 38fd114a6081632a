"""`--workers`: several processes share the ports, and one parent keeps their number."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from sqlalchemy import Engine, text

from relayscope.collector.signals import LOGS
from tests.fix_collector import Collector, export
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from tests.fix_collector import StartCollector

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")

STORED = 'relayscope_items_total{component_class="other",outcome="stored",reason="",signal="logs"}'


@pytest.fixture
def two(start_collector: StartCollector) -> Collector:
    """A collector with two workers."""
    return start_collector("--workers", "2")


def workers(collector: Collector) -> set[int]:
    """The process ids of the workers that run now."""
    parent = collector.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(child) for child in children if b"workers" in _command_line(child)}


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_running(pid: int) -> bool:
    """Return whether there is such a process, and it is no zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def send(collector: Collector, number: int) -> None:
    """One log record, over a connection of its own."""
    request = LOGS.request()
    request.resource_logs.add().scope_logs.add().log_records.add(  # type: ignore[attr-defined]  # a log request
        event_name=f"n{number}", body={"string_value": "4111 1111 1111 1111"}
    )
    # Without it, gRPC would send all of them over one connection, to one worker.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(collector.grpc, options=options) as channel:
        export(channel, LOGS, request.SerializeToString())


def stored(engine: Engine) -> Counter[str]:
    """The stored records by name."""
    with engine.connect() as connection:
        return Counter(connection.execute(text("select event_name from relayscope.logs")).scalars())


def test_two_workers_share_the_ports_and_the_figures(two: Collector, engine: Engine) -> None:
    """Whichever worker took a record, it is stored once, and each worker's `/metrics` has it."""
    assert len(workers(two)) == 2
    for number in range(20):
        send(two, number)
    assert stored(engine) == {f"n{number}": 1 for number in range(20)}
    for _ in range(6):
        figures = two.ask("GET", "/metrics").body.decode()
        assert f"{STORED} 20.0" in figures


def test_a_dead_worker_is_replaced(two: Collector, engine: Engine) -> None:
    """The other one goes on; what the dead one has counted is not forgotten."""
    for number in range(4):
        send(two, number)
    before = workers(two)
    os.kill(min(before), signal.SIGKILL)
    eventually(lambda: two.events("worker died"))
    eventually(lambda: len(workers(two)) == 2 and workers(two) != before)
    for number in range(4, 8):
        send(two, number)
    assert stored(engine).keys() == {f"n{number}" for number in range(8)}
    figures = two.ask("GET", "/metrics").body.decode()
    assert f"{STORED} 8.0" in figures


def test_all_stop_with_the_parent(two: Collector) -> None:
    """SIGTERM to the parent ends them all, with 0."""
    running = workers(two)
    assert two.stop() == 0
    assert not [pid for pid in running if is_running(pid)]


def test_no_worker_outlives_a_killed_parent(two: Collector) -> None:
    """Its stdin ends, and so does the worker."""
    running = workers(two)
    two.kill()
    eventually(lambda: not [pid for pid in running if is_running(pid)])
