"""Means with which one text is searched, and with which what is hidden in it."""

from collections.abc import Callable
from typing import NamedTuple

from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.findings import Finding
from relayscope.sanitizer.model import PatternRule
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.rules.replacements import Replacements
from relayscope.sanitizer.suspicion.suspicion import Suspicion


class Means(NamedTuple):
    """Means with which a text is searched.

    Attributes:
        rules: the pattern rules.
        names: knows which names are sensitive.
        replacements: makes findings.
        limit: findings that one text may have.
        suspects: returns the possible contents of another text; None if it can hold no secret.
    """

    rules: tuple[PatternRule, ...]
    names: Names
    replacements: Replacements
    limit: int
    suspects: Callable[[str], Suspicion | None]


class Inside(NamedTuple):
    """Searches what is hidden in a text.

    Attributes:
        text: finds the secrets in any text that is hidden in it.
        known: the same for one of which it is known what could be in it.
        levels: number of levels of texts that may be hidden.
        allowance: the work that may be done, in all of them together.
    """

    text: Callable[[str], list[Finding]]
    known: Callable[[str, Suspicion], list[Finding]]
    levels: int
    allowance: Allowance
