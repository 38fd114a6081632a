"""Signs of what could be in a text: rules that could match, sensitive names, other spellings."""

from typing import Final, NamedTuple

from relayscope.sanitizer.json.arguments import OPTION
from relayscope.sanitizer.model import PatternRule
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.search.patterns import is_match
from relayscope.sanitizer.search.prefilter import prefilter
from relayscope.sanitizer.spellings.encoded import (
    ENCODED_FILTER,
    LONG_RUN_FILTERS,
    RUN_FILTER,
    long_runs,
)
from relayscope.sanitizer.spellings.views import ESCAPE, ESCAPE_FILTER

MEMBERS: Final = (
    r'"(?:kty|rawHeaders|raw_headers|routing_key|bcrypt_hash|override_special|SecureString|CONCEALED)\\*"'
    r'|"(?:sensitive|masked|isSecret)\\*"\s*:\s*true|"keyName\\*"\s*:\s*\\*"key[12]'
)
"""Members and items that say what others hold without naming a secret, also in JSON in a string."""

STRUCTURE_FILTER: Final = rf"{MEMBERS}|{OPTION}"
"""The same, and what lists of a command's arguments have."""

_CHANGING_FILTER: Final = r"\\[bfu]"
"""Escapes that do not read as they do without their backslash."""

_SHORT: Final = 1024
_MEDIUM: Final = 8192
"""Bytes of a text for which one search for all takes less time than to look for runs of letters;
and than to take these out."""

_BEGINNING: Final = 512
"""Bytes of a longer text that tell whether it is full of names, as source code is."""


class Signs(NamedTuple):
    """Signs in a text.

    Attributes:
        rules: indexes of the pattern rules that could match, ascending.
        has_name: True if it could have sensitive names, spelled in ASCII.
        has_escapes: True if it has letters as escapes, which could hide something.
        has_encoded: True if another text could be encoded in it.
        has_structure: True if it could have members that say what other members hold.
        is_changing: True if it has escapes that do not read as they do without their backslash.
    """

    rules: list[int]
    has_name: bool
    has_escapes: bool
    has_encoded: bool
    has_structure: bool
    is_changing: bool

    @property
    def are_of_others(self) -> bool:
        """True if there could be anything but names, and what rules find."""
        return self.has_escapes or self.has_encoded or self.has_structure


NO_SIGNS: Final = Signs(
    [],
    has_name=False,
    has_escapes=False,
    has_encoded=False,
    has_structure=False,
    is_changing=False,
)


class SignSearch:
    """Searches texts for signs. Safe to share between threads.

    Raises:
        RulesError: the expressions are too large together.
    """

    def __init__(self, rules: tuple[PatternRule, ...], names: Names) -> None:
        self._name = len(rules)
        self._escape, self._structure, self._changing, self._encoded = range(
            self._name + 1, self._name + 5
        )
        others = (ESCAPE_FILTER, STRUCTURE_FILTER, _CHANGING_FILTER, ENCODED_FILTER)
        # All behind `_encoded` are signs of encoded texts.
        self._all = prefilter(rules, [names.expression(), *others, *LONG_RUN_FILTERS])
        self._most = prefilter(rules, [names.expression(), *others])
        # A search for nothing but names ends at the first one. Beside all others each name takes
        # 0.1 µs: half of the search, in source code.
        self._names = prefilter((), [names.expression()])
        self._others = prefilter(rules, others)
        self._run = prefilter((), [RUN_FILTER])
        self._long_runs = prefilter((), LONG_RUN_FILTERS)
        self._only_name = NO_SIGNS._replace(has_name=True)

    def signs(self, data: bytes) -> Signs | None:
        """Return the signs in UTF-8 text; None if it has none."""
        if len(data) > _MEDIUM:
            fired = self._fired_in_long(data)
        elif len(data) > _SHORT and self._run.fired(data) is None:
            fired = self._most.fired(data)
        else:
            fired = self._all.fired(data)
        return self._signs(data, fired) if fired else None

    def _fired_in_long(self, data: bytes) -> list[int] | None:
        if self._names.fired(data[:_BEGINNING]):
            others = self._others.fired(data) or ()
            fired = [self._name, *(each + (each >= self._name) for each in others)]
        else:
            fired = self._most.fired(data) or []
        if self._run.fired(data) and self._long_runs.fired(long_runs(data)):
            fired.append(self._encoded)
        return fired

    def _signs(self, data: bytes, fired: list[int]) -> Signs | None:
        if fired == [self._name]:
            # Nearly always.
            return self._only_name
        signs = Signs(
            sorted(index for index in fired if index < self._name),
            self._name in fired,
            self._escape in fired and is_match(ESCAPE, data),
            max(fired) >= self._encoded,
            self._structure in fired,
            self._changing in fired,
        )
        return None if signs == NO_SIGNS else signs
