"""Promises about calls whose answer never comes, in a host in which nothing else happens."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from relayscope.conventions.attributes import ERROR_TYPE
from tests.fix_programs import ended, eventually, host_environment, instrumented, line
from tests.fix_telemetry import OtlpSink

TASKS = "len(os.listdir('/proc/self/task'))"

WAITS = f"""
import os, sys
def threads():
    return {TASKS}
sys.stdin.readline()
%s
sys.stdin.readline()
"""

FORKS = """
before = threads()
child = os.fork()
if not child:
    print('{"jsonrpc":"2.0","method":"notifications/progress","params":{}}', flush=True)
    os._exit(0)
print(before, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), threads(), flush=True)
"""


@contextmanager
def waiting(
    sink: OtlpSink, meanwhile: str = "", *, call_seconds: str = "0.4"
) -> Iterator[subprocess.Popen[str]]:
    """A host that was sent a call and does not answer, and waits for more."""
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint, RELAYSCOPE_CALL_SECONDS=call_seconds
    )
    command = instrumented("host", [sys.executable, "-c", WAITS % meanwhile])
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        ) as host,
        ended(host),
    ):
        assert host.stdin is not None
        host.stdin.write(line(id=1, method="tools/call", params={"name": "slow"}))
        host.stdin.flush()
        yield host


def timeouts(sink: OtlpSink) -> list[str]:
    """The names of the spans that have failed because of the time."""
    return [
        span.name
        for _, span in sink.spans
        for item in span.attributes
        if (item.key, item.value.string_value) == (ERROR_TYPE, "timeout")
    ]


def test_a_call_ends_at_its_time_though_nothing_else_crosses(otlp_sink: OtlpSink) -> None:
    """The span is there while the host still waits; then it has one thread again, and ends."""
    report = "import time\nwhile threads() > 1: time.sleep(0.02)\nprint('alone', flush=True)"
    with waiting(otlp_sink, report) as host:
        assert host.stdout is not None
        eventually(lambda: timeouts(otlp_sink) == ["tools/call slow"])
        assert host.poll() is None
        assert host.stdout.readline() == "alone\n"
        _, said = host.communicate("\n")

    assert (host.returncode, said) == (0, "")


def test_after_a_fork_both_go_on_and_the_call_still_ends(otlp_sink: OtlpSink) -> None:
    """The child records what it says; the parent has its thread again, and it ends the call."""
    # Long enough for the fork to be over, on any machine.
    with waiting(otlp_sink, FORKS, call_seconds="5") as host:
        assert host.stdout is not None
        assert "notifications/progress" in host.stdout.readline()
        assert host.stdout.readline() == "2 0 2\n"
        eventually(lambda: timeouts(otlp_sink))
        _, said = host.communicate("\n")

    assert (host.returncode, said) == (0, "")
    assert timeouts(otlp_sink) == ["tools/call slow"]
    eventually(lambda: any("progress" in str(record.body) for _, record in otlp_sink.records))


def test_an_open_call_keeps_no_process_alive(otlp_sink: OtlpSink) -> None:
    """A host that has nothing more to do ends, and its open call is unanswered."""
    with waiting(otlp_sink, "sys.exit(0)", call_seconds="60") as host:
        _, said = host.communicate()

    assert (host.returncode, said) == (0, "")
    eventually(lambda: otlp_sink.spans)
    assert timeouts(otlp_sink) == []
