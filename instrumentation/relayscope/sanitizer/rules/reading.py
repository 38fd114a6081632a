"""Reads rules out of plain mappings, with errors that name the field and say what is wrong."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast

from relayscope.sanitizer.errors import RulesError
from relayscope.sanitizer.model import RULE_NAME, Action, Allowed, KeyRule, Limits, PatternRule
from relayscope.sanitizer.search.patterns import compiled

from .checks import CHECKS
from .keyring import HashKey, Keyring

_Choice = TypeVar("_Choice", bound=StrEnum)
_Plain = TypeVar("_Plain", str, int, bool)


class Reader:
    """One mapping of a configuration, which knows where in it it stands."""

    def __init__(self, mapping: object, path: str) -> None:
        if not isinstance(mapping, Mapping):
            raise RulesError(path or "rules", f"must be a mapping, not {_kind(mapping)}")
        self._mapping: Mapping[Any, object] = mapping
        self._path = path
        self._asked: set[str] = set()

    def at(self, name: str) -> str:
        """The field's full name, for messages."""
        return f"{self._path}.{name}" if self._path else name

    def names(self) -> list[str]:
        """The fields that are there."""
        return [str(name) for name in self._mapping]

    def optional(self, name: str, kind: type[_Plain]) -> _Plain | None:
        """A plain value, or None if the field is absent."""
        value = self._take(name)
        # A bool is an int to Python, and never what someone meant by a number.
        if value is not None and type(value) is not kind:
            raise RulesError(self.at(name), f"must be {_NOUNS[kind]}, not {_kind(value)}")
        return value

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.optional(name, str)
        if not value:
            raise RulesError(self.at(name), "is missing")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, empty if the field is absent."""
        values = self._list(name)
        for index, value in enumerate(values):
            if not isinstance(value, str) or not value:
                raise RulesError(f"{self.at(name)}[{index}]", f"must be text, not {_kind(value)}")
        return tuple(cast("list[str]", values))

    def mapping(self, name: str) -> "Reader":
        """A mapping, empty if the field is absent."""
        value = self._take(name)
        return Reader({} if value is None else value, self.at(name))

    def mappings(self, name: str) -> list["Reader"]:
        """A list of mappings, empty if the field is absent."""
        return [
            Reader(value, f"{self.at(name)}[{index}]")
            for index, value in enumerate(self._list(name))
        ]

    def choice(self, name: str, kind: type[_Choice], default: _Choice | None = None) -> _Choice:
        """One of an enum's values."""
        value = self.optional(name, str)
        if value is None and default is not None:
            return default
        return _choice(value, kind, self.at(name))

    def choices(
        self, name: str, kind: type[_Choice], default: frozenset[_Choice]
    ) -> frozenset[_Choice]:
        """Several of them."""
        if self._take(name) is None:
            return default
        return frozenset(
            _choice(value, kind, f"{self.at(name)}[{index}]")
            for index, value in enumerate(self.texts(name))
        )

    def refuse_unknown(self) -> None:
        """Every field must have been asked for by now.

        Raises:
            RulesError: one was not; the message lists those that can be given.
        """
        for name in self.names():
            if name not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise RulesError(self.at(name), f"is no field here; there are: {known}")

    def _take(self, name: str) -> object:
        self._asked.add(name)
        return self._mapping.get(name)

    def _list(self, name: str) -> list[object]:
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise RulesError(self.at(name), f"must be a list, not {_kind(value)}")
        return value


def read_key_rule(reader: Reader) -> KeyRule:
    """A rule for sensitive names.

    Raises:
        RulesError: as every function here, with the field and the reason.
    """
    rule = KeyRule(
        name=_rule_name(reader),
        about=reader.optional("about", str) or "",
        contains=_phrases(reader, "contains"),
        ends=_phrases(reader, "ends"),
        excepts=_phrases(reader, "excepts"),
        whole_line=reader.optional("whole_line", bool) or False,
        action=reader.choice("action", Action, Action.REDACT),
        optional=reader.optional("optional", bool) or False,
        samples=reader.texts("samples"),
    )
    reader.refuse_unknown()
    if not rule.contains and not rule.ends:
        raise RulesError(reader.at("contains"), "is missing (or give `ends`)")
    return rule


def read_usable_pattern_rule(reader: Reader) -> PatternRule:
    """A rule for secrets by their looks whose pattern has been tried: it is a user's."""
    rule = read_pattern_rule(reader)
    _pattern(rule.pattern, f"{reader.at('pattern')} ({rule.name})")
    return rule


