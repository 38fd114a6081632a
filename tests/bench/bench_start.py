"""Time to start, as ratios to a plain Python: `make bench-start`.

usage: python -m tests.bench.bench_start [--turns N] [--record]

Starts each command in turn, and takes the least processor time of each, with all that it has waited
for: other work on the machine makes it longer, never shorter. With `--record`, writes the table to
tests/bench/results.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Final

from tests.fix_delivery import end_forwarders
from tests.fix_programs import SCRIPTS, host_environment, instrumented

NOTHING: Final = [sys.executable, "-c", ""]
SERVER: Final = [sys.executable, "-c", "import mcp.server.fastmcp"]
COMMANDS: Final = {
    "a plain program that does nothing": NOTHING,
    "relayscope-instrument alone": instrumented("bench", ["true"]),
    "a traced program that does nothing": instrumented("bench", NOTHING),
    "a plain program that imports FastMCP": SERVER,
    "a traced program that imports FastMCP": instrumented("bench", SERVER),
    "relayscope sql, but for the database": [str(SCRIPTS / "relayscope"), "sql", "--help"],
}
RESULTS: Final = Path(__file__).parent / "results"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Run a command; return the processor time that it and its children took."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(turns: int) -> list[str]:
    """The least time of each command in milliseconds, and how many plain programs that is."""
    with tempfile.TemporaryDirectory(prefix="rs-") as spools:
        # Nobody listens there, and no forwarder of the user's has to do with it.
        # Python finds the bytecode that pip leaves, here after the first turn.
        environment = host_environment(
            RELAYSCOPE_SPOOL_DIR=spools,
            RELAYSCOPE_QUIET="1",
            OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
        )
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(turns):
            for name, command in COMMANDS.items():
                taken[name].append(seconds(command, environment))
        end_forwarders(Path(spools))
    least = {name: min(found) for name, found in taken.items()}
    plain = least["a plain program that does nothing"]
    lines = ["| command | ms of processor time | plain programs |", "|---|---|---|"]
    for name, found in least.items():
        lines.append(f"| {name} | {found * 1e3:.0f} | {found / plain:.1f} |")
    return lines


def main() -> None:
    """Print the table, and record it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    lines = table(options.turns)
    print("\n".join(lines))
    if options.record:
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        head = (
            f"# Time to start, {day}\n\n`make bench-start`: the least of {options.turns} turns.\n"
        )
        (RESULTS / f"start-{day}.md").write_text("\n".join([head, *lines, ""]))


if __name__ == "__main__":
    main()
