"""Finds where a secret stands again without a name: what was created, and how it is used."""

from collections.abc import Iterator
from typing import Final

from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.findings import Finding, Findings
from relayscope.sanitizer.values import harmless

_LONG: Final = 16
_LONGEST: Final = 256
"""Characters of a secret that is looked for. A shorter one could be a part of something else."""

_MOST: Final = 8
"""Secrets of a text that are looked for: each is a pass through the text."""

_CORRELATED: Final = "session-id"
"""The rule whose secrets also stand where they may be read, as MCP's ids of sessions do."""


def with_repetitions(
    text: str, findings: list[Finding], limit: int, allowance: Allowance
) -> list[Finding]:
    """The findings of a text, and all other places of their secrets, in order and apart.

    Args:
        text: the text.
        findings: those in it, in order and apart.
        limit: the number of findings that it may have.
        allowance: the work that is left.

    Raises:
        TooManyFindings: it has more, or that takes more work.
    """
    again = None
    for finding in findings[:_MOST]:
        start, end = finding.start, finding.end
        if not _LONG <= end - start <= _LONGEST or text.count(secret := text[start:end]) == 1:
            continue
        allowance.read_through(text)
        if finding.rule == _CORRELATED or not harmless.is_random(secret):
            continue
        again = again or Findings(limit, allowance.spend, findings)
        for place in _places(text, secret):
            again.add(finding.moved(place, place + len(secret), finding.replacement))
    return again.merged() if again else findings


def _places(text: str, secret: str) -> Iterator[int]:
    """Yield where a secret stands, and no part of a longer word."""
    at = text.find(secret)
    while at >= 0:
        end = at + len(secret)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            yield at
        at = text.find(secret, end)
