"""Cleans one record thoroughly: the way for records in which something could be found.

Every attribute is cleaned on its own. One that a step fails on is dropped; the others are kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from relayscope.sanitizer.findings import Value
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.rules.replacements import FAILED, dropped

from .leaves import Leaves
from .structures import Structures, unlike


class Cleaning:
    """One call of the sanitizer. Not shared between threads.

    Attributes:
        leaves: cleans single values, and remembers what it did.
        failures: number of values that were dropped because a step failed.
    """

    def __init__(self, leaves: Leaves, names: Names, depth: int) -> None:
        self.leaves = leaves
        self.failures = 0
        self._names = names
        self._structures = Structures(leaves, depth)

    def value(self, value: object, path: str) -> Value:
        """A value of any kind; the same object if nothing had to change."""
        try:
            return self._value(value, path)
        except Exception:  # noqa: BLE001 - fails closed, as `_guarded`.
            return self._failed()

    def attributes(self, attributes: Mapping[str, Value], path: str) -> dict[str, Value]:
        """Names and values; the same object if nothing had to change."""
        cleaned = self._guarded(lambda: self._members(attributes, path))
        return cleaned if isinstance(cleaned, dict) else {}

    def _guarded(self, clean: Callable[[], Value]) -> Value:
        try:
            return clean()
        except Exception:  # noqa: BLE001 - fails closed: whatever went wrong, nothing gets through.
            return self._failed()

    def _failed(self) -> Value:
        self.failures += 1
        return dropped(FAILED)

    def _value(self, value: object, path: str) -> Value:
        return (
            self._structure(value, path) if _is_structure(value) else self.leaves.clean(value, path)
        )

    def _structure(self, value: object, path: str) -> Value:
        """A list or mapping as a whole, or, if a step fails on it, what can be saved of it."""
        try:
            return self._structures.clean(value, path)
        except Exception:
            if isinstance(value, list | tuple):
                return [self.value(each, f"{path}[{index}]") for index, each in enumerate(value)]
            if isinstance(value, dict):
                return self._guarded(lambda: self._members(value, path))
            raise

    def _members(self, members: Mapping[str, Value], path: str) -> Value:
        cleaned: dict[str, Value] = {}
        same = True
        for name, value in members.items():
            new_name = self.leaves.key(name, path)
            new = self._guarded(lambda: self._attribute(name, new_name, value, path))  # noqa: B023 - called before the next turn.
            kept = unlike(self.leaves.cut_key(new_name, path), cleaned)
            same = same and new is value and kept == name
            cleaned[kept] = new
        return cast("dict[str, Value]", members) if same else cleaned

    def _attribute(self, name: str, new_name: str, value: Value, path: str) -> Value:
        # What is left of a name can be another one.
        rule = self._names.rule(name) or self._names.rule(new_name)
        at = f"{path}.{new_name}"
        if rule is None:
            return self._value(value, at)
        if not _is_structure(value):
            return self.leaves.sensitive(rule, value, at)
        # With its name, which may be that of a secret, or of the schema of one.
        named = name if self._names.rule(name) else new_name
        cleaned = self._structures.clean({named: value}, path)
        return next(iter(cleaned.values())) if isinstance(cleaned, dict) else cleaned


def _is_structure(value: object) -> bool:
    return not isinstance(value, str | bytes) and isinstance(value, Mapping | Sequence)
