"""The one door to this package: `Sanitizer`."""

import sys
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from relayscope.sanitizer.cleaning.binary import SOON, marked
from relayscope.sanitizer.cleaning.cleaning import Cleaning
from relayscope.sanitizer.cleaning.known_messages import LONG
from relayscope.sanitizer.cleaning.leaves import Found, Leaves
from relayscope.sanitizer.cleaning.scanner import BINARY, Scanner
from relayscope.sanitizer.json.path import path_within
from relayscope.sanitizer.rules.replacements import FAILED, dropped
from relayscope.sanitizer.rules.rules import Rules

from .findings import Explanation, Value
from .first_look import FirstLook
from .fork import searching
from .model import Step

NORMALIZED: Final = "relayscope.normalized"
"""The attribute that names what was made storable: `nul`, `surrogate`, `not-finite`,
`big-integer`."""

TRUNCATED: Final = "truncated"
"""Among the hits: how many texts and names were cut."""


DEAR: Final = 2000
"""Microseconds up to which a host's own thread may clean a text."""


class Sanitizer:
    """Takes secrets out of telemetry before it is written anywhere.

    Built once and shared between threads; all it keeps of what it has seen is the number of hits
    and a few thousand harmless names. No method raises: a value on which a step fails becomes
    `[DROPPED:sanitizer-error]`. Where nothing has to change, the same object comes back.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._scanner = Scanner(rules)
        self._first_look = FirstLook(rules, self._scanner)
        self._hits: Counter[str] = Counter()
        self._lock = threading.Lock()

    @classmethod
    def default(cls) -> "Sanitizer":
        """A sanitizer with the default rules."""
        return cls(Rules.default())

    @classmethod
    def from_rules(cls, rules: Rules) -> "Sanitizer":
        """A sanitizer with a user's rules.

        Raises:
            RulesError: the patterns are too large together.
        """
        return cls(rules)

    def text(self, text: str) -> str:
        """Sanitize a name, a body or a status message, with the JSON in it."""
        cleaned = self.value(text)
        return cleaned if isinstance(cleaned, str) else dropped(FAILED)

    def value(self, value: Value) -> Value:
        """Sanitize a body of any kind."""
        return self.record({}, value)[1]

    def attributes(self, attributes: dict[str, Value]) -> dict[str, Value]:
        """Sanitize names and values, at any depth."""
        return attributes if self._passes(attributes, None) else self.record(attributes, None)[0]

    def record(self, attributes: dict[str, Value], body: Value) -> tuple[dict[str, Value], Value]:
        """Sanitize a record's attributes and body at once, with one search for all its texts.

        If something in either had to be made storable, the new attributes say so under
        `NORMALIZED`.
        """
        if self._passes(attributes, body):
            return attributes, body
        with searching.lock:
            return self._cleaned(attributes, body)

    def records(
        self, records: Sequence[tuple[dict[str, Value], Value]]
    ) -> Sequence[tuple[dict[str, Value], Value]]:
        """Sanitize several records, each on its own, in the same order.

        If none of them holds anything suspicious, one search tells so for all. Give it a handful:
        one search costs 2 µs and 1.3 µs per record of 480 bytes, so that eight together take 1.6
        instead of 3.3 µs each. Where a suspicious one could be any of them, each is looked at once
        more.
        """
        suspects = self._suspects(records)
        if not suspects:
            return records
        return [
            self.record(*record) if index in suspects else record
            for index, record in enumerate(records)
        ]

    def is_dear(self, text: str) -> bool:
        """Return whether cleaning a text may take more than 2 ms, which a short text never does."""
        return len(text) > LONG and self.effort(text) > DEAR

    def effort(self, text: str) -> int:
        """Return the microseconds that cleaning a text takes, roughly; more rather than less.

        To say so takes as long as a clean text does, and 2 ms for names.
        """
        try:
            with searching.lock:
                return self._scanner.effort(text)
        except UnicodeEncodeError:
            return sys.maxsize

    def may_hold_binary(self, text: str) -> bool:
        """Return whether a text could have binary contents that `without_binary` takes out."""
        if Step.BINARY not in self._rules.steps:
            return False
        with searching.lock:
            return self._scanner.may_hold_binary(text)

    def without_binary(self, text: str) -> str:
        """A text with a marker in place of its images, audio and blobs, and else as it was.

        For a long text: what is left is cleaned in half the time, and what is behind an image stays
        where it has to be cut before.
        """
        return self._without_binary(text, len(text))

    def without_few_binaries(self, text: str) -> str:
        """The same, or the text as it was if there are too many to be found within 2 ms."""
        return self._without_binary(text, SOON)

    def _without_binary(self, text: str, work: int) -> str:
        if not self.may_hold_binary(text):
            return text
        kept, number = marked(text, work)
        if number:
            with searching.lock, self._lock:
                self._hits[BINARY] += number
        return kept

    def hits(self) -> dict[str, int]:
        """Return the number of hits of each rule since the start.

        Beside the rules' names there are `sanitizer-error` and `nesting` for values that were
        dropped, `truncated`, and the names that `NORMALIZED` lists.
        """
        # A child that is forked meanwhile would inherit this lock, too, as it would in `_count`.
        with searching.lock, self._lock:
            return dict(self._hits)

    def tags(self, secret: str) -> tuple[str, ...]:
        """The tags of a known secret under every key, the current one first: search for these."""
        return self._rules.keyring.tags(secret)

    def explain(self, sample: Value) -> list[Explanation]:
        """Explain each change that the rules would make to a sample, without showing a secret."""
        cleaning = self._cleaning()
        with searching.lock:
            cleaning.value(sample, "$")
        leaves = cleaning.leaves
        return [
            *(Explanation(Step.NORMALIZE, name, path, "", "") for name, path in leaves.changes),
            *(
                Explanation(
                    found.finding.step,
                    found.finding.rule,
                    self._place(found),
                    f"<{found.finding.size} characters>",
                    found.finding.replacement.strip('"\\'),
                )
                for found in leaves.found
            ),
            *(
                Explanation(Step.TRUNCATE, TRUNCATED, path, f"<{size} characters>", "")
                for size, path in leaves.cuts
            ),
        ]

    def _place(self, found: Found) -> str:
        """Return the place in the sample at which something was found."""
        within = path_within(found.text, found.finding.start, self._shown)
        return (
            within.removeprefix(" > ")
            if within and found.path in {"", "$"}
            else found.path + within
        )

    def _shown(self, name: str) -> str:
        """A name without its secrets, and without counting them."""
        return str(self._cleaning().value(name, ""))

    def _cleaned(self, attributes: dict[str, Value], body: Value) -> tuple[dict[str, Value], Value]:
        cleaning = self._cleaning()
        new_attributes, new_body = attributes, body
        body_passes = False
        if attributes and not self._passes(attributes, None):
            new_attributes = cleaning.attributes(attributes, "attributes")
            body_passes = self._passes({}, body)
        # What does not pass together is one of them, and the body where the other does.
        if not body_passes:
            new_body = cleaning.value(body, "body")
        self._count(cleaning)
        if changes := cleaning.leaves.changes:
            names = {name for name, _ in changes}
            new_attributes = {**new_attributes, NORMALIZED: [*sorted(names)]}
        return new_attributes, new_body

    def _passes(self, attributes: dict[str, Value], body: Value) -> bool:
        try:
            with searching.lock:
                return self._first_look.passes(attributes, body)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the long way finds out.
            return False

    def _suspects(self, records: Sequence[tuple[dict[str, Value], Value]]) -> Collection[int]:
        try:
            with searching.lock:
                return self._first_look.suspects(records)
        except Exception:  # noqa: BLE001 - each on its own, then
            return range(len(records))

    def _cleaning(self) -> Cleaning:
        limits = self._rules.limits
        leaves = Leaves(self._scanner, self._rules.steps, limits)
        return Cleaning(leaves, self._scanner.names, limits.depth)

    def _count(self, cleaning: Cleaning) -> None:
        leaves = cleaning.leaves
        with self._lock:
            for found in leaves.found:
                self._hits[found.finding.rule] += 1
            for name, _ in leaves.changes:
                self._hits[name] += 1
            for name, count in ((TRUNCATED, len(leaves.cuts)), (FAILED, cleaning.failures)):
                if count:
                    self._hits[name] += count
