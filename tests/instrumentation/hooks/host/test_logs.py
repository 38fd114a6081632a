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


STRANGE = """
import logging
class Lazy:
    def __str__(self):
        raise SystemError("asked for its text")
logging.basicConfig(level=logging.DEBUG, format="%(message)s")
logging.root.handlers[0].setLevel(logging.INFO)
logging.debug("%s", Lazy())
logging.info("a %d", "x")
logging.info("of an object", extra={"lazy": Lazy()})
"""


def test_what_cannot_be_formatted_is_the_hosts_fault_alone(otlp_sink: OtlpSink) -> None:
    """Its stderr says what it would without us; the record has the text as it is in the source."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    command = [sys.executable, "-c", STRANGE]

    plain, traced = run(command, environment), run(instrumented("host", command), environment)

    assert traced.stderr.count("Traceback") == plain.stderr.count("Traceback") == 1
    assert "relayscope:" not in traced.stderr
    eventually(lambda: len(otlp_sink.logs) == 3)
    untaken, first, second = (record for _, record in otlp_sink.logs)
    assert untaken.body.string_value == "%s"
    assert first.body.string_value == "a %d"
    assert second.body.string_value == "of an object"
    assert second.attributes[0].value.string_value == "<unprintable Lazy object>"
