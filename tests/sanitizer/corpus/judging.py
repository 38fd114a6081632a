"""Comparison of what the sanitizer does to the corpus with what it should do."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from relayscope.sanitizer import Sanitizer, Value
from tests.sanitizer.corpus import numbers, placements, texts
from tests.sanitizer.corpus.texts import Example
from tests.sanitizer.places import holds

_SHOWN: Final = 160


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of an example.

    Attributes:
        example: the example.
        right: True if it became what it should.
        shown: the start of a wrong result, for people.
    """

    example: Example
    right: bool
    shown: str = ""


def harmless() -> list[Example]:
    """Everything that must come back as it is."""
    return _with_values([*texts.harmless(), *numbers.tables()])


def secrets() -> list[Example]:
    """Everything that holds a secret."""
    return _with_values([*texts.secrets(), *placements.placements()])


def judged(sanitizer: Sanitizer, examples: Iterable[Example]) -> Iterator[Verdict]:
    """Sanitize each, and look at what came out."""
    for example in examples:
        cleaned = sanitizer.value(example.value)
        if example.secrets:
            left = [secret for secret in example.secrets if holds(cleaned, secret)]
            yield Verdict(example, not left, f"left: {', '.join(left)[:_SHOWN]}" if left else "")
        else:
            right = cleaned is example.value
            yield Verdict(example, right, "" if right else _difference(example.value, cleaned))


def failures(sanitizer: Sanitizer) -> list[Verdict]:
    """Every example that did not become what it should."""
    everything = judged(sanitizer, [*secrets(), *harmless()])
    return [verdict for verdict in everything if not verdict.right]


def _with_values(examples: list[Example]) -> list[Example]:
    """The same, and what is JSON once more as the value that a host hands over."""
    return [*examples, *(parsed for example in examples if (parsed := _parsed(example)))]


def _parsed(example: Example) -> Example | None:
    if not isinstance(example.value, str) or example.value[:1] not in {"{", "["}:
        return None
    try:
        value: Value = json.loads(example.value)
    except ValueError:
        return None
    return Example(example.kind, f"{example.name} (value)", value, example.secrets)


def _difference(before: Value, after: Value) -> str:
    """Return the place at which two texts part, with a little of what is around."""
    old, new = (each if isinstance(each, str) else repr(each) for each in (before, after))
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    shown = f"{old[max(0, start - 24) : start + 24]} -> {new[max(0, start - 24) : start + 48]}"
    return shown.replace("\n", "⏎")
