"""Tells what describes a secret, below its name, from what holds one: `"auth": {"type": "none"}`.

A mapping below a sensitive name is let through if each value in it is none that could be secret:
because its own name says so, as in `token_type`, or because of how it looks.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.values import harmless

from .values import Number

_DEEPEST: Final = 16
"""Values in values. What goes deeper is no description."""

_VALUES: Final = frozenset({"value", "val", "v", "code", "pin", "number", "old", "new", "current"})
"""Members whose numbers can be a secret."""

_SHORT_NUMBER: Final = 6
_DATE = re.compile(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9](?:[T ][0-9:.]{5,18}(?:Z|[+-][0-9:]{4,6})?)?")
_DESIGN_TOKEN: Final = frozenset({"$type", "$value"})
"""Members of a token of a design, as the W3C's format has them."""

_NAMED: Final = frozenset({"name", "type", "deviceType"})
"""Members beside an id that is one of a credential, and none."""

_LINE = re.compile(r"(- )?+(?:[\"']?([\w.$-]{1,64})[\"']?:(?: +|\Z))?+(.*)")
_PLAIN = re.compile(
    r"(?i:true|false|null|none|yes|no|on|off|required|optional|lax|strict|\{\}|\[\])?"
    r"|[\"']{2}|[./~][\w./~-]*|\$\{.*\}|[\"']?\$?\{\{.*\}\}[\"']?|[|>][+-]?"
)
_COMMENT = re.compile(r"(?:\A|[ \t])#.*")
_INLINE = re.compile(r"[\[{]([^\[\]{}\n\"'`]{1,512})[\]}]")


class Descriptions:
    """Looks at what stands below sensitive names.

    Args:
        names: knows which names describe.
        allows: returns True for a text that is allowed wherever it stands.
    """

    def __init__(self, names: Names, allows: Callable[[str], bool]) -> None:
        self._names = names
        self._allows = allows

    def describes(self, name: str, value: Any) -> bool:
        """Return whether a list or mapping below a name holds nothing that could be secret."""
        return self._is_harmless(name, value, _DEEPEST)

    def _is_harmless(self, name: str, value: Any, depth: int) -> bool:
        match value:
            case None | bool() | "":
                return True
            case Number():
                return self._names.describes(name) or self._is_count(name, value)
            case str():
                return (
                    self._names.describes(name)
                    or self._allows(value)
                    or _DATE.fullmatch(value) is not None
                )
            case dict() if depth:
                own = {"id"} if _NAMED & value.keys() else set()
                return self._is_design(value) or all(
                    self._is_harmless(each, value[each], depth - 1) for each in value.keys() - own
                )
            case list() if depth:
                return all(self._is_harmless(name, each, depth - 1) for each in value)
        return False

    def _is_design(self, value: dict[str, Any]) -> bool:
        """Return whether this is a design token: a colour, a size or the like."""
        if not value.keys() >= _DESIGN_TOKEN:
            return False
        shown = str(value["$value"])
        return self._allows(shown) or not harmless.is_odd(shown)

    def _is_count(self, name: str, number: Number) -> bool:
        if name.lower() in _VALUES or self._names.rule(name):
            return False
        return len(number) <= _SHORT_NUMBER or name.lower().endswith("id") or "." in number


def describes_in_yaml(names: Names, block: str) -> bool:
    """Return whether indented lines below a sensitive name are prose, or describe the secret."""
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    if not lines or harmless.is_prose(" ".join(lines[:2])):
        return True
    return all(_describes(names, line) for line in lines)


def describes_inline(names: Names, text: str, at: int) -> bool:
    """Return whether brackets on one line describe secrets: `[db_password]`, `{a: true}`."""
    found = _INLINE.match(text, at)
    return found is not None and all(
        _describes(names, item.strip()) for item in found[1].split(",")
    )


def _describes(names: Names, line: str) -> bool:
    found = _LINE.fullmatch(_COMMENT.sub("", line))
    if found is None:
        return False
    _, name, value = found.groups()
    if _PLAIN.fullmatch(value):
        return True
    if name is None:
        return _names(names, value)
    if _names(names, value):
        return True
    is_number = value.isdecimal() and len(value) <= _SHORT_NUMBER
    if name.lower().endswith("key") and names.rule(value):
        # Where another names what it has: `passwordKey: password`.
        return True
    return names.describes(name) or (is_number and name.lower() not in _VALUES)


def _names(names: Names, value: str) -> bool:
    """Return whether a value is the name of a secret, in several words."""
    is_name = harmless.has_words(value) or ("_" in value and value.isupper())
    return is_name and names.rule(value) is not None
