"""Promises about a hostile peer: the host gets what was sent, and memory stays bounded."""

import json
import sys

import pytest

from tests.fix_programs import eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink

MEGABYTE = 1_000_000
LINE_MEGABYTES = 200

READER = """
import re, sys
size = 0
sys.stdin.buffer.readline()
while data := sys.stdin.buffer.read1(65536):
    size += len(data)
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(size, int(peak) // 1024, file=sys.stderr)
"""

ECHO = """
import sys
for line in sys.stdin.buffer:
    sys.stderr.buffer.write(line)
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
"""

PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'


def test_a_line_without_an_end_costs_bounded_memory(otlp_sink: OtlpSink) -> None:
    """The host reads all of it, and what is kept of it is bounded (here: 200 MB, under 200 MiB)."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    program = instrumented("host", [sys.executable, "-c", READER])

    finished = run(program, environment, PING + "x" * LINE_MEGABYTES * MEGABYTE)

    size, mebibytes = map(int, finished.stderr.split())
    assert size == LINE_MEGABYTES * MEGABYTE
    assert mebibytes < 200


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping", "params": {"_meta": "text"}}),
        json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping", "params": {"_meta": [1]}}),
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 2,
                "method": "ping",
                "params": {"_meta": {"traceparent": "00-zz-\u0000-\ud800", "tracestate": 7}},
            }
        ),
        json.dumps({"jsonrpc": "2.0", "id": {"a": 1}, "method": "ping", "params": [1, 2]}),
        '{"jsonrpc":"2.0","id":1e400,"method":"ping"}',
        '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","params":{},"params":{"_meta":{}}}',
        '{"jsonrpc":"2.0","method":"tools/call","params":{"name":' + '"n' * 10 + '"}}',
        "\ufeff{}",
        "\u2028\u0000\u0007",
    ],
)
def test_whatever_a_peer_says_reaches_the_host(otlp_sink: OtlpSink, text: str) -> None:
    """The host reads what was sent, and what it sends is the same but for the context in it."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    program = instrumented("host", [sys.executable, "-c", ECHO])

    finished = run(program, environment, text + "\n")

    assert (finished.returncode, finished.stderr) == (0, text + "\n")
    echoed = finished.stdout.removesuffix("\n")
    if echoed != text:
        said, told = json.loads(text), json.loads(echoed)
        assert told["params"]["_meta"].pop("traceparent")
        said.setdefault("params", {}).setdefault("_meta", {}).pop("traceparent", None)
        told["params"].setdefault("_meta", {})
        assert told == said


def test_bytes_that_are_no_text_are_passed_on_and_recorded(otlp_sink: OtlpSink) -> None:
    """A broken line between two good ones is marked, and the good ones are calls."""
    program = (
        "import sys\nfor line in sys.stdin.buffer:\n"
        "    sys.stdout.buffer.write(line if line[:1] != b'{' else b'')\nsys.stdout.flush()"
    )
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    feeder = (
        "import subprocess, sys\n"
        f"data = {PING!r}.encode() + b'\\xff\\xfe\\x00\\n' + {PING!r}.encode()\n"
        "out = subprocess.run(sys.argv[1:], input=data, stdout=subprocess.PIPE).stdout\n"
        "print(out)"
    )
    command = instrumented("host", [sys.executable, "-c", program])

    finished = run([sys.executable, "-c", feeder, *command], environment)

    assert finished.stdout == "b'\\xff\\xfe\\x00\\n'\n"
    eventually(lambda: len(otlp_sink.records) == 4)
