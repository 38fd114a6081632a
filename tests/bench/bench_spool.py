"""Cost of delivery: µs per record on the host's thread and in all, beside OpenTelemetry's own.

    python -m tests.bench.bench_spool [--rounds N]

Each mode runs in a process of its own, again and again in turn, because the machine may be busy
with other things; the best round counts. Ratios travel between machines, absolute times do not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relayscope.conventions.environment import RELAYSCOPE_SPOOL_DURABILITY
from tests.bench.sink import processor_seconds, sink
from tests.fix_delivery import end_forwarders
from tests.fix_programs import SCRIPTS, host_environment, instrumented

_RECORDS: Final = 4000
_BATCH: Final = 400
_PAUSE: Final = 0.1
"""Between batches, so that OpenTelemetry's queue (2048) never drops, and both get to send."""
_NOBODY: Final = "127.0.0.1:1"
_BACKLOG: Final = 200_000


@dataclass(frozen=True)
class Mode:
    """A way to deliver."""

    name: str
    variables: dict[str, str]

    @property
    def has_forwarder(self) -> bool:
        """True if a process of its own sends the records."""
        return "OTEL_LOGS_EXPORTER" not in self.variables


_OTLP: Final = {
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_TRACES_EXPORTER": "otlp",
    # Their own defaults; ours for a developer in a hurry would flatter us.
    "OTEL_BSP_SCHEDULE_DELAY": "5000",
    "OTEL_BLRP_SCHEDULE_DELAY": "1000",
}
_MODES: Final = [
    Mode("no exporter", {"OTEL_LOGS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}),
    Mode("batch processor + OTLP exporter", _OTLP),
    Mode("spool, process (default)", {}),
    Mode("spool, window", {RELAYSCOPE_SPOOL_DURABILITY: "window"}),
    Mode("spool, power", {RELAYSCOPE_SPOOL_DURABILITY: "power"}),
]
_THEIRS: Final = "batch processor + OTLP exporter"
_KINDS: Final = ("message", "other log", "span")

_HOST: Final = """
import json, sys, time
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger
from tests.bench.record import ATTRIBUTES, PLAIN

kind, records, batch, pause = sys.argv[1], *map(int, sys.argv[2:4]), float(sys.argv[4])
stretch = min(batch, 100)
# The message log has sanitized its records; whoever else emits has not.
scope = "relayscope.instrumentation" if kind == "message" else "host"
logger, tracer = get_logger(scope), trace.get_tracer(scope)

def emit():
    if kind == "span":
        tracer.start_span("tools/call", attributes=ATTRIBUTES).end()
    else:
        logger.emit(LogRecord(
            timestamp=time.time_ns(), severity_number=SeverityNumber.TRACE,
            severity_text="TRACE", event_name="mcp.message", body=PLAIN, attributes=ATTRIBUTES))

best = None
for _ in range(batch):
    emit()
sys.stdin.readline()
process = time.process_time()
for _ in range(records // batch):
    # In short stretches, because a busy machine leaves few long ones alone.
    for _ in range(batch // stretch):
        started = time.thread_time_ns()
        for _ in range(stretch):
            emit()
        spent = (time.thread_time_ns() - started) / stretch / 1000
        best = spent if best is None else min(best, spent)
    time.sleep(pause)
time.sleep(1.2)
host = (time.process_time() - process) / records * 1e6
print(json.dumps([best, host]), flush=True)
sys.stdin.readline()
"""


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{_RECORDS} records, best hundred in {rounds} rounds\n")
    with tempfile.TemporaryDirectory(prefix="bench-spool-") as folder, sink() as (endpoint, _):
        for kind in _KINDS:
            costs = _costs(kind, Path(folder), endpoint, rounds)
            base, theirs = costs["no exporter"], costs[_THEIRS]
            print(f"{kind}, µs per record:\n")
            print(f"{'':34} {'host thread':>12} {'of theirs':>10} {'in all':>9}")
            for name, (thread, everything) in costs.items():
                ratio = "" if name == "no exporter" else f"{thread / theirs[0]:.2f}"
                print(f"{name:34} {thread:>12.1f} {ratio:>10} {everything - base[1]:>+9.1f}")
            print()
    _measure_backlog()


def _costs(kind: str, folder: Path, endpoint: str, rounds: int) -> dict[str, tuple[float, float]]:
    """µs per record on the host's thread, and of all our processes together, by mode."""
    costs: dict[str, tuple[float, float]] = {}
    for number in range(rounds):
        for mode in _MODES:
            spools = folder / f"{kind}-{number}-{mode.name}".replace(" ", "-")
            found = _cost(kind, mode, spools, endpoint)
            before = costs.get(mode.name, found)
            costs[mode.name] = min(before[0], found[0]), min(before[1], found[1])
    return costs


def _cost(kind: str, mode: Mode, spools: Path, endpoint: str) -> tuple[float, float]:
    arguments = [kind, str(_RECORDS), str(_BATCH), str(_PAUSE)]
    host = subprocess.Popen(
        instrumented("bench", [sys.executable, "-c", _HOST, *arguments]),
        env=host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, RELAYSCOPE_SPOOL_DIR=str(spools), **mode.variables
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert host.stdin is not None
    assert host.stdout is not None
    # The start of the forwarder is not counted: its first request is behind it.
    while mode.has_forwarder and not any(spools.glob("*/*/outbox*")):
        time.sleep(0.05)
    time.sleep(1.5)
    before = processor_seconds(spools)
    with host.stdin, host.stdout:
        host.stdin.write("go\n")
        host.stdin.flush()
        thread, everything = json.loads(host.stdout.readline())
        forwarder = processor_seconds(spools) - before
    host.wait()
    end_forwarders(spools)
    return thread, everything + forwarder / _RECORDS * 1e6


def _measure_backlog() -> None:
    """Measure the size of a record on disk, and the rate at which a backlog is forwarded."""
    with tempfile.TemporaryDirectory(prefix="bench-spool-") as folder:
        spools = Path(folder)
        environment = host_environment(
            RELAYSCOPE_SPOOL_DIR=folder, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{_NOBODY}"
        )
        arguments = ["message", str(_BACKLOG), str(_BATCH), "0"]
        subprocess.run(
            instrumented("bench", [sys.executable, "-c", _HOST, *arguments]),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        end_forwarders(spools)
        size = sum(path.stat().st_size for path in spools.glob("*/*/*.segment"))
        records = _BACKLOG + _BATCH
        with sink() as (endpoint, requests):
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
            flush = ["--flush", "--redirect", _NOBODY]
            command = [str(SCRIPTS / "relayscope-instrument"), *flush]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            came = [line.split() for line in requests()]
        seconds = float(came[-1][0]) - float(came[0][0])
        sent = sum(int(length) for _, length in came)
        print(f"on disk: {size / records:.0f} B per record; as OTLP: {sent / records:.0f} B")
        print(
            f"a backlog of {records:,} records is forwarded in {seconds:.1f} s "
            f"({records / seconds:,.0f} records/s, {len(came)} requests)"
        )


if __name__ == "__main__":
    main()
