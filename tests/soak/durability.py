"""The rounds behind `make soak`: break things under load, and count what was lost.

usage: python -m tests.soak.durability SCENARIO [--rounds N]

The tests run a few rounds of each scenario, this program as many as asked. Prints a table: rounds,
acknowledged, stored, lost, twice, requests, slowest recovery. Ends with 1 if anything that was
acknowledged was lost, is there twice or changed, or if nothing was acknowledged at all.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.fix_oracle import Oracle, Verdict
from tests.soak import damaged, full, growth, killed, outages, overload, repeats
from tests.soak.field import Field, forget, judge, own_field, wait_until_alive

Scenario = Callable[[Field, Oracle, int, random.Random], float]

SCENARIOS: dict[str, Scenario] = {
    "collector-killed": killed.collector_killed,
    "database-killed": killed.database_killed,
    "both-killed": killed.both_killed,
    "stopped-gracefully": killed.stopped_gracefully,
    "database-away": outages.database_away,
    "database-away-for-long": outages.database_away_for_long,
    "database-away-a-minute": outages.database_away_a_minute,
    "database-hangs": outages.database_hangs,
    "spool-full": full.spool_full,
    "disk-full": full.disk_full,
    "spool-damaged": damaged.spool_damaged,
    "both-copies-at-once": repeats.both_copies_at_once,
    "poison-rows": repeats.poison_rows,
    "overload": overload.overload,
    "names-without-end": growth.names_without_end,
    "spans-without-end": growth.spans_without_end,
}


@dataclass
class Result:
    """Result of the rounds of a scenario.

    Attributes:
        verdict: The database compared with what was acknowledged.
        requests: Requests that were sent, again or for the first time.
        recovered_in: Seconds until everything was stored again, at worst.
    """

    verdict: Verdict
    requests: int
    recovered_in: float

    @property
    def is_good(self) -> bool:
        """True if records were acknowledged, and each of them is stored once and unchanged."""
        verdict = self.verdict
        wrong = verdict.lost + verdict.twice + verdict.foreign + verdict.changed
        return verdict.acknowledged > 0 and wrong == 0


def play(ground: Field, scenario: str, rounds: int, seed: int) -> Result:
    """Run a scenario in a field, in which others may have been run before.

    That they have left a field in which records are taken is seen by the next, which needs it;
    who plays no other looks for himself with `check_that_it_lives`.
    """
    forget(ground)
    oracle = Oracle(issued=ground.issued)
    slowest = SCENARIOS[scenario](ground, oracle, rounds, random.Random(seed))
    if oracle.refusals:
        raise AssertionError(f"good requests were refused for good: {oracle.refusals[:3]}")
    return Result(judge(ground, oracle), oracle.attempts.total(), slowest)


def check_that_it_lives(ground: Field) -> None:
    """Start a collector on what scenarios have left, and wait until a record comes through."""
    with ground.running():
        ground.start()
        wait_until_alive(ground, Oracle(issued=ground.issued))


def main() -> None:
    """Run scenarios for as many rounds as asked, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], default=[])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    print(
        f"{'scenario':<20} {'rounds':>6} {'acknowledged':>12} {'stored':>9} {'lost':>5} "
        f"{'twice':>5} {'requests':>9} {'recovered in':>12}"
    )
    bad = 0
    for scenario in options.scenario or SCENARIOS:
        with own_field() as ground:
            result = play(ground, scenario, options.rounds, options.seed)
            check_that_it_lives(ground)
        verdict = result.verdict
        print(
            f"{scenario:<20} {options.rounds:>6} {verdict.acknowledged:>12} {verdict.stored:>9} "
            f"{verdict.lost:>5} {verdict.twice:>5} {result.requests:>9} "
            f"{result.recovered_in:>10.2f} s",
            flush=True,
        )
        bad += not result.is_good
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
