"""Promises about the hook for `sys.stdin` and `sys.stdout`, used in whatever way."""

import json
import sys

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fix_programs import clean_environment, eventually, instrumented, line, run
from tests.fix_telemetry import OtlpSink

ANSWER = '{"jsonrpc": "2.0", "id": 1, "result": {"text": "ü"}}'
ASK = '{"jsonrpc": "2.0", "id": "s1", "method": "sampling/createMessage", "params": {}}'

READERS = {
    "iteration": "for line in sys.stdin: handle(line)",
    "readline": "while line := sys.stdin.readline(): handle(line)",
    "input": "handle(input())",
    "buffer iteration": "for line in sys.stdin.buffer: handle(line.decode())",
    "buffer readline": "handle(sys.stdin.buffer.readline().decode())",
    "whole": "handle(sys.stdin.read())",
    "lines": "[handle(line) for line in sys.stdin.readlines()]",
    "thread": (
        "import concurrent.futures as f; "
        "handle(f.ThreadPoolExecutor().submit(sys.stdin.readline).result())"
    ),
    "text wrapper": (
        "import io; [handle(l) for l in io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8')]"
    ),
}
WRITERS = {
    "print": "print(text, flush=True)",
    "write": "sys.stdout.write(text + '\\n'); sys.stdout.flush()",
    "writelines": "sys.stdout.writelines([text, '\\n']); sys.stdout.flush()",
    "buffer": "sys.stdout.buffer.write(text.encode() + b'\\n'); sys.stdout.buffer.flush()",
    "buffer apart": "b = sys.stdout.buffer; b.write(text.encode()); b.write(b'\\n'); b.flush()",
}


def converse(sink: OtlpSink, read: str, write: str, stdin: str, said: str) -> str:
    """Run a program that reads and writes in these ways; return its output."""
    program = f"import sys\ntext = {said!r}\ndef handle(line):\n    {write}\n{read}\n"
    environment = clean_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
    environment["PYTHONIOENCODING"] = "utf-8"
    finished = run(instrumented("host", [sys.executable, "-c", program]), environment, stdin)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("read", READERS)
def test_whatever_way_it_is_read_a_line_is_one_record(otlp_sink: OtlpSink, read: str) -> None:
    """A request is recorded once, and its answer ends its span."""
    request = line(id=1, method="tools/call", params={"name": "é"})

    output = converse(otlp_sink, READERS[read], WRITERS["print"], request, ANSWER)

    assert output == ANSWER + "\n"
    eventually(lambda: len(otlp_sink.records) == 2 and len(otlp_sink.spans) == 1)
    bodies = [record.body.string_value for _, record in otlp_sink.records]
    assert bodies == [request.rstrip("\n"), ANSWER]
    assert otlp_sink.spans[0][1].name == "tools/call é"


@pytest.mark.parametrize("write", WRITERS)
def test_whatever_way_it_is_written_a_request_carries_context(
    otlp_sink: OtlpSink, write: str
) -> None:
    """What a server asks its client is one record, and a child of what it works for."""
    request = line(id=1, method="tools/call", params={"name": "x"})

    output = converse(otlp_sink, READERS["iteration"], WRITERS[write], request, ASK)

    eventually(lambda: len(otlp_sink.records) == 2 and len(otlp_sink.spans) == 2)
    spans = {span.kind: span for _, span in otlp_sink.spans}
    asked, served = spans[Span.SPAN_KIND_CLIENT], spans[Span.SPAN_KIND_SERVER]
    assert asked.parent_span_id == served.span_id
    carried = json.loads(output)["params"]["_meta"]["traceparent"]
    assert carried.split("-")[2] == asked.span_id.hex()
    assert otlp_sink.records[-1][1].body.string_value == output.rstrip("\n")
