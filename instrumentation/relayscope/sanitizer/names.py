"""Which names are sensitive: `password` in all its spellings, and not `max_tokens`."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

import re2

from relayscope.sanitizer.findings import FILL, masked
from relayscope.sanitizer.model import KeyRule

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# What an earlier run has replaced is still part of the name.
_SEPARATOR = re.compile(rf"[^a-z0-9{FILL}]+")
_START: Final = rf"(?<![a-z0-9{FILL}])"

_OPTION = re.compile(r"--?[A-Za-z][A-Za-z0-9_.-]*")

_Verdict = TypeVar("_Verdict")

_LONG: Final = 256
_OVERLONG: Final = KeyRule(
    name="long-name",
    about=f"names of more than {_LONG} characters in which a sensitive word stands anywhere",
)

_CACHED: Final = 8192
"""Verdicts kept. Real traffic has a few hundred names; beyond this it is noise or an attack, and
the cache starts afresh, which costs less than keeping order in it."""


class Names:
    """Knows the rule for a name. Safe to share between threads."""

    def __init__(
        self, rules: Iterable[KeyRule], harmless_endings: Iterable[str], allowed: Iterable[str]
    ) -> None:
        self._rules = tuple(rules)
        self._harmless_endings = frozenset(harmless_endings)
        self._allowed = frozenset(allowed)
        # Once as words, once as letters alone: `PaSsWoRd` has humps where no word ends.
        self._in_words = self._alternation(_START, r"(?![a-z0-9])")
        self._in_letters = self._alternation("", "")
        self._verdicts: dict[str, KeyRule | None] = {}
        self._stems: dict[str, bool] = {}
        phrases = [phrase for rule in self._rules for phrase in (*rule.contains, *rule.ends)]
        self._mention = re2.compile(
            f"(?i)[A-Za-z0-9_.$-]*(?:{_either(phrases, loose)})[A-Za-z0-9_.$-]*"
        )

    def rule(self, name: str) -> KeyRule | None:
        """The rule for a name, or None if the name is not sensitive."""
        try:
            return self._verdicts[name]
        except KeyError:
            return _remember(self._verdicts, name, self._judge(name))

    def option(self, text: str) -> KeyRule | None:
        """The rule for what follows a command line's option, such as `--api-key`."""
        return self.rule(text) if _OPTION.fullmatch(text) else None

    def mentioned(self, text: bytes) -> bool:
        """Whether anything in a text could be a sensitive name.

        A quick look: it may be wrong in saying yes, never in saying no.
        """
        if not self._rules:
            return False
        return any(self._stem(found[0].decode()) for found in self._mention.finditer(text))

    def mentions(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in a text something stands that could be a sensitive name, or part of one."""
        if self._rules:
            for found in self._mention.finditer(text):
                if self._stem(found[0]):
                    yield found.span()

    def phrases(self) -> list[str]:
        """Every phrase that makes a name sensitive."""
        return [phrase for rule in self._rules for phrase in (*rule.contains, *rule.ends)]

    def is_sensitive_part(self, run: str) -> bool:
        """Whether a stretch without spaces could be a sensitive name, or a part of one."""
        return self._stem(run)

    def expression(self) -> str:
        """An expression that matches wherever a sensitive name stands with a value."""
        anywhere = "|".join(loose(phrase) for rule in self._rules for phrase in rule.contains)
        last = "|".join(loose(phrase) for rule in self._rules for phrase in rule.ends)
        parts = [f"(?:{anywhere})"] if anywhere else []
        if last:
            # At the end of a name, so something follows that is neither letter nor digit.
            parts.append(f"(?:{last})[^A-Za-z0-9]*(?:[:=,>}}]|%3[ad])|--[a-z0-9_-]*(?:{last})")
        return "(?i:" + "|".join(parts or [r"[^\x00-\x{10ffff}]"]) + ")"

    def _stem(self, run: str) -> bool:
        stem = self._stems.get(run)
        if stem is None:
            stem = _remember(self._stems, run, self._search(run) is not None)
        return stem

    def _judge(self, name: str) -> KeyRule | None:
        if name in self._allowed:
            return None
        name = masked(name)
        words = _words(_HUMP.sub("_", name[-_LONG:]))
        if words.strip("_").rpartition("_")[2] in self._harmless_endings:
            return None
        return self._search(name)

    def _search(self, name: str) -> KeyRule | None:
        if len(name) > _LONG:
            return _OVERLONG if self._mention.search(name.encode("utf-8", "replace")) else None
        return self._first(self._in_words, _words(_HUMP.sub("_", name))) or self._first(
            self._in_letters, _words(name)
        )

    def _first(self, expression: re.Pattern[str], words: str) -> KeyRule | None:
        for found in expression.finditer(words):
            if found.lastgroup:
                return self._rules[int(found.lastgroup[1:])]
        return None

    def _alternation(self, start: str, end: str) -> re.Pattern[str]:
        """All phrases as one expression; what matches first has the word.

        A group names a rule, no group an exception.
        """
        ends = [
            rf"(?P<e{index}>{_START}(?:{_either(rule.ends, _tight)})_?\Z)"
            for index, rule in enumerate(self._rules)
            if rule.ends
        ]
        excepts = [
            start + _tight(phrase.removesuffix("*")) + ("" if phrase[-1] == "*" else end)
            for rule in self._rules
            for phrase in rule.excepts
        ]
        contains = [
            f"(?P<c{index}>{_either(rule.contains, _tight)})"
            for index, rule in enumerate(self._rules)
            if rule.contains
        ]
        return re.compile("|".join([*ends, *excepts, *contains]) or r"(?!)")


def _either(phrases: Iterable[str], spelled: Callable[[str], str]) -> str:
    return "|".join(map(spelled, phrases))


def _tight(phrase: str) -> str:
    """A phrase in a name whose separators are single underscores."""
    return phrase.replace(" ", "_?")


def loose(phrase: str) -> str:
    """A phrase in raw text, where anything may separate the words."""
    return phrase.replace(" ", "[^A-Za-z0-9]*")


def _words(name: str) -> str:
    return _SEPARATOR.sub("_", name.casefold())


def _remember(cache: dict[str, _Verdict], name: str, verdict: _Verdict) -> _Verdict:
    if len(cache) >= _CACHED:
        cache.clear()
    if len(name) <= _LONG:
        cache[name] = verdict
    return verdict
