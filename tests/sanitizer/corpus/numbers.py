"""Tables of numbers that are no payment cards, however many digits they have."""

import json
import math
import random
from collections.abc import Iterator
from typing import Any, Final

from tests.sanitizer.corpus.texts import Example

_ROWS: Final = 96
_SEED: Final = 17


def tables() -> list[Example]:
    """One table of each kind, in each way of writing a table."""
    return [
        Example("numbers", f"{name}, {style}", text)
        for name, rows in _rows().items()
        for style, text in _written(rows).items()
    ]


def _rows() -> dict[str, list[Any]]:
    """Columns of numbers by their kind; the same in every run."""
    chance = random.Random(_SEED)

    def many(make: Any) -> list[Any]:
        return [make() for _ in range(_ROWS)]

    return {
        "floats below 1": many(chance.random),
        "floats": many(lambda: chance.uniform(-1e4, 1e4)),
        "floats around pi": many(lambda: chance.gauss(math.pi, 1)),
        "embedding": many(lambda: chance.gauss(0, 0.05)),
        "latitudes and longitudes": many(
            lambda: [chance.uniform(-180, 180), chance.uniform(-90, 90)]
        ),
        "snowflakes": many(lambda: chance.getrandbits(41) << 22 | chance.getrandbits(22)),
        "ids of 16 digits": many(lambda: chance.randrange(4 * 10**15, 6 * 10**15)),
        "ids of 15 digits": many(lambda: chance.randrange(34 * 10**13, 38 * 10**13)),
        "ids of 19 digits": many(lambda: chance.randrange(4 * 10**18, 7 * 10**18)),
        "times in microseconds": many(lambda: chance.randrange(17 * 10**14, 18 * 10**14)),
        "times in nanoseconds": many(lambda: chance.randrange(17 * 10**17, 18 * 10**17)),
        "times of 14 digits": many(lambda: 20261128000000 + chance.randrange(240000)),
        "prices": many(lambda: round(chance.uniform(1, 9999), 2)),
        "small numbers": many(lambda: chance.randrange(10)),
        "years and counts": many(lambda: [chance.randrange(1990, 2030), chance.randrange(9999)]),
    }


def _written(rows: list[Any]) -> dict[str, str]:
    cells = [row if isinstance(row, list) else [row] for row in rows]
    return {
        "JSON": json.dumps(rows),
        "JSON objects": json.dumps([{"n": n, "value": row} for n, row in enumerate(rows)]),
        "CSV": "\n".join(",".join(map(str, row)) for row in cells),
        "words": "\n".join(" ".join(map(str, row)) for row in cells),
        "one line": " ".join(" ".join(map(str, row)) for row in cells),
        "psql": "\n".join(_psql(cells)),
    }


def _psql(cells: list[list[Any]]) -> Iterator[str]:
    yield " n | value "
    yield "---+-------"
    for number, row in enumerate(cells):
        yield f" {number} | {' | '.join(map(str, row))} "
