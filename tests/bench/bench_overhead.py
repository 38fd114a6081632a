"""Cost of capture for a relay, level by level.

usage: python -m tests.bench.bench_overhead [--calls N] [--turns N] [--processes N]

A client calls a backend through a relay: four messages of 500 bytes for each call. The variants of
the relay take turns, so that whatever else the machine does is shared among them. Printed for each:
the round trip's median and 99th percentile, the CPU time of the relay's process for each call, what
of both is added to the plain relay's, and the added CPU time as a multiple of the bare SDK's.
Two processes of the same code differ by up to a third in what is added, so there are several of
each variant, one after the other.

What is added at OFF is less than two processes differ by chance (`again` is a second plain relay),
so it is measured once more: beside connections of the same process that no hook sees.
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from relayscope.instrumentation import Level

PLAIN: Final = "plain"
VARIANTS: Final = (PLAIN, "again", "bare", *(level.name for level in Level))
_PAIRS: Final = 100
_CALLS_OF_A_PAIR: Final = 30
_MESSAGE_BYTES: Final = 500
_MESSAGES: Final = 4
_TEXT: Final = {"type": "text", "text": ""}


@dataclass
class Relay:
    """A running relay, and what its calls took."""

    process: subprocess.Popen[str]
    port: int
    unhooked_port: int
    """The port at which no hook sees what it relays."""
    unhooked: list[tuple[float, float]] = field(default_factory=list)
    """CPU time for each call, hooked and there, pair by pair."""
    round_trips: list[int] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Nanoseconds for each call, turn by turn."""
    forwarding: list[float] = field(default_factory=list)
    """Nanoseconds for each call of the process that sends what was made of it, if there is one."""

    def include(self, other: "Relay") -> None:
        """Count what another process of the same variant took, too."""
        self.unhooked += other.unhooked
        self.round_trips += other.round_trips
        self.cpu += other.cpu
        self.forwarding += other.forwarding

    def cpu_time(self) -> int:
        """The CPU time that its process has used so far, in ns."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def command_of(variant: str, backend_port: int) -> list[str]:
    """Return the command that runs a variant of the relay."""
    return [sys.executable, "-m", "tests.bench.overhead_relay", variant, str(backend_port)]


@contextmanager
def running(command: list[str], environment: Mapping[str, str]) -> Iterator[Relay]:
    """Run a relay."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port, unhooked_port = map(int, process.stdout.readline().split())
        yield Relay(process, port, unhooked_port)
        process.stdin.close()
        process.wait(10)


@asynccontextmanager
async def backend(answers: Iterator[str] | None = None) -> AsyncIterator[int]:
    """Serve a backend that answers with as much as it is asked, or with these; yield its port."""
    turns = answers or itertools.repeat(message(result={"content": [_TEXT]}))

    async def handle(connection: ServerConnection) -> None:
        async for _ in connection:
            await connection.send(next(turns))

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        yield server.sockets[0].getsockname()[1]


def message(**members: object) -> str:
    """A message that is filled up to its size."""
    text = json.dumps({"jsonrpc": "2.0", "id": 1, **members})
    return text.replace('""', f'"{"word " * 200}'[: _MESSAGE_BYTES - len(text) + 1] + '"')


async def drive(connection: ClientConnection, calls: int) -> list[int]:
    """Call, one after the other; return how long each call took, in ns."""
    request = message(
        method="tools/call", params={"name": "add", "arguments": {"a": 1, "text": ""}}
    )
    assert len(request) == _MESSAGE_BYTES
    took = []
    for _ in range(calls):
        began = time.perf_counter_ns()
        await connection.send(request)
        await connection.recv()
        took.append(time.perf_counter_ns() - began)
    return took


