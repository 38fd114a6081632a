"""Cost of sanitizing, by kind of text and by size: CPU of this thread, beside `orjson.loads`.

usage: python -m tests.bench.bench_sanitizer [KIND ...] [--sizes KB ...] [--seconds N] [--seed N]

No text comes twice: the sanitizer remembers short ones. Printed for each kind and size: µs, ns for
each byte, and µs of `orjson.loads`; then the median and the worst of all kinds. Ends with 1 if a
budget is missed.
"""

import argparse
import itertools
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

import orjson

from relayscope.sanitizer import Sanitizer
from tests.bench.text_kinds import KINDS

SIZES: Final = (0.3, 3.0, 30.0, 250.0)
"""In kB."""

_LARGE: Final = 30.0
_SLOWEST: Final = 25.0
"""ns for each byte of a large text."""

_BATCH_BYTES: Final = 20_000
"""Together in one measurement, so that the clock is no part of it."""

_SEVERAL: Final = 3


class Special(NamedTuple):
    """One text that has a budget of its own."""

    name: str
    kind: str
    kilobytes: float
    secret: bool
    budget: float
    """In µs."""


SPECIAL: Final = (
    Special("an image of 133 kB", "image", 133.0, secret=False, budget=1500.0),
    Special("41 kB of rows with a token", "JSON rows", 41.0, secret=True, budget=1000.0),
    Special("300 B with a sensitive name", "calls with arguments", 0.3, secret=True, budget=25.0),
    # What it was before texts of all kinds were measured.
    Special("300 B, clean", "calls with arguments", 0.3, secret=False, budget=4.0),
)


class Cost(NamedTuple):
    """Cost of a text.

    Attributes:
        sanitizing: µs.
        parsing: µs of `orjson.loads`.
        per_byte: ns.
    """

    sanitizing: float
    parsing: float
    per_byte: float


def main() -> None:
    """Measure, print the tables, and say which budgets are missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", nargs="*", choices=[*KINDS, []], default=[])
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each text and size")
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    kinds, sizes = options.kind or list(KINDS), options.sizes
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, Python {platform.python_version()}")
    print("µs; ns for each byte; µs of orjson.loads")
    measure = Measurement(options.seconds, options.seed).cost
    missed: list[str] = []
    for secret in (False, True):
        title = "with one secret" if secret else "clean"
        print(f"\n{title:<24}" + "".join(f"{f'{size:g} kB':^28}" for size in sizes))
        table = {}
        for kind in kinds:
            costs = [measure(kind, size, secret=secret) for size in sizes]
            _row(kind, costs)
            table[kind] = costs
        for name, choose in (("median", statistics.median_low), ("worst", max)):
            _row(name, [_chosen(column, choose) for column in zip(*table.values(), strict=True)])
        missed += _too_slow(table, sizes, title)
    print()
    for special in SPECIAL:
        took = measure(special.kind, special.kilobytes, secret=special.secret).sanitizing
        print(f"{special.name:<32}{took:10.1f} µs, budget {special.budget:,.0f}")
        if took > special.budget:
            missed.append(f"{special.name}: {took:,.1f} µs, not {special.budget:,.0f}")
    for each in missed:
        print(f"missed: {each}")
    sys.exit(1 if missed else 0)


class Measurement:
    """Measures with one sanitizer, for so many seconds each, with texts of a seed."""

    def __init__(self, seconds: float, seed: int) -> None:
        self._sanitizer = Sanitizer.default()
        self._seconds = seconds
        self._seed = seed

    def cost(self, kind: str, kilobytes: float, *, secret: bool) -> Cost:
        """Measure the cost of a text of this kind and size: the median of several batches."""
        size = int(kilobytes * 1000)
        sanitizing, parsing, per_byte = [], [], []
        spent = 0.0
        for number, texts in enumerate(self._batches(kind, size, secret=secret)):
            took = _seconds(self._sanitizer.text, texts)
            spent += took
            # The first one warms up, unless it takes all the time.
            if number or spent > self._seconds:
                sanitizing.append(took / len(texts) * 1e6)
                parsing.append(_seconds(orjson.loads, texts) / len(texts) * 1e6)
                per_byte.append(took / sum(len(text.encode()) for text in texts) * 1e9)
            if spent > self._seconds or len(sanitizing) == _SEVERAL**2:
                break
        return Cost(*map(statistics.median, (sanitizing, parsing, per_byte)))

    def _batches(self, kind: str, size: int, *, secret: bool) -> Iterator[list[str]]:
        count = max(1, _BATCH_BYTES // size)
        for number in itertools.count():
            chance = Random(f"{self._seed} {kind} {size} {secret} {number}")
            yield [KINDS[kind].text(chance, size, secret=secret) for _ in range(count)]


def _seconds(work: Callable[[str], object], texts: Sequence[str]) -> float:
    began = time.thread_time_ns()
    for text in texts:
        work(text)
    return (time.thread_time_ns() - began) / 1e9


def _chosen(column: Sequence[Cost], choose: Callable[[list[float]], float]) -> Cost:
    return Cost(*(choose(list(figures)) for figures in zip(*column, strict=True)))


def _too_slow(table: dict[str, list[Cost]], sizes: Sequence[float], title: str) -> Iterator[str]:
    for kind, costs in table.items():
        for size, cost in zip(sizes, costs, strict=True):
            if size >= _LARGE and cost.per_byte > _SLOWEST:
                yield (
                    f"{kind}, {title}, {size:g} kB: {cost.per_byte:,.0f} ns for each byte, "
                    f"not {_SLOWEST:g}"
                )


def _row(name: str, costs: Sequence[Cost]) -> None:
    cells = (
        f"{cost.sanitizing:11,.1f}{cost.per_byte:8,.1f}{cost.parsing:8,.1f} " for cost in costs
    )
    print(f"{name:<24}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