def read_pattern_rule(reader: Reader) -> PatternRule:
    """A rule for secrets by their looks. Its pattern is compiled when it is needed."""
    name = _rule_name(reader)
    check = reader.optional("check", str)
    if check is not None and check not in CHECKS:
        raise RulesError(reader.at("check"), f"is none of: {', '.join(sorted(CHECKS))}")
    rule = PatternRule(
        name=name,
        pattern=_on_one_line(reader.text("pattern")),
        about=reader.optional("about", str) or "",
        keywords=reader.texts("keywords"),
        check=CHECKS[check] if check is not None else None,
        action=reader.choice("action", Action, Action.REDACT),
        optional=reader.optional("optional", bool) or False,
        samples=reader.texts("samples"),
    )
    reader.refuse_unknown()
    return rule


def read_allowed(reader: Reader) -> Allowed:
    """The allow-lists."""
    values = tuple(map(_on_one_line, reader.texts("values")))
    for index, value in enumerate(values):
        _pattern(value, reader.at(f"values[{index}]"))
    allowed = Allowed(names=frozenset(reader.texts("names")), values=values)
    reader.refuse_unknown()
    return allowed


def read_limits(reader: Reader) -> Limits:
    """Bounds on what is kept."""
    default = Limits()
    limits = Limits(
        text=_bound(reader, "text", None, range(64, 2**31)),
        key=_bound(reader, "key", default.key, range(64, 2**31)) or default.key,
        depth=_bound(reader, "depth", default.depth, range(1, 101)) or default.depth,
        findings=_bound(reader, "findings", default.findings, range(1, 2**31)) or default.findings,
        nesting=_bound(reader, "nesting", default.nesting, range(1, 17)) or default.nesting,
    )
    reader.refuse_unknown()
    return limits


def read_keyring(reader: Reader) -> Keyring:
    """Keys for keyed hashes: from a file, from the rules themselves, or a fresh one."""
    path = reader.optional("key_file", str)
    given = reader.mappings("keys")
    reader.refuse_unknown()
    if path is not None and given:
        raise RulesError(reader.at("keys"), "cannot stand beside `key_file`; choose one")
    try:
        if path is not None:
            return Keyring.from_file(Path(path).expanduser())
        return Keyring(_hash_key(each) for each in given) if given else Keyring.ephemeral()
    except OSError as error:
        raise RulesError(reader.at("key_file"), f"{error.strerror}: {path}") from error
    except ValueError as error:
        raise RulesError(reader.at("key_file" if path else "keys"), str(error)) from None


def _hash_key(reader: Reader) -> HashKey:
    name, key = reader.text("id"), reader.text("key")
    reader.refuse_unknown()
    try:
        return HashKey(name, key.encode())
    except ValueError as error:
        raise RulesError(reader.at("id" if "id" in str(error) else "key"), str(error)) from None


def _rule_name(reader: Reader) -> str:
    name = reader.text("name")
    if not re.fullmatch(RULE_NAME, name):
        raise RulesError(
            reader.at("name"), f"{name!r} must be lower-case letters, digits and inner hyphens"
        )
    return name


_PHRASE = re.compile(r"[^\W_]+(?: [^\W_]+)*\*?")


def _phrases(reader: Reader, field: str) -> tuple[str, ...]:
    phrases = reader.texts(field)
    for index, phrase in enumerate(phrases):
        if not _PHRASE.fullmatch(phrase) or phrase != phrase.lower():
            raise RulesError(
                f"{reader.at(field)}[{index}]",
                f"{phrase!r} must be lower-case words with one space between them",
            )
        if phrase.endswith("*") and field != "excepts":
            raise RulesError(f"{reader.at(field)}[{index}]", "only `excepts` may end in '*'")
    return phrases


def _on_one_line(pattern: str) -> str:
    """An expression without the line breaks, and the blanks around them, that make it readable."""
    return "".join(map(str.strip, pattern.splitlines())) if "\n" in pattern else pattern


def _pattern(pattern: str, field: str) -> str:
    try:
        compiled(pattern)
    except ValueError as error:
        raise RulesError(field, str(error)) from error
    return pattern


def _bound(reader: Reader, name: str, default: int | None, allowed: range) -> int | None:
    value = reader.optional(name, int)
    if value is None:
        return default
    if value not in allowed:
        raise RulesError(reader.at(name), f"must be from {allowed[0]} to {allowed[-1]}")
    return value


def _choice(value: str | None, kind: type[_Choice], field: str) -> _Choice:
    try:
        return kind(value or "")
    except ValueError:
        raise RulesError(field, f"is none of: {', '.join(kind)}") from None


_NOUNS: dict[type, str] = {str: "text", int: "a whole number", bool: "true or false"}


def _kind(value: object) -> str:
    for kind, noun in {**_NOUNS, list: "a list", Mapping: "a mapping"}.items():
        if type(value) is kind or (kind is Mapping and isinstance(value, Mapping)):
            return noun
    return "nothing" if value is None else type(value).__name__
