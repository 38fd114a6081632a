"""Cleans what holds no other values: text, bytes, numbers, names."""

from collections.abc import Container
from typing import Final, NamedTuple

from relayscope.sanitizer import storable
from relayscope.sanitizer.findings import Finding, Value, marker_around, masked, spliced
from relayscope.sanitizer.model import KeyRule, Limits, Step
from relayscope.sanitizer.replacements import TOO_MANY
from relayscope.sanitizer.scanner import Scanner

SMALL: Final = 1_000_000
"""Below it no pattern is tried on an integer: counts, sizes and codes are not secrets."""


_ROUNDS: Final = 8
"""A text in which something was replaced is searched again until nothing more is found: secrets
without a space between them show one after the other. More than this is no accident, and the text
is dropped."""


class Found(NamedTuple):
    """A finding, the text it was found in, and where in the value that text stands."""

    finding: Finding
    text: str
    path: str


class Leaves:
    """Cleans single values and remembers what it did.

    Attributes:
        found: what was replaced, in the order it was met.
        changes: what was made storable: the name it has in `storable`, and the path.
        cuts: what was cut: characters it had, and the path.
    """

    def __init__(self, scanner: Scanner, steps: frozenset[Step], limits: Limits) -> None:
        self.found: list[Found] = []
        self.changes: list[tuple[str, str]] = []
        self.cuts: list[tuple[int, str]] = []
        self._scanner = scanner
        self._normalize = Step.NORMALIZE in steps
        self._truncate = Step.TRUNCATE in steps
        self._limits = limits

    def clean(self, value: object, path: str) -> Value:
        """A value of no sensitive name; the same object if nothing had to change.

        Raises:
            TypeError: telemetry has no such values.
        """
        match value:
            case None | bool():
                return value
            case str():
                return self._cut(self._text(str.__str__(value), path), self._limits.text, path)
            case int():
                return self._integer(int(value), path)
            case float():
                return self._float(float(value), path)
            case bytes():
                return self._bytes(value, path)
            case _:
                raise TypeError(type(value).__name__)

    def key(self, key: object, path: str, taken: Container[str]) -> str:
        """A name, which can hold a secret as well. It differs from those that are taken.

        Raises:
            TypeError: it is no text.
        """
        if not isinstance(key, str):
            raise TypeError(type(key).__name__)
        new = self._cut(self._text(str.__str__(key), path), self._limits.key, path)
        unique, count = new, 1
        while unique in taken:
            count += 1
            unique = f"{new}#{count}"
        return key if unique == key else unique

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

    def _text(self, text: str, path: str) -> str:
        if self._normalize:
            text, changes = storable.storable_text(text)
            self.changes += ((change, path) for change in changes)
        return self._searched(text, path)

    def _searched(self, text: str, path: str) -> str:
        """The text without its secrets."""
        for _ in range(_ROUNDS):
            findings = self._scanner.find(_searchable(text))
            self.found += (Found(finding, text, path) for finding in findings)
            settled = all(finding.stands_alone(text) for finding in findings)
            text = spliced(text, findings) if findings else text
            if settled:
                return text
        return self.gone(TOO_MANY, path)

    def _bytes(self, data: bytes, path: str) -> bytes:
        # Each byte as the character of its number: ASCII reads as it is, and all bytes come back.
        text = data.decode("latin-1")
        cleaned = self._searched(text, path)
        return data if cleaned is text else cleaned.encode("latin-1")

    def _integer(self, number: int, path: str) -> Value:
        kept: int | str = number
        if self._normalize:
            kept, changes = storable.storable_int(number)
            self.changes += ((change, path) for change in changes)
        # In brackets as a number of JSON is, so that it is no card's number.
        if -SMALL < number < SMALL or not (findings := self._scanner.find(f"[{kept}]")):
            return kept
        replacement = findings[0].replacement.strip('"')
        self.found.append(Found(findings[0].moved(0, 0, replacement), "", path))
        return replacement

    def _float(self, number: float, path: str) -> Value:
        if not self._normalize:
            return number
        kept, changes = storable.storable_float(number)
        self.changes += ((change, path) for change in changes)
        return kept

    def _cut(self, text: str, limit: int | None, path: str) -> str:
        if not self._truncate or limit is None or len(text) <= limit:
            return text
        self.cuts.append((len(text), path))
        mark = f"[TRUNCATED:{len(text)}]"
        return text[: marker_around(text, limit - len(mark))] + mark


def _searchable(text: str) -> str:
    """The text in a form that has UTF-8, every character in its place."""
    return text if storable.encodable(text) else storable.without_surrogates(text)
