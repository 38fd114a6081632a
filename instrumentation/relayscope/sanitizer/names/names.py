"""Sensitive names: `password` in all its spellings, and not `max_tokens`."""

import re
from collections.abc import Callable, Iterable
from enum import Enum, auto
from functools import cached_property
from typing import Any, Final, TypeVar

import re2

from relayscope.sanitizer.findings import FILL, masked
from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.search.patterns import NEVER, options
from relayscope.sanitizer.spellings.look_alikes import latin

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# What an earlier run has replaced is still part of the name.
_SEPARATOR = re.compile(rf"(?:[^\w{FILL}]|_)++")
_ASCII_WORDS: Final = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() else ord("_") for code in range(128)
).ljust(256)
_JOINT: Final = "_"
_BETWEEN: Final = r"(?:[^A-Za-z0-9\s\"'=,;(){}<>\[\]]{0,3}|[ \t]{1,2})"
"""Separator of two words of a name in raw text: `api_key`, `API key`, and not `API: key`."""

LAST: Final = r"_?[0-9]{0,2}(?:[^A-Za-z0-9]|$)"
"""End of a name's last word in raw text: perhaps a number, then no letter."""

_ESCAPE = re.compile(r"\\*+u([0-9a-fA-F]{4})")

_OPTION = re.compile(r"--?[A-Za-z][A-Za-z0-9_.-]*")

_Name = TypeVar("_Name", str, bytes)
_Verdict = TypeVar("_Verdict")

_LONG: Final = 256
_OVERLONG: Final = KeyRule(
    name="long-name",
    about=f"names of more than {_LONG} characters in which a sensitive word stands anywhere",
)

_CACHED: Final = 8192
"""Verdicts kept. Real traffic has a few hundred names; beyond this it is noise or an attack, and
the cache starts afresh, which costs less than keeping order in it."""


class Bearing(Enum):
    """Relation of a stretch without spaces to sensitive names."""

    NAME = auto()
    """One of them."""

    PART = auto()
    """A part of one, perhaps, and none itself: `token` in `token_type`."""

    NONE = auto()


class Names:
    """Knows the rule for a name. Safe to share between threads."""

    def __init__(
        self, rules: Iterable[KeyRule], harmless_endings: Iterable[str], allowed: Iterable[str]
    ) -> None:
        self._rules = tuple(rules)
        self._harmless_endings = frozenset(harmless_endings)
        self._allowed = frozenset(allowed)
        # `SAMLResponse` is no description, for all its last word.
        self._whole_endings = tuple(
            phrase.replace(" ", _JOINT)
            for phrase in self.ends()
            if phrase.rpartition(" ")[2] in self._harmless_endings
        )
        self._phrases, self._owners = _phrases_of(self._rules)
        self._verdicts: dict[str, KeyRule | None] = {}
        self._bearings: dict[bytes, Bearing] = {}

    # Few names need these, which take 20 ms to compile. Once as words, once as letters alone:
    # `PaSsWoRd` has humps where no word ends.
    @cached_property
    def _in_words(self) -> "_Alternatives":
        return self._alternation(_JOINT, rf"(?:{_JOINT}|{FILL}|\z)")

    @cached_property
    def _in_letters(self) -> "_Alternatives":
        return self._alternation("", "")

    @cached_property
    def _mention(self) -> Any:
        # With RE2's own limit, the phrases do not fit its automaton.
        return re2.compile(f"(?i:{_either(self.phrases(), loose)})".encode(), options())

    def rule(self, name: str) -> KeyRule | None:
        """The rule for a name, or None if the name is not sensitive."""
        try:
            return self._verdicts[name]
        except KeyError:
            return _remember(self._verdicts, name, self._judge(name))

    def mentioned(self, text: str) -> bool:
        """Return whether a text has a phrase that makes names sensitive."""
        return self._mention.search(text.encode("utf-8", "replace")) is not None

    def option(self, text: str) -> KeyRule | None:
        """The rule for what follows a command line's option, such as `--api-key`."""
        return self.rule(text) if _OPTION.fullmatch(text) else None

    def describes(self, name: str) -> bool:
        """Return whether a value of this name describes a secret and is none: `token_type`."""
        return _last_of(_parted(name)) in self._harmless_endings

    def phrases(self) -> list[str]:
        """Every phrase that makes a name sensitive."""
        return [*self.contains(), *self.ends()]

    def contains(self) -> list[str]:
        """Every phrase that makes a name sensitive wherever it stands in it."""
        return [phrase for rule in self._rules for phrase in rule.contains]

    def ends(self) -> list[str]:
        """Every phrase that makes a name sensitive as its last words."""
        return [phrase for rule in self._rules for phrase in rule.ends]

    def bearing(self, run: bytes) -> Bearing:
        """Return what a stretch without spaces is to sensitive names."""
        known = self._bearings.get(run)
        return known or _remember(self._bearings, run, self._bearing(run.decode()))

    def expression(self) -> str:
        """An expression that matches wherever a sensitive name of ASCII stands with a value."""
        anywhere = "|".join(map(loose, filter(str.isascii, self.contains())))
        last = "|".join(map(loose, filter(str.isascii, self.ends())))
        parts = [f"(?:{anywhere})"] if anywhere else []
        if last:
            parts.append(f"(?:{last}){LAST}")
        return "(?i:" + "|".join(parts or [NEVER]) + ")"

    def _bearing(self, run: str) -> Bearing:
        if self.rule(run.lstrip(" $")):
            return Bearing.NAME
        read = _ESCAPE.sub(_read, run)
        if self._search(run, _parted(run)) is None and (
            read == run or self._search(read, _parted(read)) is None
        ):
            return Bearing.NONE
        return Bearing.PART if read == run else Bearing.NAME

    def _judge(self, name: str) -> KeyRule | None:
        if name in self._allowed:
            return None
        name = masked(name)
        words = _parted(name)
        if _last_of(words) in self._harmless_endings and not words.endswith(self._whole_endings):
            return None
        other = latin(name)
        return self._search(name, words) or (
            self._search(other, _parted(other)) if other != name else None
        )

    def _search(self, name: str, words: str) -> KeyRule | None:
        if len(name) > _LONG:
            return _OVERLONG if self.mentioned(name) else None
        letters = words if name.islower() else _words(name)
        both = words if words == letters else f"{words} {letters}"
        hit = self._phrases.Match(both.encode("utf-8", "replace"))
        if hit is None:
            return None
        # Most names have phrases of one rule, which no exception is about: 2 µs instead of 30.
        owners: set[KeyRule | None] = {self._owners[index] for index in hit}
        owner = owners.pop() if len(owners) == 1 else None
        if owner is not None:
            return owner
        return self._in_words.first(words) or self._in_letters.first(letters)

    def _alternation(self, start: str, end: str) -> "_Alternatives":
        """All phrases, in the order in which those that begin at one place have the word."""
        ends = [
            (rf"{_JOINT}(?:{_either(rule.ends, _apart)})(?:__)?[0-9]{{0,2}}(?:__)?\z", rule)
            for rule in self._rules
            if rule.ends
        ]
        excepts = [
            start + _apart(phrase.removesuffix("*")) + ("" if phrase[-1] == "*" else end)
            for rule in self._rules
            for phrase in rule.excepts
        ]
        contains = [(_either(rule.contains, _apart), rule) for rule in self._rules if rule.contains]
        return _Alternatives(ends, [*((each, None) for each in excepts), *contains])


