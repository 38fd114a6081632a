"""The standard variables say where records go, over gRPC and over HTTP: to a real collector."""

import json
import sys
from pathlib import Path

import pytest
import trustme
from sqlalchemy import Engine, RowMapping, text

from tests.fix_collector import StartCollector
from tests.fix_programs import eventually, host_environment, instrumented, python, run

TOKEN = "canary-ingest-0123456789"
PROTOCOLS = ["grpc", "http/protobuf"]


def stored_marks(engine: Engine) -> list[str]:
    """The marks of everything that is in the database."""
    statement = """
        select attributes ->> 'mark' from relayscope.logs where attributes ? 'mark'
        union all
        select attributes ->> 'mark' from relayscope.spans where attributes ? 'mark'
    """
    with engine.connect() as connection:
        return sorted(connection.execute(text(statement)).scalars())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_records_travel_over_mutual_tls_with_a_token_compressed(
    start_collector: StartCollector, engine: Engine, tmp_path: Path, protocol: str
) -> None:
    """Certificates, headers, compression and timeout come from `OTEL_EXPORTER_OTLP_*`."""
    authority = trustme.CA()
    server = authority.issue_cert("localhost")
    client = authority.issue_cert("relay@example.com")
    ca, certificate, key = (tmp_path / name for name in ("ca.pem", "server.pem", "server.key"))
    authority.cert_pem.write_to_path(ca)
    for blob in server.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    server.private_key_pem.write_to_path(key)
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    collector = start_collector(
        environment={
            "RELAYSCOPE_TLS_CERTIFICATE": str(certificate),
            "RELAYSCOPE_TLS_KEY": str(key),
            "RELAYSCOPE_TLS_CLIENT_CA": str(ca),
            "RELAYSCOPE_TOKENS": json.dumps([{"name": "relay", "token": TOKEN, "role": "ingest"}]),
        }
    )
    address = collector.grpc if protocol == "grpc" else collector.http
    environment = host_environment(
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"https://localhost:{address.rsplit(':', 1)[1]}",
        OTEL_EXPORTER_OTLP_CERTIFICATE=str(ca),
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=str(tmp_path / "client.pem"),
        OTEL_EXPORTER_OTLP_CLIENT_KEY=str(tmp_path / "client.key"),
        OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer {TOKEN}",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        OTEL_EXPORTER_OTLP_TIMEOUT="5",
        # What OpenTelemetry's HTTP exporter would believe instead.
        REQUESTS_CA_BUNDLE=str(certificate),
    )

    finished = run(instrumented("host", python("emitter.py", "20")), environment)

    eventually(lambda: stored_marks(engine) == sorted(finished.stdout.split()))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_field_of_a_span_and_a_record_arrives(
    start_collector: StartCollector, engine: Engine, protocol: str
) -> None:
    """All that the API lets a host say is in the database as it was said."""
    collector = start_collector()
    address = collector.grpc if protocol == "grpc" else collector.http
    program = """
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger
from opentelemetry.trace import Link, SpanKind, StatusCode
tracer = trace.get_tracer("scope", "1.2", attributes={"a": "b"})
other = tracer.start_span("other", start_time=1_700_000_000_000_000_001)
other.end(end_time=1_700_000_000_000_000_002)
parent = trace.set_span_in_context(other)
span = tracer.start_span(
    "work", kind=SpanKind.CONSUMER, context=parent,
    links=[Link(other.get_span_context(), {"l": 1})],
    attributes={"text": "t", "number": 7, "real": 0.5, "flag": True, "list": ["x", "y"]},
    start_time=1_700_000_000_000_000_003,
)
span.add_event("event", {"e": "v"}, timestamp=1_700_000_000_000_000_004)
span.set_status(StatusCode.ERROR, "it failed")
span.end(end_time=1_700_000_000_000_000_005)
get_logger("logger", "3").emit(LogRecord(
    timestamp=1_700_000_000_000_000_006, context=trace.set_span_in_context(span),
    severity_number=SeverityNumber.WARN2, severity_text="warn", event_name="happened",
    body={"nested": [1, {"deep": b"bytes"}]}, attributes={"map": {"k": [1, 2.5, None]}},
))
"""
    environment = host_environment(
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{address}"
    )

    finished = run(instrumented("host", [sys.executable, "-c", program]), environment)

    assert finished.stderr == ""
    eventually(lambda: len(_rows(engine, "spans")) == 2)
    eventually(lambda: any(row["event_name"] == "happened" for row in _rows(engine, "logs")))
    other, work = sorted(_rows(engine, "spans"), key=lambda span: str(span["name"]))
    assert (work["trace_id"], work["parent_span_id"]) == (other["trace_id"], other["span_id"])
    assert (work["kind"], work["status"], work["status_message"]) == (
        "consumer",
        "error",
        "it failed",
    )
    expected = {"text": "t", "number": 7, "real": 0.5, "flag": True, "list": ["x", "y"]}
    assert work["attributes"].items() >= expected.items()
    assert [(event["name"], event["attributes"]) for event in work["events"]] == [
        ("event", {"e": "v"})
    ]
    assert [link["attributes"] for link in work["links"]] == [{"l": 1}]
    record = next(row for row in _rows(engine, "logs") if row["event_name"] == "happened")
    assert (record["trace_id"], record["span_id"]) == (work["trace_id"], work["span_id"])
    assert (record["severity_number"], record["severity_text"]) == (14, "warn")
    assert record["attributes"]["map"] == {"k": [1, 2.5, None]}
    assert '"nested"' in record["body"]


_ALL = {
    "spans": "select * from relayscope.spans",
    "logs": "select * from relayscope.logs",
}


def _rows(engine: Engine, view: str) -> list[RowMapping]:
    with engine.connect() as connection:
        return list(connection.execute(text(_ALL[view])).mappings())
