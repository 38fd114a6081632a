"""Time that tracing adds to a call of published MCP servers, beside MCPHawk.

usage: python -m tests.bench.bench_published PROGRAMS [--calls N] [--turns N]

The `mcp` SDK's client calls each server over stdio: as it is, under `mcphawk wrap`, and under
`relayscope-instrument` at TRACE and INFO. PROGRAMS is the folder of the environment that they are
installed in. The variants take turns; `again` is bare once more: what it differs by is chance.
Printed for each call: the median, and what each variant adds to it and to the 95th percentile.
Ends with 1 if TRACE adds more at the median than MCPHawk.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, NamedTuple

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from relayscope.conventions.environment import RELAYSCOPE_LEVEL
from tests.bench.published_servers import Call, calls
from tests.bench.sink import sink
from tests.fix_delivery import SPOOL_DIR, end_forwarders
from tests.fix_programs import host_environment

_BARE: Final = "bare"
_RIVAL: Final = "MCPHawk"
_LEVELS: Final = ("TRACE", "INFO")
_VARIANTS: Final = (_BARE, "again", _RIVAL, *_LEVELS)


class Place(NamedTuple):
    """Folder of the programs, folder that they may write to, and endpoint of their telemetry."""

    programs: Path
    home: Path
    endpoint: str

    def server(self, variant: str, call: Call) -> StdioServerParameters:
        """Return the parameters that start a server."""
        command = [str(self.programs / call.command[0]), *call.command[1:]]
        environment = host_environment(
            HOME=str(self.home), OTEL_EXPORTER_OTLP_ENDPOINT=self.endpoint
        )
        if variant == _RIVAL:
            command = [str(self.programs / "mcphawk"), "wrap", "--", *command]
        if variant in _LEVELS:
            instrument = str(self.programs / "relayscope-instrument")
            command = [instrument, "--service-name", "server", "--", *command]
            environment[RELAYSCOPE_LEVEL] = variant
            environment[SPOOL_DIR] = str(self.home / "spool" / variant)
        return StdioServerParameters(command=command[0], args=command[1:], env=environment)


async def turn(session: ClientSession, call: Call, times: int) -> list[float]:
    """Call, one after the other; return how many ms each took."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        answer = await session.call_tool(call.tool, call.arguments)
        took.append((time.perf_counter() - began) * 1e3)
        assert not answer.isError, answer
    return took


async def measure(place: Place, call: Call, times: int, turns: int) -> dict[str, list[float]]:
    """Drive all variants in turns."""
    took: dict[str, list[float]] = {variant: [] for variant in _VARIANTS}
    async with AsyncExitStack() as stack:
        errors = stack.enter_context((place.home / "errors").open("a"))
        sessions = {}
        for variant in _VARIANTS:
            started = stdio_client(place.server(variant, call), errors)
            streams = await stack.enter_async_context(started)
            sessions[variant] = await stack.enter_async_context(ClientSession(*streams))
            await sessions[variant].initialize()
        for number in range(turns + 1):
            for variant, session in sessions.items():
                round_trips = await turn(session, call, times)
                # The first turn warms up.
                if number:
                    took[variant] += round_trips
    return took


def judge(call: Call, took: dict[str, list[float]]) -> bool:
    """Print a line of the table, and return whether the budget is kept."""
    p50 = {name: statistics.median(each) for name, each in took.items()}
    p95 = {name: statistics.quantiles(each, n=20)[18] for name, each in took.items()}
    cells = "".join(
        f"{p50[name] - p50[_BARE]:8.2f}{p95[name] - p95[_BARE]:8.2f} |" for name in _VARIANTS[1:]
    )
    print(f"{call.name:<26}{p50[_BARE]:8.2f}{p95[_BARE]:8.2f} |{cells}", flush=True)
    return p50["TRACE"] <= p50[_RIVAL]


def main() -> None:
    """Measure, print a table, and say where the budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--turns", type=int, default=10)
    options = parser.parse_args()
    print(f"{options.turns} turns of {options.calls} calls; ms, p50 and p95, added to bare")
    print(f"{'':<26}" + "".join(f"{name:^16} |" for name in _VARIANTS))
    missed = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-published-") as temporary,
        sink() as (endpoint, _),
    ):
        home, files = Path(temporary) / "home", Path(temporary) / "files"
        home.mkdir()
        files.mkdir()
        place = Place(options.programs.absolute(), home, endpoint)
        with calls(files) as asked:
            for call in asked:
                took = asyncio.run(measure(place, call, options.calls, options.turns))
                if not judge(call, took):
                    missed.append(call.name)
        for level in _LEVELS:
            end_forwarders(home / "spool" / level)
    for name in missed:
        print(f"missed: {name}: TRACE adds more than {_RIVAL}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
