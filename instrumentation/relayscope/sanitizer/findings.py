"""Findings of a step in a text, and the new text that they make.

A step never changes a text. It says which characters are a secret and what shall stand there
instead; one function then splices all findings into the text at once, so that every other
character stays as it was.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

from .model import Step

Value: TypeAlias = str | bool | int | float | bytes | list["Value"] | dict[str, "Value"] | None
"""An OpenTelemetry AnyValue in plain Python."""

FILL: Final = "\ue000"
"""Stands for a character that was sanitized before, while steps look at a text.

Private use: no rule's pattern names it, it is no letter, no space and no quote.
"""

_MARKER = re.compile(
    r"\[(?:REDACTED|DROPPED):[a-z0-9-]{1,64}\]"
    r"|\[HASHED:[a-z0-9-]{1,64}:[A-Za-z0-9_-]{1,32}\.[0-9a-f]{16}\]"
    r"|\[TRUNCATED:[0-9]{1,20}\]"
    r"|\[BINARY:[a-z0-9.+/-]{1,64}:[0-9]{1,20}:[0-9a-f]{16}(?::[0-9]{1,5}x[0-9]{1,5})?\]"
)
_LONGEST: Final = 128
"""Characters that a marker has at most."""


class Finding(NamedTuple):
    """A stretch of a text that must go.

    Attributes:
        start: first character of it.
        end: first character after it.
        replacement: text to put there.
        rule: name of the rule that found it.
        step: the step that looked.
        size: characters of the secret itself, decoded.
    """

    start: int
    end: int
    replacement: str
    rule: str
    step: Step
    size: int

    def moved(self, start: int, end: int, replacement: str) -> "Finding":
        """Return the finding in the coordinates and the spelling of the text around."""
        return Finding(start, end, replacement, self.rule, self.step, self.size)


_FINDING: Final = 4
"""Work for a finding."""


class TooManyFindings(Exception):
    """One text has more secrets than the limits allow, or takes more work than it may."""


class Findings:
    """Findings in one text, up to a limit: hostile text could have millions.

    Args:
        limit: their number.
        spend: takes the work for one off what may be done.
        known: some that were found before.
    """

    def __init__(
        self, limit: int, spend: Callable[[int], None], known: Iterable[Finding] = ()
    ) -> None:
        self._limit = limit
        self._spend = spend
        self._findings: list[Finding] = [*known]

    def add(self, finding: Finding) -> None:
        """Add one.

        Raises:
            TooManyFindings: it is one too many.
        """
        if len(self._findings) >= self._limit:
            raise TooManyFindings
        self._spend(_FINDING)
        self._findings.append(finding)

    def merged(self) -> list[Finding]:
        """Return the findings in order; those that overlap become one, as the first has it."""
        apart: list[Finding] = []
        for finding in sorted(self._findings, key=lambda one: (one.start, -one.end)):
            if apart and finding.start < apart[-1].end:
                last = apart[-1]
                if finding.end > last.end:
                    apart[-1] = last.moved(last.start, finding.end, last.replacement)
            else:
                apart.append(finding)
        return apart


class Explanation(NamedTuple):
    """One change to a sample, without the secret: see `Sanitizer.explain`."""

    step: str
    rule: str
    path: str
    before: str
    after: str


def masked(text: str) -> str:
    """The text with every marker of an earlier run made invisible to the steps, same length."""
    # A look for each kind of marker by itself takes five times as long on ordinary text.
    if not has_marker(text):
        return text
    return _MARKER.sub(lambda marker: FILL * len(marker[0]), text)


def has_marker(text: str) -> bool:
    """Return whether an earlier run has left a marker in a text."""
    # Looking for the sign takes 0.02 ns for each character, the expression 0.6: an image is in
    # brackets, and has none.
    first = text.find("[")
    return first >= 0 and _MARKER.search(text, first, text.rfind("[") + _LONGEST) is not None


def marker_around(text: str, index: int) -> int:
    """Return the start of the marker that `index` would cut in two; `index` if it cuts none."""
    start = text.rfind("[", max(0, index - _LONGEST), index)
    marker = _MARKER.match(text, start) if start >= 0 else None
    return start if marker and marker.end() > index else index


def spliced(text: str, findings: Iterable[Finding]) -> str:
    """The text with each finding replaced. The findings must be in order and apart."""
    pieces: list[str] = []
    position = 0
    for finding in findings:
        pieces += (text[position : finding.start], finding.replacement)
        position = finding.end
    pieces.append(text[position:])
    return "".join(pieces)
