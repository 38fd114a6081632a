"""The quick way: tells whether a record can pass as it is, with one search for all its texts.

Most records hold no secret. For these, this is all the sanitizer does; every other one goes to
`cleaning`, as does what cannot be decided quickly. `passes` never says yes where `cleaning` would
change something.
"""

import math
import sys
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import orjson

from relayscope.sanitizer.cleaning.leaves import SMALL
from relayscope.sanitizer.cleaning.scanner import Scanner
from relayscope.sanitizer.rules.rules import Rules
from relayscope.sanitizer.spellings.storable import INT64

from .model import Step

_STRUCTURES: Final = (dict, list, tuple)
_NOTHING_ELSE: Final = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""Types that telemetry has no values of are not written."""

_KEYS: Final = 8192
"""Names remembered as clean. Real traffic has a few hundred; beyond this the set starts afresh,
which is cheaper than keeping order in it."""

_SHORT: Final = 40
_SHORT_STRUCTURE: Final = 256
_TEXTS: Final = 8192
"""Characters, bytes and number of the texts and structures remembered as clean: the values of
attributes are mostly those of the record before, and a search takes 2 µs."""


class FirstLook:
    """Looks at records. Safe to share between threads."""

    def __init__(self, rules: Rules, scanner: Scanner) -> None:
        self._scanner = scanner
        self._keys: set[str] = set()
        self._texts: set[str] = set()
        self._structures: set[bytes | None] = set()
        limits, cuts = rules.limits, Step.TRUNCATE in rules.steps
        self._longest_key = limits.key if cuts else sys.maxsize
        self._longest_text = (limits.text if cuts else None) or sys.maxsize
        self._depth = limits.depth

    def passes(self, attributes: Mapping[str, object], body: object) -> bool:
        """Return whether a record's attributes and body need no change."""
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

    def suspects(self, records: Sequence[tuple[Mapping[str, object], object]]) -> Collection[int]:
        """Return the indexes of those that may need a change, by one search for all their texts."""
        texts: list[str] = []
        ends: list[int] = []
        others: set[int] = set()
        for index, (attributes, body) in enumerate(records):
            if not self._gather_record(attributes, body, texts):
                others.add(index)
                del texts[ends[-1] if ends else 0 :]
            ends.append(len(texts))
        text = "\n".join(texts)
        places = self._scanner.places(text) if self._may_be_searched(text) else None
        if places is None:
            return range(len(records))
        if not places:
            return others
        lengths = [0, *accumulate(len(each) + 1 for each in texts)]
        last = [lengths[end] - 1 for end in ends]
        for start, end in places:
            others.update(range(bisect_left(last, start), bisect_left(last, end) + 1))
        return others

    def _all_known(self, attributes: Mapping[str, object]) -> bool:
        """Return whether all names and values were found clean before, or are small numbers."""
        keys, known = self._keys, self._texts
        for key, value in attributes.items():
            if key not in keys:
                return False
            if type(value) is str:
                if value not in known:
                    return False
            elif type(value) in _STRUCTURES:
                if _written(value) not in self._structures:
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
            elif type(value) is int and -SMALL < value < SMALL:
                continue
            elif not self._gather(value, texts):
                return False
        return body is None or self._gather(body, texts)

    def _gather(self, value: object, texts: list[str]) -> bool:
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
        elif type(value) in _STRUCTURES:
            return self._gather_structure(value, texts)
        else:
            return value is None or type(value) is bool
        return True

    def _gather_structure(self, value: Any, texts: list[str]) -> bool:
        written = _written(value)
        if written is None:
            return False
        texts.append(written.decode())
        if len(written) <= self._depth:
            return True
        if written.count(b"[") + written.count(b"{") > self._depth:
            return False
        return len(written) <= self._longest_key or not self._has_long_key(value)

    def _has_long_key(self, value: object) -> bool:
        if isinstance(value, dict):
            longest = max(map(len, value), default=0)
            return longest > self._longest_key or any(map(self._has_long_key, value.values()))
        return isinstance(value, list | tuple) and any(map(self._has_long_key, value))

    def _admit(self, key: object) -> bool:
        """Return whether a name is clean, and remember it if it is."""
        if type(key) is not str or len(key) > self._longest_key or self._scanner.names.rule(key):
            return False
        if not self._clean(key):
            return False
        if len(self._keys) >= _KEYS:
            self._keys.clear()
        self._keys.add(key)
        return True

    def _remember(self, attributes: Mapping[str, object]) -> None:
        if len(self._texts) >= _TEXTS:
            self._texts.clear()
        if len(self._structures) >= _TEXTS:
            self._structures.clear()
        for value in attributes.values():
            if type(value) is str:
                if len(value) <= _SHORT:
                    self._texts.add(value)
            elif type(value) in _STRUCTURES:
                written = _written(value)
                if written and len(written) <= _SHORT_STRUCTURE:
                    self._structures.add(written)

    def _clean(self, text: str) -> bool:
        return self._may_be_searched(text) and self._scanner.suspects(text) is None

    def _may_be_searched(self, text: str) -> bool:
        """Return whether a text needs no change for another reason than what a search finds."""
        return (
            "\0" not in text
            and len(text) <= self._longest_text
            and not self._scanner.may_hold_binary(text)
        )


def _written(value: Any) -> bytes | None:
    """A list or mapping as JSON; None if it has what JSON has not."""
    try:
        written = orjson.dumps(value, _readable, _NOTHING_ELSE)
    except TypeError:
        return None
    # What is not finite is written as null.
    return None if b"null" in written and not _is_finite(value) else written


def _readable(value: object) -> str:
    """Bytes as a text with the same ASCII in it."""
    if isinstance(value, bytes):
        return value.decode("latin-1").replace("\0", " ")
    raise TypeError(type(value).__name__)


def _is_finite(values: dict[str, Any] | list[Any] | tuple[Any, ...]) -> bool:
    for each in values.values() if isinstance(values, dict) else values:
        if type(each) is float:
            if not math.isfinite(each):
                return False
        elif type(each) in _STRUCTURES and not _is_finite(each):
            return False
    return True