async def measure(calls: int, turns: int) -> dict[str, Relay]:
    """Drive all variants in turns."""
    with ExitStack() as stack:
        async with backend() as port:
            relays = {
                name: stack.enter_context(running(command_of(name, port), os.environ))
                for name in VARIANTS
            }
            # The first turn warms up.
            for turn in range(turns + 1):
                for each in relays.values():
                    await take_turn(each, calls, counts=turn > 0)
            await compare(relays[Level.OFF.name])
            return relays


def repeated(times: int, measure: Callable[[], dict[str, Relay]]) -> dict[str, Relay]:
    """Measure so many processes of each variant, and put together what they took."""
    relays = measure()
    for _ in range(1, times):
        for name, each in measure().items():
            relays[name].include(each)
    return relays


async def take_turn(each: Relay, calls: int, *, counts: bool) -> None:
    """Call a relay so many times; remember what that took, if it counts."""
    url = f"ws://127.0.0.1:{each.port}"
    async with connect(url, compression=None, proxy=None, max_size=None) as connection:
        before = each.cpu_time()
        took = await drive(connection, calls)
        cpu = (each.cpu_time() - before) / calls
    if counts:
        each.round_trips += took
        each.cpu.append(cpu)


async def compare(each: Relay) -> None:
    """Call in turns where a hook sees it, and where none does."""
    urls = [f"ws://127.0.0.1:{port}" for port in (each.port, each.unhooked_port)]
    async with (
        connect(urls[0], compression=None, proxy=None) as hooked,
        connect(urls[1], compression=None, proxy=None) as unhooked,
    ):
        for pair in range(_PAIRS):
            cpu = {}
            for connection in (hooked, unhooked) if pair % 2 else (unhooked, hooked):
                before = each.cpu_time()
                await drive(connection, _CALLS_OF_A_PAIR)
                cpu[connection] = (each.cpu_time() - before) / _CALLS_OF_A_PAIR
            each.unhooked.append((cpu[hooked], cpu[unhooked]))


def print_table(relays: Mapping[str, Relay]) -> None:
    """Print what was measured, and what it was measured with."""
    print(
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {platform.machine()}, "
        f"opentelemetry-sdk {version('opentelemetry-sdk')}, websockets {version('websockets')}"
    )
    print(
        f"{'relay':<8} {'p50':>7} {'p99':>8} {'CPU':>7} | {'p50 added':>9} {'CPU added':>9} "
        f"{'a message':>9} {'x bare SDK':>10}"
    )
    plain = relays[PLAIN]
    plain_p50, plain_cpu = statistics.median(plain.round_trips), statistics.median(plain.cpu)
    bare_cpu = statistics.median(relays["bare"].cpu) - plain_cpu
    for name, each in relays.items():
        p50 = statistics.median(each.round_trips)
        p99 = statistics.quantiles(each.round_trips, n=100)[98]
        cpu = statistics.median(each.cpu)
        print(
            f"{name:<8} {p50 / 1e3:7.0f} {p99 / 1e3:8.0f} {cpu / 1e3:7.0f} | "
            f"{(p50 - plain_p50) / 1e3:9.1f} {(cpu - plain_cpu) / 1e3:9.1f} "
            f"{(cpu - plain_cpu) / _MESSAGES / 1e3:9.2f} {(cpu - plain_cpu) / bare_cpu:10.2f}"
        )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--processes", type=int, default=6)
    options = parser.parse_args()
    relays = repeated(options.processes, lambda: asyncio.run(measure(options.calls, options.turns)))
    print(f"{options.processes} x {options.turns} turns of {options.calls} calls; microseconds")
    print_table(relays)
    pairs = relays[Level.OFF.name].unhooked
    added = statistics.median(hooked - unhooked for hooked, unhooked in pairs) / _MESSAGES / 1e3
    unhooked = statistics.median(unhooked for _, unhooked in pairs) / 1e3
    print(f"OFF beside what no hook sees ({unhooked:.0f} a call): {added:.2f} more for a message")


if __name__ == "__main__":
    main()
