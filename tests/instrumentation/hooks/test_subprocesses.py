"""Promises about the hook for child processes: a relay's stdio backends."""

import sys

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fix_programs import PROGRAMS, clean_environment, eventually, instrumented, run
from tests.fix_telemetry import OtlpSink

CALL = '{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}}'

POPEN = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, %s)
child.stdin.write(%s); child.stdin.flush()
print(repr(child.stdout.readline()))
child.stdin.close(); child.stdout.close(); child.wait()
"""
ASYNCIO = """
import asyncio, sys
async def main():
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*sys.argv[1:], stdin=pipe, stdout=pipe)
    child.stdin.write(%r)
    await child.stdin.drain()
    print(await child.stdout.readline())
    child.stdin.close()
    await child.wait()
asyncio.run(main())
"""
ANYIO = """
import anyio, sys
async def main():
    async with await anyio.open_process(sys.argv[1:], stderr=None) as child:
        await child.stdin.send(%r)
        answer = b""
        while not answer.endswith(b"\\n"):
            answer += await child.stdout.receive()
        print(answer)
        await child.stdin.aclose()
anyio.run(main)
"""
LINE = CALL + "\n"
PARENTS = {
    "Popen, text": POPEN % ("text=True", repr(LINE)),
    "Popen, bytes": POPEN % ("bufsize=-1", repr(LINE.encode())),
    "Popen, unbuffered": POPEN % ("bufsize=0", repr(LINE.encode())),
    "asyncio": ASYNCIO % LINE.encode(),
    "anyio": ANYIO % LINE.encode(),
}


@pytest.mark.parametrize("parent", PARENTS)
def test_a_call_to_a_child_is_recorded_on_both_sides(otlp_sink: OtlpSink, parent: str) -> None:
    """The child is instrumented too, where that is asked for, and named after its script."""
    environment = clean_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    environment["RELAYSCOPE_INSTRUMENT_CHILDREN"] = "true"
    child = [sys.executable, str(PROGRAMS / "busy_backend.py"), "stdio"]

    finished = run(
        instrumented("parent", [sys.executable, "-c", PARENTS[parent], *child]), environment
    )

    assert finished.returncode == 0, finished.stderr
    assert '"result"' in finished.stdout
    eventually(lambda: len(otlp_sink.records) == 4 and len(otlp_sink.spans) == 2)
    spans = dict(otlp_sink.spans)
    assert spans.keys() == {"parent", "busy_backend"}
    assert spans["parent"].kind == Span.SPAN_KIND_CLIENT
    assert spans["busy_backend"].parent_span_id == spans["parent"].span_id
    peers = {
        item.value.string_value
        for component, record in otlp_sink.records
        for item in record.attributes
        if component == "parent" and item.key == "relayscope.peer"
    }
    assert peers == {"python busy_backend.py"}


def test_a_child_is_left_alone_unless_it_is_asked_for(otlp_sink: OtlpSink) -> None:
    """Its environment is the one that the host gives it."""
    environment = clean_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    print_name = "import os; print(os.environ['OTEL_SERVICE_NAME'])"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {print_name!r}])"

    finished = run(instrumented("parent", [sys.executable, "-c", program]), environment)

    assert finished.stdout == "parent\n"
