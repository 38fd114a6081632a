"""Promises about the hook for `sys.stdin` and `sys.stdout`, used in whatever way."""

import json
import sys

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fix_programs import eventually, host_environment, instrumented, line, run
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
    "the interpreter's own name": "for line in sys.__stdin__: handle(line)",
    "raw": "b = sys.stdin.buffer; handle(getattr(b, 'raw', b).readall().decode())",
    "into": "b = bytearray(999); n = sys.stdin.buffer.readinto1(b); handle(b[:n].decode())",
    "click": "import click; [handle(line) for line in click.open_file('-', encoding='utf-8')]",
    "detached": (
        "import io; [handle(l) for l in io.TextIOWrapper(sys.stdin.detach(), encoding='utf-8')]"
    ),
    "thread": (
        "import concurrent.futures as f; "
        "handle(f.ThreadPoolExecutor().submit(sys.stdin.readline).result())"
    ),
    "text wrapper": (
        "import io; [handle(l) for l in io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8')]"
    ),
}
WRITERS = {
    "click.echo": "import click; click.echo(text)",
    "click.echo, bytes": "import click; click.echo(text.encode())",
    "click.open_file": (
        "import click; file = click.open_file('-', 'w'); print(text, file=file, flush=True)"
    ),
    "the interpreter's own name": "print(text, file=sys.__stdout__, flush=True)",
    "raw": "b = sys.stdout.buffer; getattr(b, 'raw', b).write(text.encode() + b'\\n')",
    "reconfigured": "sys.stdout.reconfigure(line_buffering=True); print(text)",
    "detached": (
        "import io; sys.stdout = io.TextIOWrapper(sys.stdout.detach(), 'utf-8')"
        "; print(text, flush=True)"
    ),
    "print": "print(text, flush=True)",
    "write": "sys.stdout.write(text + '\\n'); sys.stdout.flush()",
    "writelines": "sys.stdout.writelines([text, '\\n']); sys.stdout.flush()",
    "buffer": "sys.stdout.buffer.write(text.encode() + b'\\n'); sys.stdout.buffer.flush()",
    "buffer apart": "b = sys.stdout.buffer; b.write(text.encode()); b.write(b'\\n'); b.flush()",
}


def converse(sink: OtlpSink, read: str, write: str, stdin: str, said: str) -> str:
    """Run a program that reads and writes in these ways; return its output."""
    program = f"import sys\ntext = {said!r}\ndef handle(line):\n    {write}\n{read}\n"
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
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
    """A server's request to its client is one record, and a child of the call that it works for."""
    request = line(id=1, method="tools/call", params={"name": "x"})

    output = converse(otlp_sink, READERS["iteration"], WRITERS[write], request, ASK)

    eventually(lambda: len(otlp_sink.records) == 2 and len(otlp_sink.spans) == 2)
    spans = {span.kind: span for _, span in otlp_sink.spans}
    asked, served = spans[Span.SPAN_KIND_CLIENT], spans[Span.SPAN_KIND_SERVER]
    assert asked.parent_span_id == served.span_id
    carried = json.loads(output)["params"]["_meta"]["traceparent"]
    assert carried.split("-")[2] == asked.span_id.hex()
    assert otlp_sink.records[-1][1].body.string_value == output.rstrip("\n")


@pytest.mark.parametrize("write", WRITERS)
def test_what_a_host_says_arrives_and_nothing_else_is_said(otlp_sink: OtlpSink, write: str) -> None:
    """The program ends well, and there is no warning of a message that was not recorded."""
    program = f"import sys\ntext = {ANSWER!r}\n{WRITERS[write]}\n"
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)

    finished = run(instrumented("host", [sys.executable, "-c", program]), environment)

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, ANSWER + "\n", "")


SDK = """
import io, sys
%s
from mcp.server.fastmcp import FastMCP
FastMCP("host").run()
"""


@pytest.mark.parametrize(
    "before",
    [
        "",
        "sys.stdin = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8')",
        "sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8')",
    ],
)
def test_a_file_of_the_hosts_own_over_a_watched_one_doubles_nothing(
    otlp_sink: OtlpSink, before: str
) -> None:
    """The mcp SDK reads and writes it, and its streams are recorded once."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    command = instrumented("host", [sys.executable, "-c", SDK % before])

    finished = run(command, environment, line(id=1, method="ping"))

    assert json.loads(finished.stdout)["id"] == 1, finished.stderr
    eventually(lambda: len(otlp_sink.records) >= 2)
    assert len(otlp_sink.records) == 2
