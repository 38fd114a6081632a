"""Time that a relay's client waits: with the collector present, absent, and slow (1 s per answer).

    python -m tests.bench.bench_relay [--rounds N]

One request at a time over stdio, one every 5 ms, to a hand-written relay that answers it by itself.
The conditions take turns, because the machine may be busy with other things; root can put all this
before them. Ratios travel between machines, absolute times do not.

A collector that is present works, too, and on a machine with two cores takes the relay's turn. So
there are three tables. In the second the collector and its PostgreSQL have a core of their own, and
the client, the relay and its forwarder share what is left. In the third the collector has as much
to do in all conditions: where the relay sends it nothing, a replay does. What differs then is what
the relay notices of its own delivery.
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
from collections import defaultdict
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Final

from tests.bench.replay import Keeping, replaying
from tests.fix_delivery import end_forwarders, receiving
from tests.fix_programs import host_environment, instrumented, line, python
from tests.soak.field import own_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.replay import Sent

_REQUESTS: Final = 1000
_WARM_UP: Final = 50
_PAUSE: Final = 0.005
_PRIORITY: Final = -15
_ABSENT: Final = "http://127.0.0.1:1"

_SLOW: Final = """
import sys, time
from tests.fix_delivery import Receiver, receiving
class Slow(Receiver):
    def take(self, signal, request, context):
        time.sleep(1)
        return b""
with receiving(Slow()) as receiver:
    print(receiver.endpoint, flush=True)
    sys.stdin.read()
"""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    rounds = parser.parse_args().rounds
    with suppress(OSError):
        os.nice(_PRIORITY)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{rounds} rounds of {_REQUESTS} requests each")
    cores = os.sched_getaffinity(0)
    last = {max(cores)}
    print("\nthe collector beside the relay:\n")
    _measure(rounds, collectors=cores, relays=cores)
    if cores > last:
        print("\nthe collector on a core of its own:\n")
        _measure(rounds, collectors=last, relays=cores - last)
        print("\nthe collector on a core of its own, with as much to do in all conditions:\n")
        keeping = Keeping()
        with receiving(keeping):
            _latencies(keeping.endpoint)
        _measure(rounds, collectors=last, relays=cores - last, replayed=keeping.sent())


def _measure(
    rounds: int, *, collectors: set[int], relays: set[int], replayed: Sequence[Sent] = ()
) -> None:
    """Print a table, with the collectors on some cores and everything else on others."""
    latencies: defaultdict[str, list[float]] = defaultdict(list)
    os.sched_setaffinity(0, collectors)
    with own_field() as ground, ground.running(), _slow_collector() as slow:
        ground.start()
        os.sched_setaffinity(0, relays)
        endpoints = {
            "not instrumented": None,
            "collector present": f"http://{ground.grpc}",
            "collector absent": _ABSENT,
            "collector slow": slow,
        }
        for _ in range(rounds):
            for condition, endpoint in endpoints.items():
                with ExitStack() as stack:
                    if replayed and condition != "collector present":
                        stack.enter_context(replaying(replayed, ground.grpc, collectors))
                    latencies[condition] += _latencies(endpoint)
    print(f"{'':20} {'p50 µs':>8} {'p99 µs':>8} {'p50 ratio':>10} {'p99 ratio':>10}")
    of = _p50_and_p99(latencies["collector present"])
    for condition, found in latencies.items():
        p50, p99 = _p50_and_p99(found)
        print(f"{condition:20} {p50:8.0f} {p99:8.0f} {p50 / of[0]:10.2f} {p99 / of[1]:10.2f}")


def _p50_and_p99(seconds: list[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100)
    return cuts[49] * 1e6, cuts[98] * 1e6


def _latencies(endpoint: str | None) -> list[float]:
    """Seconds of each request to a fresh relay; not instrumented if there is no endpoint."""
    relay = python("websocket_relay.py")
    command = relay if endpoint is None else instrumented("relay", relay)
    with tempfile.TemporaryDirectory(prefix="bench-relay-") as folder:
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint or "", RELAYSCOPE_SPOOL_DIR=folder
        )
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        found = []
        with process.stdin, process.stdout:
            for number in range(_WARM_UP + _REQUESTS):
                request = line(id=number, method="tools/call", params={"name": f"tool-{number}"})
                started = time.perf_counter()
                process.stdin.write(request)
                answer = process.stdout.readline()
                found.append(time.perf_counter() - started)
                assert json.loads(answer)["id"] == number
                time.sleep(_PAUSE)
                if number == _WARM_UP:
                    time.sleep(1)  # The forwarder has started by now.
        process.wait()
        end_forwarders(Path(folder))
    return found[_WARM_UP:]


@contextmanager
def _slow_collector() -> Iterator[str]:
    """Yield the endpoint of a collector that takes 1 s for each request."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        yield process.stdout.readline().strip()
    process.wait()


if __name__ == "__main__":
    main()
