"""Promises about what the collector says of itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.fix_oracle import Oracle
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fix_collector import Collector, StartCollector

HOSTILE = "hostile-name-that-must-not-be-a-label"


def metrics(collector: Collector) -> dict[str, float]:
    """Return what `/metrics` says, by name and labels."""
    lines = collector.ask("GET", "/metrics").body.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_each_outcome_is_counted_by_signal(collector: Collector) -> None:
    """Stored, duplicate and refused are told apart."""
    oracle = Oracle()
    _, request = oracle.issue("logs")
    assert collector.post("logs", request).status == 200
    assert collector.post("logs", request).status == 200
    assert collector.post("logs", b"\xff").status == 400

    said = metrics(collector)
    assert said['relayscope_items_total{outcome="stored",signal="logs"}'] == 20
    assert said['relayscope_items_total{outcome="duplicate",signal="logs"}'] == 20
    refused = 'relayscope_requests_total{code="INVALID_ARGUMENT",signal="logs",transport="http"}'
    assert said[refused] == 1


def test_the_same_figures_are_there_by_sql(collector: Collector, engine: Engine) -> None:
    """`relayscope.collector_figures` has what `/metrics` has, under the same names."""
    oracle = Oracle()
    _, request = oracle.issue("logs")
    assert collector.post("logs", request).status == 200
    stored = text(
        "select sum(value) from relayscope.collector_figures"
        " where name = 'relayscope_items_total' and labels ->> 'outcome' = 'stored'"
    )

    def by_sql() -> bool:
        with engine.connect() as connection:
            found: float | None = connection.execute(stored).scalar_one()
            return found == 20

    eventually(by_sql)
    with engine.connect() as connection:
        names = set(
            connection.execute(text("select distinct name from relayscope.collector_figures"))
            .scalars()
            .all()
        )
    assert names == {re.split(r"[{ ]", name)[0] for name in metrics(collector)}
    assert metrics(collector)["relayscope_database_bytes"] > 2**20
    assert metrics(collector)["relayscope_partitions"] >= 4


def test_a_request_is_forgotten_after_its_window(
    start_collector: StartCollector, engine: Engine
) -> None:
    """Past `duplicate_window` the digest is gone, and with it the memory of the request."""
    oracle = Oracle()
    _, request = oracle.issue("logs")
    environment = {"RELAYSCOPE_DUPLICATE_WINDOW": "PT0S"}
    first = start_collector(environment=environment)
    assert first.post("logs", request).status == 200
    assert first.stop() == 0

    start_collector(environment=environment)

    def forgotten() -> bool:
        with engine.connect() as connection:
            statement = text("select count(*) from relayscope_store.request")
            return bool(connection.execute(statement).scalar_one() == 0)

    eventually(forgotten)


def test_no_label_holds_text_from_telemetry(collector: Collector) -> None:
    """R20: ten thousand names and keys, and not one more line on `/metrics`."""
    before = len(metrics(collector))
    records = ",".join(
        f'{{"body":{{"stringValue":"x"}},"eventName":"{HOSTILE}-{n}","attributes":'
        f'[{{"key":"{HOSTILE}.{n}","value":{{"intValue":"{n}"}}}}]}}'
        for n in range(10_000)
    )
    body = (
        '{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":'
        f'{{"stringValue":"{HOSTILE}"}}}}]}},"scopeLogs":[{{"scope":{{"name":"{HOSTILE}"}},'
        f'"logRecords":[{records}]}}]}}]}}'
    )
    collector.forget_peak_memory()
    assert collector.post("logs", body.encode(), "application/json").status == 200

    said = metrics(collector)
    assert not any(HOSTILE in name for name in said)
    # A signal or outcome that is new adds its line; nothing grows with what was sent.
    assert len(said) <= before + 5
    assert collector.peak_memory() < 200 * 2**20


def test_a_hundred_thousand_spans_leak_neither_memory_nor_descriptors(
    collector: Collector,
) -> None:
    """R23: after warming up, more of the same needs no more memory and no more open files."""

    def send(requests: int) -> None:
        for _ in range(requests):
            oracle = Oracle()
            _, request = oracle.issue("traces")
            assert collector.post("traces", request * 25).status == 200

    send(60)
    descriptors = collector.open_files()
    collector.forget_peak_memory()
    send(10)
    warm = collector.peak_memory()
    send(200)

    assert collector.peak_memory() < warm + 24 * 2**20
    assert collector.open_files() <= descriptors + 4
