"""Cost of sanitizing a record, step by step: µs of this thread's CPU.

    python -m tests.bench.bench_sanitizer_steps

Ratios travel between machines, absolute times do not: the last rows are something to compare with.
"""

import json
import platform
import time
from collections.abc import Callable
from typing import Any, Final

import orjson

from relayscope.sanitizer import Rules, Sanitizer
from tests.bench.record import ATTRIBUTES, BODIES, PLAIN

_ROUNDS: Final = 15
_TIMES: Final = 2000

STEPS: Final = {
    "none": [],
    "normalize": ["normalize"],
    "keys": ["normalize", "keys", "allow"],
    "patterns": ["normalize", "patterns", "allow"],
    "all": ["normalize", "keys", "patterns", "allow", "truncate"],
}


def main() -> None:
    """Measure, and print the tables."""
    print(f"{platform.machine()}, Python {platform.python_version()}; body {len(PLAIN)} B\n")
    sanitizers = {
        name: Sanitizer.from_rules(Rules.from_mapping({"steps": steps}))
        for name, steps in STEPS.items()
    }
    print("record(attributes, body), µs:\n")
    _row("steps", STEPS)
    for kind, body in BODIES.items():
        costs = (
            _cost(lambda: each.record(ATTRIBUTES, body))  # noqa: B023 - called at once.
            for each in sanitizers.values()
        )
        _row(kind, [f"{cost:.2f}" for cost in costs])
    everything = sanitizers["all"]
    parts: dict[str, Callable[[], object]] = {
        "record(attributes, body)": lambda: everything.record(ATTRIBUTES, PLAIN),
        "attributes(attributes)": lambda: everything.attributes(ATTRIBUTES),
        "text(body)": lambda: everything.text(PLAIN),
        "to compare: json.loads(body)": lambda: json.loads(PLAIN),
        "to compare: orjson.loads(body)": lambda: orjson.loads(PLAIN),
    }
    print("\nno secret, all steps, µs:\n")
    for name, work in parts.items():
        _row(name, [f"{_cost(work):.2f}"])


def _cost(work: Callable[[], object]) -> float:
    """µs of this thread's CPU for one time, at best of several rounds."""
    work()
    rounds = []
    for _ in range(_ROUNDS):
        start = time.thread_time_ns()
        for _ in range(_TIMES):
            work()
        rounds.append(time.thread_time_ns() - start)
    return min(rounds) / _TIMES / 1000


def _row(name: str, cells: Any) -> None:
    print(f"{name:32}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
