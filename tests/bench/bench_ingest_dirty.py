"""Cost of secrets for the collector: its rate with dirty log records, and with clean ones.

usage: python -m tests.bench.bench_ingest_dirty [SECONDS] [ROUNDS]

As `bench_ingest`, with one worker. A dirty record has a secret or a sensitive name in its body.
Ends with 1 if a budget is missed.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from relayscope.collector.signals import LOGS
from relayscope.storage import EmbeddedServer
from tests.bench.bench_ingest import ROUNDS, Run, database, row, run
from tests.bench.load import ITEMS
from tests.bench.record import BODIES, PLAIN

_BUDGETS: Final = {0.0: 0.0, 0.1: 0.8, 1.0: 0.5}
"""By the share of dirty records: of the clean rate, at least so much."""

_DIRTY: Final = [body for name, body in BODIES.items() if not name.startswith("no secret")]


def bodies(share: float) -> list[str]:
    """The bodies of a request: this share has a secret, evenly among the clean ones."""
    chosen = []
    dirty = 0
    for number in range(ITEMS):
        body = PLAIN
        if (number + 1) * share >= dirty + 1:
            body = _DIRTY[dirty % len(_DIRTY)]
            dirty += 1
        # Short texts are remembered, so that no two are the same.
        chosen.append(body.replace("Berlin", f"Berlin-{number}"))
    return chosen


def measure(server_url: str, folder: Path, seconds: float) -> dict[float, Run]:
    """One round: each share, right after the other."""
    runs = {}
    for share in _BUDGETS:
        with database(server_url) as url:
            runs[share] = run(url, folder, LOGS, 1, seconds, bodies(share))
    return runs


def main() -> None:
    """Measure, print the table, and say which budgets are missed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    times = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    print("\nlog records with a secret or a sensitive name, 1 worker:\n")
    row("dirty", "items/s", "of clean", "(range)", "CPU µs")
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
    ):
        rounds = [measure(server.url, Path(folder), seconds) for _ in range(times)]
    missed = []
    for share, budget in _BUDGETS.items():
        ratios = sorted(runs[share].per_second / runs[0.0].per_second for runs in rounds)
        row(
            f"{share:.0%}",
            f"{median(runs[share].per_second for runs in rounds):,.0f}",
            f"{median(ratios):.2f}",
            f"{ratios[0]:.2f}-{ratios[-1]:.2f}",
            f"{median(runs[share].collector_us for runs in rounds):.1f}",
        )
        if median(ratios) < budget:
            missed.append(
                f"{share:.0%} dirty: {median(ratios):.2f} of the clean rate, not {budget}"
            )
    for each in missed:
        print(f"missed: {each}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
