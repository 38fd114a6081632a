"""Texts that replace secrets."""

import re
from collections.abc import Iterable
from typing import Any, Final

import re2

from relayscope.sanitizer.findings import FILL, Finding
from relayscope.sanitizer.model import Action, KeyRule, PatternRule, Step
from relayscope.sanitizer.search.patterns import options
from relayscope.sanitizer.values.harmless import is_no_secret

from .keyring import Keyring

_FILLED = re.compile(f"{FILL}+")
_EDGES: Final = FILL + " \t\r\n\"':;,."


class Replacements:
    """Turns a found secret into a finding, unless it is none after all."""

    def __init__(self, keyring: Keyring, allowed: Iterable[str]) -> None:
        self._keyring = keyring
        self._allowed = _any_of(tuple(allowed))

    def finding(
        self,
        rule: KeyRule | PatternRule,
        text: str,
        span: tuple[int, int],
        *,
        secret: str | None = None,
    ) -> Finding | None:
        """A finding for the characters of `span`.

        Args:
            rule: the rule that found it.
            text: the text it was found in.
            span: place in the text of the characters that must go.
            secret: those characters, decoded, if they are spelled otherwise.

        Returns:
            None if nothing is there that must go: nothing at all, what an earlier run has put
            there, what the allow-lists let through, or what people read about a secret.
        """
        start, end = span
        secret = text[start:end] if secret is None else secret
        if not secret.strip(_EDGES) or self.allows(secret):
            return None
        if isinstance(rule, KeyRule) and is_no_secret(_as_word(secret), rule.name):
            return None
        return Finding(
            start=start,
            end=end,
            replacement=self.replacement(rule, secret),
            rule=rule.name,
            step=Step.KEYS if isinstance(rule, KeyRule) else Step.PATTERNS,
            size=len(secret),
        )

    def allows(self, text: str) -> bool:
        """Return whether a text is on the allow-list."""
        return bool(self._allowed and self._allowed.Match(text.encode()))

    def replacement(self, rule: KeyRule | PatternRule, secret: str) -> str:
        """The marker for a secret."""
        match rule.action:
            case Action.REDACT:
                return f"[REDACTED:{rule.name}]"
            case Action.HASH:
                return f"[HASHED:{rule.name}:{self._keyring.tag(secret)}]"
            case Action.DROP:
                return dropped(rule.name)

    @staticmethod
    def gone(reason: str, text: str) -> Finding:
        """A finding that drops all of a text, for a reason that is no rule."""
        return Finding(
            start=0,
            end=len(text),
            replacement=dropped(reason),
            rule=reason,
            step=Step.KEYS,
            size=len(text),
        )


def _as_word(text: str) -> str:
    """The text with a word in place of what an earlier run has put there."""
    return _FILLED.sub("x", text) if FILL in text else text


def _any_of(expressions: tuple[str, ...]) -> Any:
    """A set that matches whatever one of the expressions matches from end to end; None if none."""
    if not expressions:
        return None
    matching = re2.Set.FullMatchSet(options())
    for expression in expressions:
        matching.Add(expression)
    matching.Compile()
    return matching


def dropped(reason: str) -> str:
    """The marker for a value that is gone as a whole."""
    return f"[DROPPED:{reason}]"


FAILED: Final = "sanitizer-error"
"""The reason when a step has raised."""

TOO_MANY: Final = "too-many"
"""The reason when one text has more secrets than the limits allow."""

NESTING: Final = "nesting"
"""The reason when text is hidden in text, or values in values, deeper than the limits allow."""
