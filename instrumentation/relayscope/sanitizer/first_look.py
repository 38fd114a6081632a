"""The quick way: tells whether a record can pass as it is, with one search for all its texts.

Most records hold no secret. For these, this is all the sanitizer does; every other one goes to
`cleaning`, as does what cannot be decided quickly. `passes` never says yes where `cleaning` would
change something.
"""

import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from relayscope.sanitizer.leaves import SMALL
from relayscope.sanitizer.model import Step
from relayscope.sanitizer.neighbours import NAMING, VALUE
from relayscope.sanitizer.rules import Rules
from relayscope.sanitizer.scanner import Scanner
from relayscope.sanitizer.storable import INT64

_LISTS: Final = (list, tuple)

_KEYS: Final = 8192
"""Names remembered as clean. Real traffic has a few hundred; beyond this the set starts afresh,
which is cheaper than keeping order in it."""

_SHORT: Final = 40
_TEXTS: Final = 8192
"""Characters and number of the texts remembered as clean: the values of attributes are mostly those
of the record before, and a search takes 2 µs."""


class FirstLook:
    """Looks at records. Safe to share between threads."""

    def __init__(self, rules: Rules, scanner: Scanner) -> None:
        self._scanner = scanner
        self._keys: set[str] = set()
        self._texts: set[str] = set()
        limits, cuts = rules.limits, Step.TRUNCATE in rules.steps
        self._longest_key = limits.key if cuts else sys.maxsize
        self._longest_text = (limits.text if cuts else None) or sys.maxsize
        self._depth = limits.depth

    def passes(self, attributes: Mapping[str, object], body: object) -> bool:
        """Whether a record's attributes and body need no change."""
        if self._all_known(attributes):
            if body is None:
                return True
            if type(body) is str:
                return self._clean(body)
            attributes = {}
        texts: list[str] = []
        if not self._gather_record(attributes, body, texts) or not self._clean("\n".join(texts)):
            return False
        self._remember(attributes)
        return True

    def all_pass(self, records: Iterable[tuple[Mapping[str, object], object]]) -> bool:
        """Whether none of these records needs a change, with one search for all their texts."""
        texts: list[str] = []
        for attributes, body in records:
            if not self._gather_record(attributes, body, texts):
                return False
        return self._clean("\n".join(texts))

    def _all_known(self, attributes: Mapping[str, object]) -> bool:
        """Whether all names and values were clean before; the values are short texts or numbers."""
        keys, known = self._keys, self._texts
        for key, value in attributes.items():
            if key not in keys:
                return False
            if type(value) is str:
                if value not in known:
                    return False
            elif type(value) is not int or not -SMALL < value < SMALL:
                return False
        return True

    def _gather_record(
        self, attributes: Mapping[str, object], body: object, texts: list[str]
    ) -> bool:
        keys = self._keys
        for key, value in attributes.items():
            if key not in keys and not self._admit(key):
                return False
            # The commonest kind right here: a call for each would double the time.
            if type(value) is str:
                texts.append(value)
            elif not self._gather(value, texts, 1):
                return False
        return body is None or self._gather(body, texts, 0)

    def _gather(self, value: object, texts: list[str], depth: int) -> bool:
        """Collect the texts in a value; false if it needs another look for other reasons."""
        if type(value) is str:
            texts.append(value)
        elif type(value) is int:
            if not -SMALL < value < SMALL:
                texts.append(str(value))
                return value in INT64
        elif type(value) is float:
            return math.isfinite(value)
        elif type(value) is bytes:
            texts.append(value.decode("latin-1").replace("\0", " "))
        elif type(value) is list or type(value) is tuple:
            return depth < self._depth and self._gather_items(value, texts, depth + 1)
        elif type(value) is dict:
            return depth < self._depth and self._gather_members(value, texts, depth + 1)
        else:
            return value is None or type(value) is bool
        return True

    def _gather_items(
        self, items: list[Any] | tuple[Any, ...], texts: list[str], depth: int
    ) -> bool:
        for item in items:
            if type(item) is str:
                if item[:1] == "-" and self._scanner.names.option(item):
                    return False
            elif (
                type(item) in _LISTS and item and type(item[0]) is str and not self._admit(item[0])
            ):
                return False
            if not self._gather(item, texts, depth):
                return False
        return True

    def _gather_members(self, members: dict[Any, Any], texts: list[str], depth: int) -> bool:
        if VALUE in members and not NAMING.isdisjoint(members):
            return False
        for key, value in members.items():
            if key not in self._keys and not self._admit(key):
                return False
            if not self._gather(value, texts, depth):
                return False
        return True

    def _admit(self, key: object) -> bool:
        """Whether a name is clean; if so it is remembered."""
        if type(key) is not str or len(key) > self._longest_key or self._scanner.names.rule(key):
            return False
        if not self._clean(key):
            return False
        if len(self._keys) >= _KEYS:
            self._keys.clear()
        self._keys.add(key)
        return True

    def _remember(self, attributes: Mapping[str, object]) -> None:
        known = self._texts
        if len(known) >= _TEXTS:
            known.clear()
        for value in attributes.values():
            if type(value) is str and len(value) <= _SHORT:
                known.add(value)

    def _clean(self, text: str) -> bool:
        return (
            "\0" not in text
            and len(text) <= self._longest_text
            and self._scanner.suspects(text) is None
        )
