"""Promises about the host's own log records."""

import sys

from tests.fix_programs import eventually, host_environment, instrumented, line, run
from tests.fix_telemetry import OtlpSink

PROGRAM = """
import logging, sys
log = logging.getLogger("host")
for text in sys.stdin:
    log.warning("working with password=hunter2secret", extra={"tries": 3})
    log.info("not enabled")
print('{"jsonrpc": "2.0", "id": 1, "result": {}}')
"""


def converse(sink: OtlpSink, **variables: str) -> str:
    """Run the program with one request; return what it says on stderr."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint, **variables)
    command = instrumented("host", [sys.executable, "-c", PROGRAM])
    return run(command, environment, line(id=1, method="tools/call", params={"name": "x"})).stderr


def test_a_log_record_is_in_the_span_it_was_made_in(otlp_sink: OtlpSink) -> None:
    """It is exported without its secrets, and the host's stderr says what it always said."""
    stderr = converse(otlp_sink)

    eventually(lambda: otlp_sink.logs and otlp_sink.spans)
    ((component, record),) = otlp_sink.logs
    assert component == "host"
    assert record.body.string_value.startswith("working with password=")
    assert "hunter2secret" not in str(record)
    assert {item.key: item.value.int_value for item in record.attributes}["tries"] == 3
    assert record.span_id == otlp_sink.spans[0][1].span_id
    assert stderr == "working with password=hunter2secret\n"


def test_the_level_holds_for_log_records_too(otlp_sink: OtlpSink) -> None:
    """At ERROR, a warning stays where it was."""
    converse(otlp_sink, RELAYSCOPE_LEVEL="ERROR")

    assert otlp_sink.logs == []


def test_the_hook_has_a_switch(otlp_sink: OtlpSink) -> None:
    """As every instrumentation of OpenTelemetry has."""
    converse(otlp_sink, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="relayscope_logging,logging")

    eventually(lambda: otlp_sink.spans)
    assert otlp_sink.logs == []
