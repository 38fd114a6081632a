"""`relayscope serve`: starting, saying so, and stopping, with real exporters as clients."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import psycopg
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import (
    OTLPLogExporter as GrpcLogExporter,
)
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as GrpcSpanExporter,
)
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import (
    OTLPLogExporter as HttpLogExporter,
)
from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
    OTLPMetricExporter as HttpMetricExporter,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as HttpSpanExporter,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from sqlalchemy import Engine, text

from relayscope.collector.signals import LOGS
from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.storage import EmbeddedServer
from tests import otlp_samples
from tests.fix_collector import PATIENCE, Collector, collector_environment, export

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tests.fix_collector import StartCollector

RESOURCE = Resource({"service.name": "relay"})


def rows(engine: Engine, query: str) -> Sequence[Any]:
    """Return the rows of a query."""
    with engine.connect() as connection:
        return connection.execute(text(query)).all()


def ended(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`relayscope serve` with settings that do not let it start."""
    return subprocess.run(
        [sys.executable, "-m", "relayscope.collector", "serve", *arguments],
        env=collector_environment(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("door", ["gRPC", "HTTP"])
def test_a_span_of_the_sdk_is_a_row_when_export_returns(
    emptied_collector: Collector, shared_engine: Engine, door: str
) -> None:
    """The exporter as it comes from PyPI; `OK` means stored."""
    exporter: SpanExporter = (
        GrpcSpanExporter(endpoint=emptied_collector.grpc, insecure=True)
        if door == "gRPC"
        else HttpSpanExporter(
            endpoint=emptied_collector.url("/v1/traces"), compression=Compression.Gzip
        )
    )
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("tools/call get_time"):
        pass
    assert rows(shared_engine, "select component, name from relayscope.spans") == [
        ("relay", "tools/call get_time")
    ]
    provider.shutdown()


@pytest.mark.parametrize("door", ["gRPC", "HTTP"])
def test_a_log_record_of_the_sdk_is_a_row_without_its_secret(
    emptied_collector: Collector, shared_engine: Engine, door: str
) -> None:
    """The body is kept, but for the value of `api_key` in it."""
    exporter: LogRecordExporter = (
        GrpcLogExporter(endpoint=emptied_collector.grpc, insecure=True)
        if door == "gRPC"
        else HttpLogExporter(
            endpoint=emptied_collector.url("/v1/logs"), compression=Compression.Gzip
        )
    )
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    body = '{"id": 1, "params": {"api_key": "canary", "path": "/srv"}}'
    provider.get_logger("test").emit(
        LogRecord(body=body, severity_number=SeverityNumber.TRACE, event_name=EVENT_MESSAGE)
    )
    ((component, event_name, stored),) = rows(
        shared_engine, "select component, event_name, body from relayscope.logs"
    )
    assert (component, event_name) == ("relay", EVENT_MESSAGE)
    assert "canary" not in stored
    assert '"path": "/srv"' in stored
    provider.shutdown()


def test_metrics_of_the_sdk_are_rows(emptied_collector: Collector, shared_engine: Engine) -> None:
    """A counter and a histogram, over HTTP."""
    reader = PeriodicExportingMetricReader(
        HttpMetricExporter(endpoint=emptied_collector.url("/v1/metrics")),
        export_interval_millis=1e9,
    )
    provider = MeterProvider([reader], resource=RESOURCE)
    meter = provider.get_meter("test")
    meter.create_counter("calls").add(3)
    meter.create_histogram("mcp.client.operation.duration", unit="s").record(0.5)
    provider.force_flush()
    stored = rows(shared_engine, "select name, kind from relayscope.metrics order by name")
    assert stored == [("calls", "sum"), ("mcp.client.operation.duration", "histogram")]
    provider.shutdown()


def test_it_listens_on_loopback_by_default(shared_collector: Collector) -> None:
    """Nobody else is let in unless somebody asks for it."""
    assert shared_collector.grpc.startswith("127.0.0.1:")
    assert shared_collector.http.startswith("127.0.0.1:")


def test_it_is_healthy_and_ready(shared_collector: Collector) -> None:
    """An orchestrator asks for both."""
    assert shared_collector.ask("GET", "/healthz").status == 200
    assert shared_collector.ask("GET", "/readyz").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it_with_0(collector: Collector, number: signal.Signals) -> None:
    """And it says that it has stopped."""
    collector.process.send_signal(number)
    assert collector.wait() == 0
    assert collector.events("stopped")


def test_what_is_answered_while_it_stops_is_stored(
    start_collector: StartCollector, engine: Engine
) -> None:
    """R11: sending goes on during SIGTERM; every OK is a row, and it ends in time."""
    collector = start_collector()
    sending = threading.Event()
    acknowledged = []

    def send() -> None:
        with grpc.insecure_channel(collector.grpc) as channel:
            for number in range(100_000):
                try:
                    export(channel, LOGS, request(number))
                except grpc.RpcError:
                    return
                acknowledged.append(number)
                sending.set()

    sender = threading.Thread(target=send)
    sender.start()
    assert sending.wait(PATIENCE)
    assert collector.stop() == 0
    sender.join()
    stored = {row.severity_number for row in rows(engine, "select * from relayscope.logs")}
    assert stored == {1}
    names = {row.event_name for row in rows(engine, "select event_name from relayscope.logs")}
    assert {f"n{number}" for number in acknowledged} <= names


def request(number: int) -> bytes:
    """A request with one log record that carries its number."""
    message = LOGS.request()
    message.resource_logs.add().scope_logs.add().log_records.add(  # type: ignore[attr-defined]  # a log request
        event_name=f"n{number}", severity_number=1
    )
    return message.SerializeToString()


@pytest.mark.parametrize("option", ["--grpc", "--http"])
def test_an_address_in_use_is_one_clear_line(option: str) -> None:
    """Exit code 1, no traceback, before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = ended(option, address, RELAYSCOPE_DATABASE_URL="postgresql://nowhere.invalid/x")
    assert result.returncode == 1
    assert result.stderr.startswith(f"Error: cannot listen on {address}: Address already in use; ")
    assert "--grpc, --http, --page" in result.stderr


def test_two_collectors_do_not_share_a_port(
    shared_collector: Collector, shared_database_url: str
) -> None:
    """Though both set SO_REUSEPORT for their workers."""
    result = ended("--grpc", shared_collector.grpc, RELAYSCOPE_DATABASE_URL=shared_database_url)
    assert result.returncode == 1
    assert "Address already in use" in result.stderr


def test_a_database_that_cannot_be_reached_is_one_clear_line() -> None:
    """And its password is not in it."""
    url = "postgresql://relayscope:canary@127.0.0.1:1/x"
    arguments = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
    result = ended(*arguments, RELAYSCOPE_DATABASE_URL=url)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr
    assert "canary" not in result.stderr


def test_a_database_from_before_the_first_release_is_one_clear_line(
    engine: Engine, database_url: str
) -> None:
    """It says how its records are kept, and that this relayscope needs an empty one."""
    with engine.begin() as connection:
        connection.execute(text("update relayscope_store.alembic_version set version_num = '0013'"))
    arguments = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
    result = ended(*arguments, RELAYSCOPE_DATABASE_URL=database_url)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: This database was made by a relayscope from before 0.1")
    assert "`relayscope archive`" in result.stderr
    assert "give this one an empty database" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_wrong_rules_file_is_one_clear_line(tmp_path: Path) -> None:
    """It names the file and the rule."""
    path = tmp_path / "rules.yaml"
    path.write_text("disable: [no-such-rule]\n")
    result = ended("--sanitizer-rules", str(path))
    assert result.returncode == 1
    assert result.stderr.startswith(f"Error: sanitizer_rules: {path}: ")
    assert "no-such-rule" in result.stderr
    assert result.stderr.count("\n") == 1


def test_every_line_it_logs_is_json(collector: Collector) -> None:
    """One event per line, for machines."""
    collector.post("logs", b"\xff")
    collector.stop()
    assert collector.log
    assert not [line for line in collector.log if "event" not in line]


def test_it_starts_its_postgresql_again() -> None:
    """Kill -9 of the process that runs the embedded PostgreSQL: it is ready again by itself."""
    with (
        tempfile.TemporaryDirectory(prefix="rs") as folder,
        Collector("--data-dir", folder, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0") as served,
    ):
        served.wait_until_ready()
        lock = Path(folder, "postgresql/server/cluster/postmaster.pid")
        server = int(lock.read_text().split()[0])
        supervisor = int(Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(supervisor, signal.SIGKILL)
        # What comes meanwhile waits in the outage spool.
        raw = otlp_samples.traces().SerializeToString()
        assert served.post("traces", raw).status == 200

        def is_stored() -> bool:
            with psycopg.connect(EmbeddedServer.url_of(Path(folder))) as connection:
                counted = connection.execute("select count(*) from relayscope.spans").fetchone()
            return counted == (2,)

        deadline = time.monotonic() + PATIENCE
        stored = False
        while not stored or served.ask("GET", "/readyz").status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            with contextlib.suppress(psycopg.Error):
                stored = is_stored()
        assert served.stop() == 0
    assert served.events("PostgreSQL's supervisor has ended; starting it again")


def test_it_waits_for_a_postgresql_of_its_own_that_does_not_start_yet() -> None:
    """It joins one that has crashed and lacks a file, and is ready once that is back."""
    with (
        tempfile.TemporaryDirectory(prefix="rs") as folder,
        EmbeddedServer.start(Path(folder)),
    ):
        cluster = Path(folder, "postgresql/server/cluster")
        needed, away = cluster / "postgresql.conf", cluster / "away.conf"
        needed.rename(away)
        os.kill(int((cluster / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        with Collector(
            *("--data-dir", folder, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
        ) as served:
            deadline = time.monotonic() + PATIENCE
            while not served.events("waiting for the database") and served.process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            away.rename(needed)
            served.wait_until_ready()
            assert served.stop() == 0
