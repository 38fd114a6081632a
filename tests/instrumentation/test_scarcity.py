"""A host with no room on its stack, or no free descriptor, goes on, and is recorded afterwards."""

import re
import sys

import pytest

from tests.fix_programs import SCRIPTS, Run, eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink

SAY = """
import json, resource, sys, time
def say(number):
    print(json.dumps({"jsonrpc": "2.0", "method": "notifications/x", "params": {"n": number}}),
          flush=True)
def deep(levels, act):
    return deep(levels - 1, act) if levels else act()
"""

LATER = """
for number in range(1, 8):
    time.sleep(0.5)
    say(number)
"""

NO_DESCRIPTOR = """
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
say(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
"""

# A thread's stack is larger than all memory.
WITHOUT_THREADS = ["/bin/sh", "-c", 'ulimit -s 4000000; ulimit -v 1000000; exec "$@"', "sh"]

EVER_DEEPER = """
for levels in range(850, 990):
    deep(levels, lambda: say(levels))
say(7)
"""


def traced(program: str, sink: OtlpSink) -> Run:
    """Run a program to its end."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
    return run(instrumented("host", [sys.executable, "-c", SAY + program]), environment)


@pytest.mark.parametrize("first", [NO_DESCRIPTOR, "deep(900, lambda: say(0))\n"])
def test_what_cannot_be_made_at_the_first_message_is_made_later(
    otlp_sink: OtlpSink, first: str
) -> None:
    """The host goes on, is told once, and what crosses a while later is recorded."""
    finished = traced(first + LATER, otlp_sink)

    assert finished.returncode == 0
    assert len(finished.stdout.splitlines()) == 8
    assert finished.stderr.count("Traceback") <= 1
    eventually(lambda: any('"n": 7' in record.body.string_value for _, record in otlp_sink.records))


@pytest.mark.parametrize("warm", ["say(0)\n", ""])
def test_a_host_near_its_recursion_limit_goes_on(otlp_sink: OtlpSink, warm: str) -> None:
    """Whatever of ours fails for want of room on the stack, the host's own work does not."""
    finished = traced(warm + EVER_DEEPER, otlp_sink)

    assert finished.returncode == 0, finished.stderr
    assert len(finished.stdout.splitlines()) == 141 + len(warm.splitlines())


@pytest.mark.parametrize("mebibytes", [60, 80])
def test_a_host_without_memory_for_recording_is_told_so_once(
    otlp_sink: OtlpSink, mebibytes: int
) -> None:
    """It does its work, and one line says that nothing is recorded, and where to look."""
    bound = f"resource.setrlimit(resource.RLIMIT_AS, 2 * ({mebibytes * 2**20},))\n"

    finished = traced(bound + LATER, otlp_sink)

    assert finished.returncode == 0
    assert len(finished.stdout.splitlines()) == 7
    assert re.fullmatch(r"relayscope: nothing is recorded .*limits.*\n", finished.stderr)


def test_a_host_whose_modules_are_out_of_reach_is_told_so_in_one_line() -> None:
    """Whoever gives up rights, or a part of the files, before the first message does so."""
    leave = "import sys; sys.path[:] = []; sys.path_importer_cache.clear()\n"
    host = instrumented("host", [sys.executable, "-c", SAY + leave + "say(0); say(1)"])

    finished = run(host, host_environment())

    assert finished.returncode == 0
    assert len(finished.stdout.splitlines()) == 2
    assert re.fullmatch(r"relayscope: nothing is recorded .*No module .*root.*\n", finished.stderr)


def test_a_host_that_can_start_no_thread_is_told_so_in_one_line() -> None:
    """It does its work untraced, and OpenTelemetry says nothing of its own."""
    host = instrumented("host", [sys.executable, "-c", SAY + "say(0)"])

    finished = run([*WITHOUT_THREADS, *host], host_environment())

    assert finished.returncode == 0
    assert len(finished.stdout.splitlines()) == 1
    assert finished.stderr == (
        "relayscope: nothing is seen of this program: can't start new thread; "
        "look at its limits (ulimit -a)\n"
    )


@pytest.mark.usefixtures("spool_dir")
def test_what_cannot_be_flushed_without_a_thread_is_told_in_one_line() -> None:
    """It names what is wanting and where to look; nothing of OpenTelemetry's way there."""
    flush = [str(SCRIPTS / "relayscope-instrument"), "--flush"]

    finished = run([*WITHOUT_THREADS, *flush], host_environment())

    assert finished.returncode == 1
    assert finished.stderr == (
        "relayscope-instrument: can't start new thread; look at its limits (ulimit -a)\n"
    )
