"""Cleans lists and mappings as the JSON text that they are written as.

So what JSON text says about names is known in one place. What JSON cannot hold is made storable
first; bytes wait outside, each with a stand-in, and come back if nothing took it away.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import orjson

from relayscope.sanitizer.findings import Value
from relayscope.sanitizer.rules.replacements import NESTING

from .leaves import Leaves

_STAND_IN: Final = "\ue003"
"""Begins the text that stands for bytes. Private use; a text that begins so loses this character's
meaning only here."""


class Structures:
    """Cleans lists and mappings in one call of the sanitizer."""

    def __init__(self, leaves: Leaves, depth: int) -> None:
        self._leaves = leaves
        self._depth = depth

    def clean(self, value: object, path: str) -> Value:
        """A list or mapping without its secrets; the same object if nothing had to change.

        Raises:
            TypeError: telemetry has no such values.
        """
        storable = _Storable(self._leaves, self._depth)
        copy = storable.copy(value, path, 0)
        written = orjson.dumps(copy).decode()
        searched = self._leaves.searched(written, "")
        is_same = searched is written and not storable.is_changed
        if is_same and self._are_clean(storable.waiting) and not self._leaves.is_long(written):
            return cast("Value", value)
        restored = _Restored(self._leaves, storable.waiting).read(searched, path)
        return cast("Value", value) if is_same and restored == value else restored

    def _are_clean(self, waiting: Sequence[bytes]) -> bool:
        return all(self._leaves.clean(each, "") is each for each in waiting)


class _Storable:
    """Copies a value into what JSON can hold.

    Attributes:
        waiting: the bytes that stand-ins stand for.
        is_changed: True if the copy differs from the value.
    """

    def __init__(self, leaves: Leaves, depth: int) -> None:
        self.waiting: list[bytes] = []
        self.is_changed = False
        self._leaves = leaves
        self._depth = depth

    def copy(self, value: object, path: str, depth: int) -> Any:
        match value:
            case str() | bytes() | bool() | int() | float() | None:
                return self._leaf(value, path)
            case Mapping() | Sequence() if depth >= self._depth:
                self.is_changed = True
                return self._leaves.gone(NESTING, path)
            case Mapping():
                members: dict[str, Any] = {}
                for name, each in value.items():
                    if not isinstance(name, str):
                        raise TypeError(type(name).__name__)
                    storable = self._leaf(str.__str__(name), path)
                    kept = unlike(storable, members)
                    members[kept] = self.copy(each, f"{path}.{name}", depth + 1)
                return members
            case Sequence():
                return [self.copy(each, f"{path}[{i}]", depth + 1) for i, each in enumerate(value)]
            case _:
                raise TypeError(type(value).__name__)

    def _leaf(self, value: str | bytes | float | None, path: str) -> Any:
        if isinstance(value, bytes):
            self.waiting.append(value)
            return f"{_STAND_IN}{len(self.waiting) - 1}"
        storable = self._leaves.storable(value, path)
        self.is_changed = self.is_changed or storable is not value
        return storable


class _Members(list[tuple[str, Any]]):
    """The members of a mapping as they were written, of which two can have one name."""


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_Members)


class _Restored:
    """Makes values of a cleaned structure again."""

    def __init__(self, leaves: Leaves, waiting: Sequence[bytes]) -> None:
        self._leaves = leaves
        self._waiting = waiting

    def read(self, text: str, path: str) -> Value:
        restored: Value = self._value(_DECODER.decode(text), path)
        return restored

    def _value(self, value: Any, path: str) -> Any:
        if isinstance(value, _Members):
            members: dict[str, Any] = {}
            for name, each in value:
                cut = unlike(self._leaves.cut_key(name, path), members)
                members[cut] = self._value(each, f"{path}.{cut}")
            return members
        if isinstance(value, list):
            return [self._value(each, f"{path}[{index}]") for index, each in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, text: str, path: str) -> Value:
        number = text[1:] if text.startswith(_STAND_IN) else ""
        if number.isdecimal() and int(number) < len(self._waiting):
            return self._leaves.clean(self._waiting[int(number)], path)
        return self._leaves.cut(text, path)


def unlike(name: str, taken: Mapping[str, object]) -> str:
    """The name, with a number behind it if it is taken."""
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name}#{count}"
    return unique
