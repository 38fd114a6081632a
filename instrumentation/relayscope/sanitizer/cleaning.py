"""Cleans one record thoroughly: the way for records in which something could be found.

Every value is cleaned on its own. One that a step fails on is dropped; the others are kept.
The same reading of names as in `json_text`, for values that are Python objects already.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from relayscope.sanitizer.findings import Value
from relayscope.sanitizer.leaves import Leaves
from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names import Names
from relayscope.sanitizer.neighbours import NAMING, SAMPLES, SCHEMA_WORDS, VALUE
from relayscope.sanitizer.replacements import FAILED, NESTING, dropped


class _Context(NamedTuple):
    """What the surroundings of a value say about it.

    Attributes:
        rule: the rule for the value, if its name is sensitive.
        listed: whether it is an element of a list.
        properties: whether its name is `properties`, as in a JSON Schema.
        property: whether it is a member of such.
        samples: the rule for the samples in it, if it is the schema of a sensitive name.
    """

    rule: KeyRule | None = None
    listed: bool = False
    properties: bool = False
    property: bool = False
    samples: KeyRule | None = None


_NOWHERE = _Context()


class Cleaning:
    """One call of the sanitizer. Not shared between threads.

    Attributes:
        leaves: what cleans single values, and remembers what was done.
        failures: how many values were dropped because a step failed.
    """

    def __init__(self, leaves: Leaves, names: Names, depth: int) -> None:
        self.leaves = leaves
        self.failures = 0
        self._names = names
        self._depth = depth

    def value(self, value: object, path: str) -> Value:
        """A value of any kind; the same object if nothing had to change."""
        return self._guarded(lambda: self._value(value, path, 0, _NOWHERE))

    def attributes(self, attributes: Mapping[str, Value], path: str) -> dict[str, Value]:
        """Names and values; the same object if nothing had to change."""
        cleaned = self._guarded(lambda: self._members(attributes, path, 0, _NOWHERE))
        return cleaned if isinstance(cleaned, dict) else {}

    def _guarded(self, clean: Callable[[], Value]) -> Value:
        try:
            return clean()
        except Exception:  # noqa: BLE001 - fails closed: whatever went wrong, nothing gets through.
            self.failures += 1
            return dropped(FAILED)

    def _value(self, value: object, path: str, depth: int, context: _Context) -> Value:
        if isinstance(value, str | bytes) or not isinstance(value, Mapping | Sequence):
            if context.rule:
                return self.leaves.sensitive(context.rule, value, path)
            return self.leaves.clean(value, path)
        if depth >= self._depth:
            return self.leaves.gone(NESTING, path)
        if context.rule and value:
            schema = isinstance(value, Mapping) and next(iter(value)) in SCHEMA_WORDS
            if not (context.property and schema):
                return self.leaves.sensitive(context.rule, value, path)
            context = context._replace(samples=context.rule)
        if isinstance(value, Mapping):
            return self._members(value, path, depth, context)
        return self._items(value, path, depth, context)

    def _members(
        self, members: Mapping[str, object], path: str, depth: int, context: _Context
    ) -> Value:
        cleaned: dict[str, Value] = {}
        same = True
        named = self._named(members) if depth else None
        for key, value in members.items():
            new_key = self.leaves.key(key, path, cleaned)
            # What is left of a name can be another one, and is what may be shown.
            rule = self._rule(key, named, context.samples) or self._names.rule(new_key)
            inner = _Context(
                rule=rule,
                properties=key == "properties",
                property=context.properties,
                samples=context.samples,
            )
            at = f"{path}.{new_key}"
            new = self._guarded(lambda: self._value(value, at, depth + 1, inner))  # noqa: B023 - called before the next turn.
            same = same and new is value and new_key is key
            cleaned[new_key] = new
        return cast("dict[str, Value]", members) if same else cleaned

    def _rule(self, key: str, named: KeyRule | None, samples: KeyRule | None) -> KeyRule | None:
        if samples and key in SAMPLES:
            return samples
        return named if named and key == VALUE else self._names.rule(key)

    def _named(self, members: Mapping[str, object]) -> KeyRule | None:
        """`{"name": "API_KEY", "value": "..."}` is as good as `{"API_KEY": "..."}`."""
        if VALUE not in members:
            return None
        names = (name for key in NAMING if isinstance(name := members.get(key), str))
        return next(filter(None, map(self._names.rule, names)), None)

    def _items(self, items: Sequence[object], path: str, depth: int, context: _Context) -> Value:
        cleaned: list[Value] = []
        same = True
        following: KeyRule | None = None
        for index, item in enumerate(items):
            rule, following = following, None
            if isinstance(item, str):
                pair = index == 0 and context.listed
                following = self._names.rule(item) if pair else self._names.option(item)
                rule = None if item.startswith("--") else rule
            inner = _Context(rule=rule, listed=True, samples=context.samples)
            at = f"{path}[{index}]"
            new = self._guarded(lambda: self._value(item, at, depth + 1, inner))  # noqa: B023 - called before the next turn.
            same = same and new is item
            cleaned.append(new)
        return cast("list[Value]", items) if same else cleaned
