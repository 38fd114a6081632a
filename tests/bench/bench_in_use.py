"""Cost of relayscope for a relay in use, level by level, beside the SDK that exports by itself.

usage: python -m tests.bench.bench_in_use [--calls N] [--turns N] [--processes N]

As `bench_overhead`, but with all that comes after a record is made: `relayscope-instrument` runs
the relay, its spool is on disk and its forwarder sends; `bare` is the SDK with its batch processors
and its OTLP exporters. Both send to a receiver that takes everything. "In all" is the CPU time of
the relay's process and of its forwarder.
"""

import argparse
import asyncio
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from relayscope.conventions.environment import RELAYSCOPE_LEVEL
from relayscope.instrumentation import Level
from tests.bench.bench_overhead import (
    PLAIN,
    Relay,
    backend,
    command_of,
    print_table,
    repeated,
    running,
    take_turn,
)
from tests.bench.sink import processor_seconds, sink
from tests.fix_delivery import SPOOL_DIR, end_forwarders
from tests.fix_programs import host_environment, instrumented

_SETTLE_SECONDS: Final = 0.5
"""After each turn, so that nobody sends while the next one's relay is measured."""

_AT_EXIT_SECONDS: Final = 6.0
"""The SDK sends spans every 5 s."""


async def measure(calls: int, turns: int, endpoint: str, spools: Path) -> dict[str, Relay]:
    """Drive all variants in turns."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    with ExitStack() as stack:
        async with backend() as port:
            plain, exporting = command_of(PLAIN, port), command_of("exporting", port)
            relays = {
                PLAIN: stack.enter_context(running(plain, environment)),
                "bare": stack.enter_context(running(exporting, environment)),
            }
            for level in Level:
                own = {RELAYSCOPE_LEVEL: level.name, SPOOL_DIR: str(spools / level.name)}
                command = instrumented("relay", plain)
                relays[level.name] = stack.enter_context(running(command, environment | own))
            for turn in range(turns + 1):
                for each in relays.values():
                    await take_turn(each, calls, counts=turn > 0)
                    await asyncio.sleep(_SETTLE_SECONDS)
                if not turn:
                    sent = {level: processor_seconds(spools / level.name) for level in Level}
            # What has not been sent yet costs something, too.
            await asyncio.sleep(_AT_EXIT_SECONDS)
            for level in Level:
                seconds = processor_seconds(spools / level.name) - sent[level]
                relays[level.name].forwarding.append(seconds * 1e9 / (calls * turns))
            return relays


def forwarding(relay: Relay) -> float:
    """Return the mean cost of its forwarders; 0 if it has none."""
    return statistics.fmean(relay.forwarding) if relay.forwarding else 0.0


def run(calls: int, turns: int) -> dict[str, Relay]:
    """Measure one process of each variant."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-in-use-") as folder,
        sink() as (endpoint, _),
    ):
        spools = Path(folder)
        relays = asyncio.run(measure(calls, turns, endpoint, spools))
        end_forwarders(spools)
    return relays


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=250)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--processes", type=int, default=4)
    options = parser.parse_args()
    relays = repeated(options.processes, lambda: run(options.calls, options.turns))
    print(f"{options.processes} x {options.turns} turns of {options.calls} calls; microseconds")
    print_table(relays)
    plain = statistics.median(relays[PLAIN].cpu)
    print("in all, added to a call: ", end="")
    print(
        ", ".join(
            f"{name} {(statistics.median(each.cpu) + forwarding(each) - plain) / 1e3:.0f}"
            for name, each in relays.items()
        )
    )


if __name__ == "__main__":
    main()