class _Alternatives:
    """Expressions of which the first that matches in a name decides about it.

    One underscore is before the words of a name and two are between them: RE2 cannot look around,
    so each word's ends have one of their own.

    Args:
        ends: those for the end of a name, and the rule of each.
        others: those for anywhere else; no rule for an exception.
    """

    def __init__(
        self, ends: list[tuple[str, KeyRule]], others: list[tuple[str, KeyRule | None]]
    ) -> None:
        alternatives = [*ends, *others]
        # With a group for each it would take three times as long.
        self._expression = re2.compile(
            "|".join(f"(?:{each})" for each, _ in alternatives).encode(), options()
        )
        self._wholes = re2.Set.FullMatchSet(options())
        for each, _ in alternatives:
            self._wholes.Add(each)
        self._wholes.Compile()
        self._rules = [rule for _, rule in alternatives]
        self._ends = len(ends)

    def first(self, words: str) -> KeyRule | None:
        """The rule of the first that matches and is no exception."""
        data = (_JOINT + words.replace(_JOINT, _JOINT * 2)).encode()
        for found in self._expression.finditer(data):
            start, end = found.span()
            first = 0 if end == len(data) else self._ends
            wholes: list[int] = self._wholes.Match(data[start:end])
            if rule := self._rules[min(index for index in wholes if index >= first)]:
                return rule
        return None


def _phrases_of(rules: Iterable[KeyRule]) -> tuple[Any, list[KeyRule | None]]:
    """A set of all phrases, and the rule that each decides for; None for an exception."""
    phrases = re2.Set.SearchSet(options())
    owners: list[KeyRule | None] = []
    for rule in rules:
        for phrase in rule.contains:
            phrases.Add(_tight(phrase))
            owners.append(rule)
        for phrase in rule.ends:
            phrases.Add(rf"(?:^|[_ ]){_tight(phrase)}_?[0-9]{{0,2}}_?(?: |$)")
            owners.append(rule)
        for phrase in rule.excepts:
            phrases.Add(_tight(phrase.removesuffix("*")))
            owners.append(None)
    phrases.Compile()
    return phrases, owners


def _either(phrases: Iterable[str], spelled: Callable[[str], str]) -> str:
    return "|".join(map(spelled, phrases))


def _tight(phrase: str) -> str:
    """A phrase in a name whose separators are single underscores."""
    return phrase.replace(" ", "_?")


def _apart(phrase: str) -> str:
    """A phrase in a name whose separators are two underscores each."""
    return phrase.replace(" ", f"(?:{_JOINT * 2})?")


def loose(phrase: str) -> str:
    """A phrase in raw text: something may separate the words, and JSON may escape a letter."""
    letters = (each if each.isascii() else _escaped(each) for each in phrase)
    return "".join(letters).replace(" ", _BETWEEN)


def _escaped(letter: str) -> str:
    both = sorted({letter, letter.upper()})
    codes = [rf"\\*u(?i:{ord(each):04x})" for each in both if len(each) == 1]
    return f"(?:{'|'.join([*both, *codes])})"


def _read(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def _parted(name: str) -> str:
    """The words of a name, of a long one the last of them."""
    name = name[-_LONG:]
    return _words(name if name.islower() else _HUMP.sub("_", name))


def _last_of(words: str) -> str:
    return words.strip("_").rpartition("_")[2]


def _words(name: str) -> str:
    if not name.isascii():
        return _SEPARATOR.sub("_", name.casefold())
    # The same, in a quarter of the time.
    words = name.encode().translate(_ASCII_WORDS).decode()
    while "__" in words:
        words = words.replace("__", "_")
    return words


def _remember(cache: dict[_Name, _Verdict], name: _Name, verdict: _Verdict) -> _Verdict:
    if len(cache) >= _CACHED:
        cache.clear()
    if len(name) <= _LONG:
        cache[name] = verdict
    return verdict
