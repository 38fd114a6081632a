"""Cost of capture at TRACE for a relay whose tools answer with images, source files and rows.

usage: python -m tests.bench.bench_contents [--calls N] [--turns N]

As `bench_overhead`: a client calls a backend through a relay, and the variants take turns. Printed
for each content: the plain round trip's median, what the bare SDK and TRACE add to it and to the
CPU time of the relay's process, and TRACE as a multiple of the bare SDK. Ends with 1 if a budget is
missed.
"""

import argparse
import asyncio
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from random import Random
from typing import Final, NamedTuple

from tests.bench.bench_overhead import PLAIN, Relay, backend, command_of, running, take_turn
from tests.bench.text_kinds import KINDS

_VARIANTS: Final = (PLAIN, "bare", "TRACE")
_ANSWERS: Final = 5
"""Different ones of each content, that take turns, with a number of their own each."""

_TIMES_BARE: Final = 1.5
_SHARE: Final = 0.2
"""Of the call's time, where it answers with an image."""


class Content(NamedTuple):
    """One thing that a tool answers with."""

    name: str
    kind: str
    size: int
    secret: bool = False

    def answers(self) -> Iterator[str]:
        """Yield messages with it, each another: what a relay has passed on before costs less."""
        kind = KINDS[self.kind]
        made = [
            kind.text(Random(number), self.size, secret=self.secret) for number in range(_ANSWERS)
        ]
        for number in count():
            text = made[number % _ANSWERS].removesuffix("}}")
            yield f'{text}, "_meta": {{"number": {number}}}}}}}'


CONTENTS: Final = (
    # A third of base64 is overhead.
    Content("image of 100 kB", "image", 133_000),
    Content("image of 1 MB", "image", 1_333_000),
    Content("source file of 50 kB", "Python source", 50_000),
    Content("rows of 40 kB, a token", "JSON rows", 40_000, secret=True),
)


async def measure(content: Content, calls: int, turns: int) -> dict[str, Relay]:
    """Drive all variants in turns."""
    with ExitStack() as stack:
        async with backend(content.answers()) as port:
            relays = {
                name: stack.enter_context(running(command_of(name, port), os.environ))
                for name in _VARIANTS
            }
            # The first turn warms up.
            for turn in range(turns + 1):
                for each in relays.values():
                    await take_turn(each, calls, counts=turn > 0)
            return relays


def judge(content: Content, relays: dict[str, Relay]) -> list[str]:
    """Print a line of the table, and return what is missed."""
    p50 = {name: statistics.median(each.round_trips) / 1e3 for name, each in relays.items()}
    cpu = {name: statistics.median(each.cpu) / 1e3 for name, each in relays.items()}
    times = (cpu["TRACE"] - cpu[PLAIN]) / (cpu["bare"] - cpu[PLAIN])
    share = (p50["TRACE"] - p50[PLAIN]) / p50[PLAIN]
    print(
        f"{content.name:<24}{p50[PLAIN]:10,.0f} | {p50['bare'] - p50[PLAIN]:10,.0f}"
        f"{p50['TRACE'] - p50[PLAIN]:10,.0f}{share:8.0%} | {cpu['bare'] - cpu[PLAIN]:10,.0f}"
        f"{cpu['TRACE'] - cpu[PLAIN]:10,.0f}{times:8.2f}",
        flush=True,
    )
    missed = []
    if cpu["bare"] <= cpu[PLAIN]:
        missed.append(f"{content.name}: what the bare SDK adds is lost in noise; take more turns")
    if times > _TIMES_BARE:
        missed.append(f"{content.name}: {times:,.2f} x the bare SDK, not {_TIMES_BARE}")
    if content.kind == "image" and share > _SHARE:
        missed.append(f"{content.name}: {share:.0%} of the call, not {_SHARE:.0%}")
    return missed


def main() -> None:
    """Measure, print a table, and say which budgets are missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--turns", type=int, default=8)
    options = parser.parse_args()
    print(f"{options.turns} turns of {options.calls} calls; microseconds")
    print(
        f"{'a call that answers with':<24}{'p50':>10} | {'bare adds':>10}{'TRACE':>10}{'share':>8}"
        f" | {'bare CPU':>10}{'TRACE':>10}{'x bare':>8}"
    )
    missed: list[str] = []
    for content in CONTENTS:
        relays = asyncio.run(measure(content, options.calls, options.turns))
        missed += judge(content, relays)
    for each in missed:
        print(f"missed: {each}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
