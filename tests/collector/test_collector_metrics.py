"""Promises about what the collector says of itself."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from sqlalchemy import text

from tests.fix_oracle import Oracle
from tests.fix_programs import eventually
from tests.otlp_samples import delimited

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fix_collector import Collector, StartCollector

HOSTILE = "hostile-name-that-must-not-be-a-label"


def metrics(collector: Collector) -> dict[str, float]:
    """Return what `/metrics` says, by name and labels."""
    lines = collector.ask("GET", "/metrics").body.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def total(collector: Collector, name: str, **labels: str) -> float:
    """Return the sum of all figures of a name that have these labels."""
    wanted = {f'{label}="{value}"' for label, value in labels.items()}
    return sum(
        value
        for figure, value in metrics(collector).items()
        if figure.partition("{")[0] == name and wanted <= set(re.split(r"[{},]", figure))
    )


items = partial(total, name="relayscope_items_total")
requests = partial(total, name="relayscope_requests_total")


def test_each_outcome_is_counted_by_signal(shared_collector: Collector) -> None:
    """Stored, duplicate and refused are told apart."""
    collector, oracle = shared_collector, Oracle()
    _, request = oracle.issue("logs")

    def counted() -> list[float]:
        return [
            items(collector, outcome="stored", signal="logs"),
            items(collector, outcome="duplicate", signal="logs"),
            requests(collector, code="INVALID_ARGUMENT", signal="logs", transport="http"),
            requests(collector, reason="Malformed", signal="logs"),
        ]

    before = counted()
    assert collector.post("logs", request).status == 200
    assert collector.post("logs", request).status == 200
    assert collector.post("logs", b"\xff").status == 400

    grown = [now - then for now, then in zip(counted(), before, strict=True)]
    assert grown == [20, 20, 1, 1]


def from_component(name: str, *bodies: str) -> bytes:
    """Return a request with log records of a component."""
    service = KeyValue(key="service.name", value=AnyValue(string_value=name))
    records = [LogRecord(body=AnyValue(string_value=body)) for body in bodies]
    logs = ResourceLogs(
        resource=Resource(attributes=[service]), scope_logs=[ScopeLogs(log_records=records)]
    )
    return ExportLogsServiceRequest(resource_logs=[logs]).SerializeToString()


def test_items_and_hits_are_counted_by_class_of_component(start_collector: StartCollector) -> None:
    """The classes are the user's; what several of them sent together is `mixed`."""
    collector = start_collector(
        environment={"RELAYSCOPE_COMPONENT_CLASSES": '{"hub": ["RELAY-*"], "leaf": ["*search*"]}'}
    )
    secret = "the key is ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    for name, bodies in (
        ("relay-1", ("a", secret)),
        ("my-search", ("b",)),
        ("somebody", ("c", "d", "e")),
    ):
        assert collector.post("logs", from_component(name, *bodies)).status == 200
    both = from_component("relay-1", "f") + from_component("my-search", "g")
    assert collector.post("logs", both).status == 200

    assert items(collector, component_class="hub") == 2
    assert items(collector, component_class="leaf") == 1
    assert items(collector, component_class="other") == 3
    assert items(collector, component_class="mixed") == 2
    hits = "relayscope_sanitizer_hits_total"
    assert total(collector, hits, component_class="hub", signal="logs") == 1
    assert total(collector, hits) == 1


def test_rejected_items_are_counted_by_reason(shared_collector: Collector) -> None:
    """A span without ids cannot be stored, and the figures say why."""
    collector = shared_collector
    assert collector.post("traces", delimited(0x0A, delimited(0x12, b"\x12\x00"))).status == 200
    reason = "span without a valid trace id and span id"
    assert items(collector, signal="traces", outcome="rejected", reason=reason) == 1


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


def test_no_label_holds_text_from_telemetry(shared_collector: Collector) -> None:
    """R20: ten thousand event names and keys, and not one more line on `/metrics`."""
    collector = shared_collector
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
    # On a busy machine the collector may ask to send it again.
    eventually(lambda: collector.post("logs", body.encode(), "application/json").status == 200)

    said = metrics(collector)
    assert not any(HOSTILE in name for name in said)
    # A signal or outcome that is new adds its line; nothing grows with what was sent.
    assert len(said) <= before + 5
    assert collector.peak_memory() < 200 * 2**20
