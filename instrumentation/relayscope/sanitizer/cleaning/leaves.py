"""Cleans what holds no other values: text, bytes, numbers, names."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, cast

from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.findings import (
    Finding,
    TooManyFindings,
    Value,
    marker_around,
    masked,
    spliced,
)
from relayscope.sanitizer.model import KeyRule, Limits, Step
from relayscope.sanitizer.rules.replacements import TOO_MANY
from relayscope.sanitizer.spellings import storable

from .aftermath import Unrest
from .repetitions import with_repetitions
from .scanner import Scanner

SMALL: Final = 1_000_000
"""Below it no pattern is tried on an integer: counts, sizes and codes are not secrets."""


_ROUNDS: Final = 8
"""A text in which something was replaced is searched again until nothing more is found: secrets
without a space between them show one after the other. More than this is no accident, and the text
is dropped."""

_CHARACTERS: Final = 16
"""Characters of such a text whose first look takes one more work."""


class Found(NamedTuple):
    """A finding, the text it was found in, and where in the value that text stands."""

    finding: Finding
    text: str
    path: str


class Leaves:
    """Cleans single values and remembers what it did.

    Attributes:
        found: the replaced secrets, in the order in which they were met.
        changes: the values that were made storable: the change's name in `storable`, and the path.
        cuts: the texts that were cut: characters they had, and the path.
    """

    def __init__(self, scanner: Scanner, steps: frozenset[Step], limits: Limits) -> None:
        self.found: list[Found] = []
        self.changes: list[tuple[str, str]] = []
        self.cuts: list[tuple[int, str]] = []
        self._scanner = scanner
        self._normalize = Step.NORMALIZE in steps
        self._truncate = Step.TRUNCATE in steps
        self._limits = limits
        self._allowance = Allowance()

    def clean(self, value: object, path: str) -> Value:
        """A value of no sensitive name; the same object if nothing had to change.

        Raises:
            TypeError: telemetry has no such values.
        """
        match value:
            case str():
                text = self.searched(self.storable(str.__str__(value), path), path)
                return self._cut(text, self._limits.text, path)
            case bytes():
                return self._bytes(value, path)
            case bool() | None:
                return value
            case int():
                return self._integer(int(value), path)
            case float():
                return cast("float | str", self.storable(float(value), path))
            case _:
                raise TypeError(type(value).__name__)

    def storable(self, value: Any, path: str) -> Any:
        """A text or number in a form that PostgreSQL can hold; the same object if it already is."""
        if not self._normalize:
            return value
        kept, changes = storable.storable(value)
        if changes:
            self.changes += [(change, path) for change in changes]
        return kept

    def searched(self, text: str, path: str) -> str:
        """The text without its secrets; the same object if it has none."""
        self._allowance.grant(text)
        settled = self._allowance.attempt(lambda: self._settled(text, path))
        return self.gone(TOO_MANY, path) if settled is None else settled

    def _settled(self, text: str, path: str) -> str:
        written, before = text, len(self.found)
        text, unrest = self._replaced(text, path, self._scanner.find)
        if unrest is Unrest.NONE and len(self.found) > before:
            self._scanner.settle(written, [each.finding for each in self.found[before:]])
        for _ in range(_ROUNDS - 1):
            if unrest is Unrest.SURE:
                self._allowance.pass_over(len(text) // _CHARACTERS)
                text, unrest = self._replaced(text, path, self._scanner.find)
            elif unrest is Unrest.POSSIBLE:
                again = self._allowance.repeat(partial(self._searched_again, text, path))
                # Nothing is known of another secret, so without work for it the text may stay.
                text, unrest = again or (text, Unrest.NONE)
            else:
                break
        if unrest is Unrest.SURE:
            raise TooManyFindings
        self._allowance.settle(text, partial(self._stays, text))
        return text

    def _searched_again(self, text: str, path: str) -> tuple[str, Unrest]:
        self._allowance.pass_over(len(text) // _CHARACTERS)
        return self._replaced(text, path, self._scanner.find_or_give_up)

    def _replaced(
        self, text: str, path: str, find: Callable[[str, Allowance], list[Finding]]
    ) -> tuple[str, Unrest]:
        """The text without what is found in it, and whether to search it again."""
        findings = find(_searchable(text), self._allowance)
        if not findings:
            return text, Unrest.NONE
        findings = with_repetitions(text, findings, self._limits.findings, self._allowance)
        self.found += [Found(finding, text, path) for finding in findings]
        return spliced(text, findings), self._scanner.aftermath.of(text, findings)

    def _stays(self, text: str, allowance: Allowance) -> bool:
        return spliced(text, self._scanner.find(_searchable(text), allowance)) == text

    def key(self, key: object, path: str) -> str:
        """A name, which can hold a secret as well.

        Raises:
            TypeError: it is no text.
        """
        if not isinstance(key, str):
            raise TypeError(type(key).__name__)
        new = self.searched(self.storable(str.__str__(key), path), path)
        return key if new == key else new

    def cut(self, text: str, path: str) -> str:
        """The text, cut if it is too long for a value."""
        return self._cut(text, self._limits.text, path)

    def cut_key(self, name: str, path: str) -> str:
        """The text, cut if it is too long for a name."""
        return self._cut(name, self._limits.key, path)

    def is_long(self, text: str) -> bool:
        """Return whether a name or a value in a text could be too long."""
        limit = min(self._limits.key, self._limits.text or self._limits.key)
        return self._truncate and len(text) > limit

    def sensitive(self, rule: KeyRule, value: object, path: str) -> Value:
        """The value of a sensitive name: a marker, or the value where there is nothing to hide."""
        match value:
            case None | bool() | "" | b"":
                return value
            case bytes():
                secret = value.decode("latin-1")
            case _:
                secret = str(value)
        secret = masked(_searchable(secret))
        finding = self._scanner.replacements.finding(rule, secret, (0, len(secret)))
        if finding is None:
            return self.clean(value, path)
        self.found.append(Found(finding, secret, path))
        return finding.replacement

    def gone(self, reason: str, path: str) -> str:
        """The marker for a value that is dropped for a reason that is no rule."""
        finding = self._scanner.replacements.gone(reason, "")
        self.found.append(Found(finding, "", path))
        return finding.replacement

    def _bytes(self, data: bytes, path: str) -> bytes:
        # Each byte as the character of its number: ASCII reads as it is, and all bytes come back.
        text = data.decode("latin-1")
        cleaned = self.searched(text, path)
        return data if cleaned is text else cleaned.encode("latin-1")

    def _integer(self, number: int, path: str) -> Value:
        kept: int | str = self.storable(number, path)
        # In brackets as a number of JSON is, so that it is no card's number.
        if -SMALL < number < SMALL:
            return kept
        findings = self._scanner.find(f"[{kept}]", self._allowance)
        if not findings:
            return kept
        replacement = findings[0].replacement.strip('"')
        self.found.append(Found(findings[0].moved(0, 0, replacement), "", path))
        return replacement

    def _cut(self, text: str, limit: int | None, path: str) -> str:
        if not self._truncate or limit is None or len(text) <= limit:
            return text
        self.cuts.append((len(text), path))
        mark = f"[TRUNCATED:{len(text)}]"
        return text[: marker_around(text, limit - len(mark))] + mark


def _searchable(text: str) -> str:
    """The text in a form that has UTF-8, every character in its place."""
    return text if storable.encodable(text) else storable.without_surrogates(text)
