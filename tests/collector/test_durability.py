"""Promises about what was answered with OK, kept while things are killed, cut off and full."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import pytest

from relayscope.collector.signals import LOGS, TRACES
from tests.fix_collector import Collector, StartCollector, export
from tests.fix_oracle import Oracle, Producers
from tests.fix_programs import eventually
from tests.soak.durability import SCENARIOS, check_that_it_lives, play
from tests.soak.field import Field, own_field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.fix_proxy import Proxy

ROUNDS = {
    "collector-killed": 3,
    "database-killed": 3,
    "both-killed": 3,
    "stopped-gracefully": 3,
    "database-hangs": 3,
    "spool-damaged": 3,
}
"""Rounds of scenarios of which one round does not show everything."""

CASES = [
    pytest.param(name, marks=[pytest.mark.thorough] if name == "database-away-a-minute" else [])
    for name in sorted(SCENARIOS)
]


@pytest.fixture(scope="module")
def ground() -> Iterator[Field]:
    """A collector and a PostgreSQL that may be killed, for one scenario after the other."""
    with own_field() as field:
        yield field
        check_that_it_lives(field)


@pytest.mark.parametrize("scenario", CASES)
def test_what_was_acknowledged_is_stored_once_whatever_happens(
    ground: Field, scenario: str
) -> None:
    """R1 to R8, R10 to R12, R20, R23: nothing acknowledged is lost, twice, changed or made up."""
    result = play(ground, scenario, ROUNDS.get(scenario, 1), seed=3)

    assert result.verdict.acknowledged > 0
    assert result.is_good, result


def health(collector: Collector) -> tuple[int, dict[str, object]]:
    """Return the status and the body of `/readyz`."""
    reply = collector.ask("GET", "/readyz")
    return reply.status, json.loads(reply.body)


def waiting(collector: Collector) -> int:
    """Return how many requests wait on disk."""
    spool = health(collector)[1]["spool"]
    assert isinstance(spool, dict)
    requests: int = spool["requests"]
    return requests


def is_ready(collector: Collector) -> bool:
    """Return whether the collector says that it can store."""
    return health(collector)[0] == 200


def test_while_postgresql_is_away_requests_wait_on_disk(
    start_collector: StartCollector,
    proxied_database_url: str,
    database_proxy: Proxy,
    engine: Engine,
) -> None:
    """R3: what comes meanwhile is acknowledged, says so in `/readyz`, and is stored afterwards."""
    collector = start_collector(environment={"RELAYSCOPE_DATABASE_URL": proxied_database_url})
    oracle = Oracle()
    with Producers(oracle, collector.grpc, collector.http):
        eventually(lambda: oracle.acknowledged)
        database_proxy.stop()
        eventually(lambda: waiting(collector) > 5)
        assert not is_ready(collector)
        database_proxy.start()
        eventually(lambda: is_ready(collector) and waiting(collector) == 0)

    eventually(lambda: waiting(collector) == 0)
    verdict = oracle.judge(engine)
    assert (verdict.lost, verdict.twice, verdict.foreign) == (0, 0, 0)
    assert oracle.refusals == []
    figures = collector.ask("GET", "/metrics").body.decode()
    assert 'relayscope_items_total{component_class="other",outcome="drained"' in figures


def test_a_deaf_postgresql_does_not_keep_clients_waiting_for_ever(
    start_collector: StartCollector,
    proxied_database_url: str,
    database_proxy: Proxy,
    engine: Engine,
) -> None:
    """R4, R5: a database that hangs is one that is away, within the time for an answer."""
    collector = start_collector(
        environment={
            "RELAYSCOPE_DATABASE_URL": proxied_database_url,
            "RELAYSCOPE_ANSWER_TIMEOUT": "2",
        }
    )
    oracle = Oracle()
    with Producers(oracle, collector.grpc, collector.http):
        eventually(lambda: oracle.acknowledged)
        database_proxy.deafen()
        before = len(oracle.acknowledged)
        eventually(lambda: waiting(collector) > 5 and len(oracle.acknowledged) > before)
        database_proxy.stop()
        database_proxy.start()
        eventually(lambda: is_ready(collector) and waiting(collector) == 0)

    eventually(lambda: waiting(collector) == 0)
    verdict = oracle.judge(engine)
    assert (verdict.lost, verdict.twice) == (0, 0)
    assert oracle.refusals == []


def test_when_the_spool_is_full_requests_are_refused_for_now(
    start_collector: StartCollector, proxied_database_url: str, database_proxy: Proxy
) -> None:
    """R6: without room there is no OK but a retryable refusal; accepting resumes by itself."""
    collector = start_collector(
        environment={
            "RELAYSCOPE_DATABASE_URL": proxied_database_url,
            "RELAYSCOPE_OUTAGE_MAX_BYTES": str(2**20),
        }
    )
    database_proxy.stop()
    oracle = Oracle()
    _, request = oracle.issue("logs")
    # Protobuf allows a field to come more than once, so repeating a request makes a larger one.
    large = request * 50
    replies = [collector.post("logs", large + bytes((0x0A, 0x00)) * n) for n in range(10)]

    assert {reply.status for reply in replies} == {200, 503}
    assert replies[-1].status == 503
    assert b"the database is away, and the outage spool is full" in replies[-1].body
    assert 1 <= int(replies[-1].headers["retry-after"]) <= 3
    database_proxy.start()
    eventually(lambda: is_ready(collector) and waiting(collector) == 0)
    assert collector.post("logs", request).status == 200


def test_what_waits_on_disk_survives_the_collector(
    start_collector: StartCollector,
    proxied_database_url: str,
    database_proxy: Proxy,
    engine: Engine,
) -> None:
    """A collector that is killed during an outage leaves its spool to the next one."""
    environment = {"RELAYSCOPE_DATABASE_URL": proxied_database_url}
    collector = start_collector(environment=environment)
    database_proxy.stop()
    oracle = Oracle()
    for _ in range(5):
        marks, request = oracle.issue("logs")
        assert collector.post("logs", request).status == 200
        oracle.acknowledge(marks)
    collector.kill()
    assert oracle.judge(engine).lost == 100
    database_proxy.start()

    start_collector(environment=environment)

    eventually(lambda: oracle.judge(engine).lost == 0)
    assert oracle.judge(engine).twice == 0


def test_a_damaged_spool_gives_back_what_is_whole_and_counts_the_rest(
    start_collector: StartCollector,
    proxied_database_url: str,
    database_proxy: Proxy,
    engine: Engine,
    tmp_path: Path,
) -> None:
    """R7: a flipped bit costs the request it is in; the collector starts and says so."""
    environment = {"RELAYSCOPE_DATABASE_URL": proxied_database_url}
    collector = start_collector(environment=environment)
    database_proxy.stop()
    oracle = Oracle()
    for _ in range(5):
        marks, request = oracle.issue("logs")
        assert collector.post("logs", request).status == 200
        oracle.acknowledge(marks)
    collector.kill()
    (segment,) = (tmp_path / "data" / "outage").glob("*/*.segment")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    database_proxy.start()

    restarted = start_collector(environment=environment)

    eventually(lambda: restarted.events("outage spool damaged"))
    eventually(lambda: oracle.judge(engine).lost == 20)
    figures = restarted.ask("GET", "/metrics").body.decode()
    assert "relayscope_outage_lost_requests_total{" in figures


def test_a_repeated_request_is_stored_once(collector: Collector, engine: Engine) -> None:
    """R8: the same bytes again, one after the other or at the same moment, add nothing."""
    oracle = Oracle()
    marks, request = oracle.issue("traces")
    with grpc.insecure_channel(collector.grpc) as channel, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: export(channel, TRACES, request), range(16)))
    assert {collector.post("traces", request).status for _ in range(2)} == {200}
    oracle.acknowledge(marks)

    assert set(answers) == {b""}
    verdict = oracle.judge(engine)
    assert (verdict.stored, verdict.lost, verdict.twice) == (20, 0, 0)


def test_overload_is_refused_for_now_and_memory_stays_bounded(
    start_collector: StartCollector, engine: Engine
) -> None:
    """R12: more than fits gets retryable refusals only, and the worker stays under 200 MiB."""
    collector = start_collector()
    oracle = Oracle()
    _, request = oracle.issue("logs")
    # Protobuf allows a field to come more than once, so repeating a request makes a larger one.
    large = request * 300
    codes: set[grpc.StatusCode] = set()
    until = time.monotonic() + 3

    def hammer(number: int) -> None:
        with grpc.insecure_channel(collector.grpc) as channel:
            count = 0
            while time.monotonic() < until:
                count += 1
                # An unknown field at the end: each request differs, so that none is known already.
                unknown = b"\x7a\x06" + f"{number:02}{count:04}".encode()
                try:
                    export(channel, LOGS, large + unknown)
                except grpc.RpcError as error:
                    codes.add(error.code())

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(hammer, range(16)))

    assert codes <= {grpc.StatusCode.UNAVAILABLE}
    assert collector.peak_memory() < 200 * 2**20
    marks, request = oracle.issue("logs")
    # What it has taken in may take it some time yet.
    eventually(lambda: collector.post("logs", request).status == 200)
    oracle.acknowledge(marks)
    eventually(lambda: oracle.judge(engine).lost == 0)
