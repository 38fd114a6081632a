"""A search for the text that costs the sanitizer the most for each byte.

usage: python -m tests.bench.bench_sanitizer_worst [--seconds N] [--seed N] [--text FILE]

A hill climber: a text is a list of fragments that is repeated until it has 4, 30 or 250 kB, and a
change to the list stays if it makes the text dearer. Fragments are what the sanitizer looks at
(names, keywords, quotes, brackets, escapes, digits, marks of secrets), random bytes, and a number
that never comes twice, so that names can be made that nobody remembers. Where nothing helps for
long, it begins anew elsewhere. Every rule has been used before, because compiling its expression
takes milliseconds, once. Prints the worst that was found of each size, and the option that measures
it again. Ends with 1 if one takes more than 100 ns for each byte.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.samples import NAME_SAMPLES, PATTERN_SAMPLES

_BUDGET: Final = 100.0
"""ns for each byte."""

_SIZES: Final = (4_000, 30_000, 250_000)
_LONGEST: Final = 60
"""Fragments in a list."""

_PATIENCE: Final = 400
"""Changes without a gain, after which it begins anew."""

_AGAIN: Final = 5
"""Measurements of what seems to be worse; the cheapest counts, so that no disturbance is found."""

NUMBER: Final = "<number>"
"""The fragment that is a number of its own in each repetition."""

_NAMES: Final[list[str]] = re.findall(
    r"\S+",
    "password passwd pwd secret token api_key apiKey access_token refresh_token client_secret "
    "private_key authorization Authorization cookie Set-Cookie session sessionId credential auth "
    "bearer Bearer Basic signature connection_string DB_PASSWORD AWS_SECRET_ACCESS_KEY x-api-key "
    "nextCursor progressToken max_tokens name value key header label text properties rows columns",
)
_MARKS: Final[list[str]] = re.findall(
    r"\S+",
    "ghp_ sk- sk-ant- sk_live_ AKIA xoxb- glpat- hf_ npm_ AIza eyJ eyJhbGciOi -----BEGIN "
    "-----END PRIVATE KEY----- postgres:// https:// user: :pw@ data:image/png;base64, ;base64, "
    "AAAA //// ==== [REDACTED] [BINARY: 4111111111111111 4111 5500 0000 2026-11-28T13:00:00Z "
    "127.0.0.1 --password --token= -p ?token= &sig= export ENV setenv curl -H -u os.environ[",
)
_SIGNS: Final[list[str]] = [
    *"\"'`{}[]()<>:;,=|&?#@%$\\/-_.+*!~^ \n\t\r0123456789aAzZ",
    *(
        '\\"',
        "\\\\",
        '\\\\"',
        "\\\\\\\\",
        "\\n",
        "\\u0022",
        "\\u00e9",
        "\\ud83d",
        "%22",
        "%3D",
        "%",
    ),
    *('":"', '": "', '","', '{"', '"}', "[[", "]]", "{{", "}}", "=>", ":=", "==", "${{", "<!--"),
    *("é", "密码", "🔑", "\u2028", "\u0000", "\ufeff", "\u017f", "\u212a", "\uff11"),
]
_WRAPS: Final = (
    ("", ""),
    ('"', '"'),
    ('{"text":"', '"}'),
    ('{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"', '"}]}}'),
    ('{"jsonrpc":"2.0","id":1,"result":{"rows":[', '],"token":"abc"}}'),
    ("password=abc\n", ""),
    # Every rule has something to look at.
    ("\n".join([*(sample.text for sample in PATTERN_SAMPLES), ""]), ""),
)


@dataclass
class Candidate:
    """A text, as it is looked for.

    Attributes:
        head: Before the repetitions.
        fragments: The texts to repeat.
        tail: After the repetitions.
    """

    fragments: list[str]
    head: str = ""
    tail: str = ""

    def text(self, size: int, numbers: Iterator[int]) -> str:
        """Repeat the fragments until there are so many bytes."""
        room = size - len(self.head) - len(self.tail)
        parts = []
        for number in numbers:
            if room <= 0:
                break
            part = "".join(self.fragments).replace(NUMBER, str(number)) or " "
            parts.append(part)
            room -= len(part.encode())
        return f"{self.head}{''.join(parts)}{self.tail}"

    def changed(self, chance: Random) -> "Candidate":
        """Return another one that differs in one to four places."""
        fragments, head, tail = list(self.fragments), self.head, self.tail
        for _ in range(chance.randint(1, 4)):
            at = chance.randint(0, len(fragments))
            match chance.randrange(7):
                case 0 | 1:
                    fragments.insert(at, fragment(chance))
                case 2:
                    del fragments[at : at + chance.randint(1, 3)]
                case 3:
                    fragments[at : at + 1] = [fragment(chance)]
                case 4:
                    fragments[at:at] = fragments[at : at + 4] * chance.randint(1, 4)
                case 5:
                    chance.shuffle(fragments)
                case _:
                    head, tail = chance.choice(_WRAPS)
        return Candidate(fragments[:_LONGEST], head, tail)


def fragment(chance: Random) -> str:
    """Choose a fragment."""
    match chance.randrange(6):
        case 0:
            return chance.choice(_NAMES)
        case 1:
            return chance.choice(_MARKS)
        case 2:
            return NUMBER
        case 3:
            return chance.randbytes(chance.randint(1, 12)).decode("latin-1")
        case _:
            return chance.choice(_SIGNS)


def used_before() -> Sanitizer:
    """A sanitizer that has found a secret by each of its rules."""
    sanitizer = Sanitizer.default()
    for sample in PATTERN_SAMPLES:
        sanitizer.text(sample.text)
    for _, name in NAME_SAMPLES:
        sanitizer.text(f'{name}=a1b2c3 {{"{name}": "a1b2c3"}}')
    return sanitizer


@dataclass
class Search:
    """Looks for the worst text of one size."""

    chance: Random
    size: int
    sanitizer: Sanitizer = field(default_factory=used_before)
    numbers: Iterator[int] = field(default_factory=count)
    worst: Candidate = field(default_factory=lambda: Candidate([]))
    cost: float = 0.0
    """ns for each byte of the worst one."""
    tried: int = 0

    def go_on_until(self, end: float) -> None:
        """Climb one hill after the other."""
        while time.monotonic() < end:
            self._climb(end)

    def _climb(self, end: float) -> None:
        here = Candidate([fragment(self.chance) for _ in range(self.chance.randint(1, 12))])
        height, waited = self.least(here), 0
        while time.monotonic() < end and waited < _PATIENCE:
            there = here.changed(self.chance)
            waited += 1
            self.tried += 1
            cost = self.measure(there)
            if cost > height:
                # Once could be chance.
                cost = min(cost, self.least(there))
            if cost > height:
                here, height, waited = there, cost, 0
            if height > self.cost:
                self.worst, self.cost = here, height

    def least(self, candidate: Candidate) -> float:
        """Measure several times, of which the least counts."""
        return min(self.measure(candidate) for _ in range(_AGAIN))

    def measure(self, candidate: Candidate) -> float:
        """Measure ns for each byte."""
        text = candidate.text(self.size, self.numbers)
        size = len(text.encode("utf-8", "surrogatepass"))
        began = time.thread_time_ns()
        self.sanitizer.text(text)
        return (time.thread_time_ns() - began) / size


def main() -> None:
    """Search, or measure one text again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--text", help="a file that a search has written, to measure it again")
    options = parser.parse_args()
    missed = False
    for size in _SIZES:
        search = Search(Random(options.seed), size)
        if options.text:
            search.worst = Candidate(**json.loads(Path(options.text).read_text()))
            search.cost = search.least(search.worst)
        else:
            search.go_on_until(time.monotonic() + options.seconds / len(_SIZES))
            print(
                f"seed {options.seed}, {options.seconds / len(_SIZES):g} s, {search.tried:,} texts"
            )
        print(f"{size:,} B: worst {search.cost:,.1f} ns for each byte, budget {_BUDGET:g}")
        print(f"begins with {search.worst.text(size, search.numbers)[:200]!r}")
        print(f"again: --text FILE, with this in it: {json.dumps(vars(search.worst))}\n")
        missed = missed or search.cost > _BUDGET
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
