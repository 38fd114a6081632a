"""Everything a sanitizer is built from, and how a user's configuration becomes it."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

from relayscope.sanitizer.errors import RulesError
from relayscope.sanitizer.model import Action, Allowed, KeyRule, Limits, PatternRule, Step
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.search.patterns import plain_sample, secrets

from .keyring import Keyring
from .reading import (
    Reader,
    read_allowed,
    read_key_rule,
    read_keyring,
    read_limits,
    read_pattern_rule,
    read_usable_pattern_rule,
)

_DATA: Final = "default_rules.toml"

_Rule = TypeVar("_Rule", KeyRule, PatternRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything a `Sanitizer` is built from.

    Attributes:
        steps: the steps that run; always in the order of `Step`.
        keys: rules for sensitive names.
        patterns: rules for secrets by their looks.
        harmless_endings: last words of names that tell about a secret and are none
            (`token_type`, `password_policy`).
        allowed: the allow-lists.
        limits: bounds on what is kept.
        keyring: keys for `Action.HASH`. By default a random one that lives and dies with the
            process.
    """

    steps: frozenset[Step] = frozenset(Step)
    keys: tuple[KeyRule, ...] = ()
    patterns: tuple[PatternRule, ...] = ()
    harmless_endings: tuple[str, ...] = ()
    allowed: Allowed = field(default_factory=Allowed)
    limits: Limits = field(default_factory=Limits)
    keyring: Keyring = field(default_factory=Keyring.ephemeral)

    @classmethod
    def default(cls) -> "Rules":
        """The default rules, without the optional ones. `RULES.md` lists them."""
        return cls.from_mapping({})

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Rules":
        """Rules from a user's configuration, on top of the default ones.

        Args:
            mapping: the content of a YAML or TOML file; `RULES.md` shows every field.

        Raises:
            RulesError: a field is unknown or wrong; the message names it.
        """
        base = shipped_rules()
        reader = Reader(mapping, "")
        known = {rule.name for rule in base.keys}.union(rule.name for rule in base.patterns)
        enabled = _known_names(reader, "enable", known)
        disabled = _known_names(reader, "disable", known)
        actions = _actions(reader, known)
        keys = [read_key_rule(each) for each in reader.mappings("keys")]
        patterns = [read_usable_pattern_rule(each) for each in reader.mappings("patterns")]
        _refuse_repeated(keys, "keys", known)
        _refuse_repeated(patterns, "patterns", known.union(rule.name for rule in keys))
        _refuse_wrong_samples(keys, patterns)
        allowed = read_allowed(reader.mapping("allow"))
        rules = cls(
            steps=reader.choices("steps", Step, default=frozenset(Step)),
            keys=(*_chosen(base.keys, enabled, disabled, actions), *keys),
            patterns=(*_chosen(base.patterns, enabled, disabled, actions), *patterns),
            harmless_endings=reader.texts("harmless_endings") or base.harmless_endings,
            allowed=Allowed(
                names=base.allowed.names | allowed.names,
                values=base.allowed.values + allowed.values,
            ),
            limits=read_limits(reader.mapping("limits")),
            keyring=read_keyring(reader.mapping("hash")),
        )
        reader.refuse_unknown()
        return rules

    def keeping_binary(self) -> "Rules":
        """Return the same rules, but with images, audio and blobs left as they are."""
        return replace(self, steps=self.steps - {Step.BINARY})


@cache
def shipped_rules() -> Rules:
    """Every rule that comes with this package, the optional ones too."""
    text = files("relayscope.sanitizer").joinpath(_DATA).read_text(encoding="utf-8")
    reader = Reader(tomllib.loads(text), "")
    rules = Rules(
        keys=tuple(read_key_rule(each) for each in reader.mappings("keys")),
        patterns=tuple(read_pattern_rule(each) for each in reader.mappings("patterns")),
        harmless_endings=reader.texts("harmless_endings"),
        allowed=read_allowed(reader.mapping("allow")),
    )
    reader.refuse_unknown()
    return rules


def _chosen(
    rules: Iterable[_Rule],
    enabled: frozenset[str],
    disabled: frozenset[str],
    actions: Mapping[str, Action],
) -> list[_Rule]:
    return [
        replace(rule, action=actions.get(rule.name, rule.action))
        for rule in rules
        if rule.name not in disabled and (not rule.optional or rule.name in enabled)
    ]


def _known_names(reader: Reader, field_name: str, known: set[str]) -> frozenset[str]:
    names = reader.texts(field_name)
    for index, name in enumerate(names):
        if name not in known:
            raise RulesError(f"{field_name}[{index}]", f"there is no default rule {name!r}")
    return frozenset(names)


def _actions(reader: Reader, known: set[str]) -> dict[str, Action]:
    chosen = reader.mapping("actions")
    actions = {}
    for name in chosen.names():
        if name not in known:
            raise RulesError(f"actions.{name}", f"there is no default rule {name!r}")
        actions[name] = chosen.choice(name, Action)
    return actions


def _refuse_wrong_samples(keys: Iterable[KeyRule], patterns: Iterable[PatternRule]) -> None:
    for index, key_rule in enumerate(keys):
        names = Names([key_rule], (), ())
        for number, sample in enumerate(key_rule.samples):
            if names.rule(sample) is None:
                raise RulesError(f"keys[{index}].samples[{number}]", f"does not hit: {sample}")
    for index, rule in enumerate(patterns):
        for number, sample in enumerate(rule.samples):
            if next(secrets(rule, plain_sample(sample)), None) is None:
                raise RulesError(f"patterns[{index}].samples[{number}]", f"does not hit: {sample}")


def _refuse_repeated(rules: Iterable[KeyRule | PatternRule], field: str, taken: set[str]) -> None:
    seen = set(taken)
    for index, rule in enumerate(rules):
        if rule.name in seen:
            raise RulesError(
                f"{field}[{index}].name",
                f"{rule.name!r} is taken; choose another name"
                " (a default rule is switched off with `disable`)",
            )
        seen.add(rule.name)
