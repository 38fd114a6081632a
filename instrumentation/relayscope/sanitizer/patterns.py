"""Expressions on google-re2, which takes time in proportion to the text whatever the expression."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import re2

from relayscope.sanitizer.errors import RulesError
from relayscope.sanitizer.model import PatternRule

_ANCHOR = re.compile(
    r"\\[Az]|(?<!\\)(?:\\\\)*+(?:\\[Az])"  # \A and \z
    r"|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*+\]"  # escapes and classes: nothing in them anchors
    r"|([\^$])",
    re.DOTALL,
)

_SELF_TEST: Final = "relayscope filter self-test"


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """The expression, ready to search with.

    Raises:
        ValueError: it cannot be used; the message says why.
    """
    if any(anchor[1] or anchor[0] in {r"\A", r"\z"} for anchor in _ANCHOR.finditer(pattern)):
        raise ValueError(
            r"anchors (^ $ \A \z) have no meaning in a search inside other text; use \b"
        )
    try:
        expression = re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else "unknown reason"
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"{text}: {pattern}") from None
    if expression.search(""):
        raise ValueError(f"matches the empty text: {pattern}")
    return expression


class Filter:
    """Says in one pass over a text which of many expressions could match in it.

    It may name too many, never too few.

    Raises:
        RulesError: they do not fit into one automaton of reasonable size.
    """

    def __init__(self, expressions: Sequence[str]) -> None:
        self._set = re2.Set.SearchSet(_options())
        for expression in (*expressions, _SELF_TEST):
            self._set.Add(expression)
        try:
            self._set.Compile()
            # A set whose automaton does not fit its memory matches nothing, silently.
            fits = self._set.Match(_SELF_TEST)
        except re2.error:
            fits = None
        if not fits:
            raise RulesError("patterns", "are too large together; make some shorter")

    def fired(self, text: bytes) -> list[int] | None:
        """The indexes of those that could match in this UTF-8 text; None if none could."""
        fired: list[int] | None = self._set.Match(text)
        return fired


def filter_expression(rule: PatternRule) -> str:
    """An expression that matches wherever the rule's pattern does, cheaper if it has keywords."""
    if rule.keywords:
        return "(?i)" + "|".join(map(re2.escape, rule.keywords))
    # In JSON text the letter of an escape can stand before the secret: `\nsecret`.
    return rule.pattern.removeprefix(r"\b")


def secrets(rule: PatternRule, text: str) -> Iterator[tuple[int, int]]:
    """Where the rule's secrets stand in a text."""
    expression = compiled(rule.pattern)
    groups = range(1, expression.groups + 1)
    for match in expression.finditer(text):
        start, end = next(
            (span for group in groups if (span := match.span(group))[0] >= 0), match.span()
        )
        if start < end and (rule.check is None or rule.check(text[start:end])):
            yield start, end


def plain_sample(sample: str) -> str:
    """A rule's sample without the signs that mark the secret in it."""
    return sample.replace("^", "").replace("<<", "").replace(">>", "")


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False  # They are raised instead, and would go to the host's stderr.
    options.max_mem = 16 << 20
    return options
