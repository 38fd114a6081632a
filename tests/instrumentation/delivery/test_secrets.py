"""Nothing is written to a host's disk before it has been sanitized."""

import sys
from pathlib import Path

from tests.fix_programs import host_environment, instrumented, run

CANARY = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"

PROGRAM = f"""
from opentelemetry import trace
from opentelemetry._logs import LogRecord, get_logger
from opentelemetry.trace import Link, SpanContext, StatusCode
secret = {CANARY!r}
tracer = trace.get_tracer("host", attributes={{"scope": secret}})
span = tracer.start_span(
    secret,
    attributes={{"text": secret, "list": [secret]}},
    links=[Link(SpanContext(1, 1, False), {{"link": secret}})],
)
span.add_event(secret, {{"event": secret}})
span.record_exception(ValueError(secret))
span.set_status(StatusCode.ERROR, secret)
span.end()
logger = get_logger("host")
logger.emit(LogRecord(body=secret, severity_text=secret, event_name=secret))
logger.emit(LogRecord(body={{"deep": [{{"password": "x", "key": secret}}]}}))
logger.emit(LogRecord(attributes={{"map": {{"deep": [secret]}}}}, exception=ValueError(secret)))
"""


def test_a_secret_is_in_no_file_of_the_spools(spool_dir: Path) -> None:
    """Wherever a host puts it: names, attributes, events, links, exceptions, bodies, resource."""
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
        OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer {CANARY}",
        OTEL_RESOURCE_ATTRIBUTES=f"team={CANARY}",
    )

    finished = run(instrumented("host", [sys.executable, "-c", PROGRAM]), environment)

    assert finished.stderr == ""
    files = [path for path in spool_dir.rglob("*") if path.is_file()]
    (segment,) = (path for path in files if path.suffix == ".segment")
    assert segment.read_bytes().count(b"REDACTED") >= 12
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
