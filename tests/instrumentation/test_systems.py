"""Promises about other systems than the one that the tests run on, as far as it can play them."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from tests.fix_collector import Collector
from tests.fix_delivery import Receiver, forwarders
from tests.fix_programs import (
    PROGRAMS,
    ended,
    eventually,
    host_environment,
    instrumented,
    python,
    run,
)

SYSTEMS = ["win32", "darwin"]

RELAY = """
import asyncio, subprocess, sys
ping = b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}}' + bytes([10])
pipe = subprocess.PIPE
with subprocess.Popen(sys.argv[1:], stdin=pipe, stdout=pipe) as child:
    child.stdin.write(ping)
    child.stdin.close()
    sys.stdout.buffer.write(child.stdout.readline())
async def main():
    child = await asyncio.create_subprocess_exec(*sys.argv[1:], stdin=pipe, stdout=pipe)
    child.stdin.write(ping)
    await child.stdin.drain()
    sys.stdout.buffer.write(await child.stdout.readline())
    child.stdin.close()
    await child.wait()
asyncio.run(main())
sys.exit(7)
"""
ANSWERING = [
    *("/bin/sh", "-c"),
    """read line; echo '{"jsonrpc": "2.0", "id": 1, "result": {}}'; exit 3""",
]
ANSWERS = '{"jsonrpc": "2.0", "id": 1, "result": {}}\n' * 2
STUBBORN = """
import signal, sys, time
def interrupted(*_):
    sys.exit(3)
signal.signal(signal.SIGINT, interrupted)
print("ready", flush=True)
time.sleep(600)
"""


def on(system: str, command: list[str]) -> list[str]:
    """Return the command that runs a Python program, and what it starts, on another system."""
    return [sys.executable, "-S", str(PROGRAMS / "other_system.py"), system, *command]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_program_is_traced_from_start_to_store(
    system: str, collector: Collector, database_url: str, spool_dir: Path
) -> None:
    """Windows and macOS lack what Linux has; what is stored is the same, and nothing is left."""
    relay = [sys.executable, "-c", RELAY, *ANSWERING]
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector.grpc}")

    here = run(instrumented("here", relay), environment)
    there = run(on(system, instrumented("there", relay)), environment)

    assert (there.returncode, there.stdout, there.stderr) == (7, ANSWERS, "")
    assert here == there
    eventually(lambda: not forwarders(spool_dir))
    assert stored(database_url, "there") == stored(database_url, "here")
    assert [path for path in spool_dir.glob("*/*") if path.is_dir()] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_emitted_arrives(system: str, receiver: Receiver, spool_dir: Path) -> None:
    """Each record that was emitted arrives once, whatever the system's way of writing files."""
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, RELAYSCOPE_SPOOL_DURABILITY="power"
    )

    emitter = run(on(system, instrumented("there", python("emitter.py", "50"))), environment)

    eventually(lambda: not forwarders(spool_dir))
    assert emitter.returncode == 0
    assert receiver.marks() == Counter(emitter.stdout.split())


def test_a_windows_job_that_holds_its_processes_keeps_no_record(
    receiver: Receiver, spool_dir: Path
) -> None:
    """If a client lets none of its server's processes out, the forwarder starts within the job."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, JOB_HOLDS="yes")

    emitter = run(on("win32", instrumented("there", python("emitter.py", "3"))), environment)

    eventually(lambda: not forwarders(spool_dir))
    assert receiver.marks() == Counter(emitter.stdout.split())


def test_on_windows_ctrl_c_is_for_the_program() -> None:
    """The console tells all of its processes; the command ends when the program does, and as it."""
    command = on("win32", instrumented("there", [sys.executable, "-c", STUBBORN]))
    environment = host_environment(OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    with (
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True, process_group=0
        ) as started,
        ended(started),
    ):
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"

        os.killpg(started.pid, signal.SIGINT)

        assert started.wait(60) == 3


def stored(database_url: str, component: str) -> Counter[tuple[object, ...]]:
    """Count the records of a component in the database, without ids."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select event_name, regexp_replace(body, '00-[0-9a-f-]+', '00-'), severity_text,"
            "       attributes ->> 'process.exit.code'"
            "  from logs where component = %s",
            [component],
        ).fetchall()
    return Counter(rows)
