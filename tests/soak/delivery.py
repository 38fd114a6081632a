"""The rounds behind `make soak-delivery`: break the way from a host to the collector under load.

usage: python -m tests.soak.delivery SCENARIO [--rounds N]

The tests run a few rounds of each scenario, this program as many as asked. Prints a table: rounds,
emitted, stored, lost, twice, counted as dropped, slowest recovery. Ends with 1 if anything that was
emitted is lost without being counted, is there twice or changed.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fix_proxy import Proxy
from tests.soak import delivery_disk, delivery_faults, delivery_load, delivery_starts
from tests.soak.field import Field, own_field
from tests.soak.hosts import Hosts, Verdict

Scenario = Callable[[Field, Hosts, Proxy, int, random.Random], None]

SCENARIOS: dict[str, Scenario] = {
    "host-killed": delivery_faults.host_killed,
    "two-hosts-killed": delivery_faults.two_hosts_killed,
    "forwarder-killed": delivery_faults.forwarder_killed,
    "collector-killed": delivery_faults.collector_killed,
    "collector-away": delivery_faults.collector_away,
    "connection-cut": delivery_faults.connection_cut,
    "answer-lost": delivery_faults.answer_lost,
    "disk-full": delivery_disk.disk_full,
    "disk-read-only": delivery_disk.disk_read_only,
    "spool-damaged": delivery_disk.spool_damaged,
    "clock-jumps": delivery_load.clock_jumps,
    "fork-under-load": delivery_load.fork_under_load,
    "burst": delivery_load.burst,
    "large-bodies": delivery_load.large_bodies,
    "images": delivery_load.images,
    "thousand-spools": delivery_load.thousand_spools,
    "short-programs": delivery_starts.short_programs,
    "two-environments": delivery_starts.two_environments,
}

LOSSY = {"disk-full", "disk-read-only", "spool-damaged"}
"""Scenarios that lose the only copy of some records, or prevent it: these have to be counted."""


@dataclass
class Result:
    """Result of the rounds of a scenario."""

    verdict: Verdict
    recovered_in: float
    lossy: bool

    @property
    def is_good(self) -> bool:
        """True if everything that was emitted is stored once, or counted."""
        verdict = self.verdict
        allowed = verdict.counted if self.lossy else 0
        return (
            verdict.emitted > 0
            and bool(verdict.counted) is self.lossy
            and verdict.twice == verdict.changed == 0
            and verdict.lost <= allowed
            and verdict.missing <= allowed
        )


def play(ground: Field, scenario: str, rounds: int, seed: int) -> Result:
    """Run a scenario in a field, in which others may have been run before, with its collector."""
    if ground.collector is None:
        ground.start()
    with (
        tempfile.TemporaryDirectory(prefix="soak-spools-") as folder,
        Proxy(("127.0.0.1", int(ground.grpc.rsplit(":", 1)[1]))) as proxy,
    ):
        component = f"{scenario}-{secrets.token_hex(4)}"
        hosts = Hosts(component, Path(folder), f"http://127.0.0.1:{proxy.port}")
        with hosts.running():
            SCENARIOS[scenario](ground, hosts, proxy, rounds, random.Random(seed))
            recovered_in = hosts.settle()
            verdict = hosts.judge(ground.database_url)
    return Result(verdict, recovered_in, scenario in LOSSY)


def main() -> None:
    """Run scenarios for as many rounds as asked, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], default=[])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    print(
        f"{'scenario':<18} {'rounds':>6} {'emitted':>9} {'stored':>9} {'lost':>6} {'twice':>5} "
        f"{'counted':>8} {'recovered in':>12}"
    )
    bad = 0
    with own_field() as ground:
        for scenario in options.scenario or SCENARIOS:
            result = play(ground, scenario, options.rounds, options.seed)
            verdict = result.verdict
            print(
                f"{scenario:<18} {options.rounds:>6} {verdict.emitted:>9} {verdict.stored:>9} "
                f"{verdict.lost:>6} {verdict.twice:>5} {verdict.counted:>8} "
                f"{result.recovered_in:>10.2f} s" + ("" if result.is_good else f"  BAD {verdict}"),
                flush=True,
            )
            bad += not result.is_good
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
