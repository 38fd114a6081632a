"""Names are judged by their words (D3), in a time that hardly depends on the name."""

import re
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from relayscope.sanitizer import Rules
from relayscope.sanitizer.findings import FILL
from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names.names import Names
from tests.examples import examples
from tests.sanitizer.samples import UNTIMED

RULES: Final = Rules.default()
KEYS: Final = RULES.keys
NAMES: Final = Names(KEYS, RULES.harmless_endings, ())

_PHRASES: Final = [
    phrase.removesuffix("*") for key in KEYS for phrase in (*key.contains, *key.ends, *key.excepts)
]
_SPELLED: Final = st.sampled_from(_PHRASES).flatmap(
    lambda phrase: st.sampled_from(
        [phrase, phrase.upper(), phrase.title().replace(" ", ""), phrase.replace(" ", "_")]
    )
)
_BETWEEN: Final = st.sampled_from([*"_- .1aAZ", "12", "123", "__", "my", "s", FILL, "é", "İ", "密"])


@settings(UNTIMED, max_examples=examples(400))
@given(st.lists(_SPELLED | _BETWEEN, min_size=1, max_size=6).map("".join))
@example("api_sigunexpected_token")
@example("token_usage_progressToken_api_key_2")
@example(f"{FILL}pass")
def test_what_matches_first_in_a_name_decides(name: str) -> None:
    """Names with phrases of several rules and exceptions come to what a look around each says."""
    rule = NAMES.rule(name)
    assert (rule and rule.name) == (None if NAMES.describes(name) else _as_looked_around(name))


def _as_looked_around(name: str) -> str | None:
    """The same with one expression of Python, which takes 480 µs for some names."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return _first(_words(parted), _IN_WORDS) or _first(_words(name), _IN_LETTERS)


def _words(name: str) -> str:
    return re.sub(rf"(?:[^\w{FILL}]|_)+", "_", name.casefold())


def _first(words: str, expression: re.Pattern[str]) -> str | None:
    for found in expression.finditer(words):
        if found.lastgroup:
            return KEYS[int(found.lastgroup[1:])].name
    return None


def _expression(start: str, end: str) -> re.Pattern[str]:
    def either(phrases: tuple[str, ...]) -> str:
        return "|".join(phrase.replace(" ", "_?") for phrase in phrases) or "(?!)"

    def excepted(rule: KeyRule) -> list[str]:
        return [
            start + phrase.removesuffix("*").replace(" ", "_?") + ("" if phrase[-1] == "*" else end)
            for phrase in rule.excepts
        ]

    ends = [
        rf"(?P<e{index}>{_START}(?:{either(rule.ends)})_?[0-9]{{0,2}}_?\Z)"
        for index, rule in enumerate(KEYS)
    ]
    excepts = [expression for rule in KEYS for expression in excepted(rule)]
    contains = [f"(?P<c{index}>{either(rule.contains)})" for index, rule in enumerate(KEYS)]
    return re.compile("|".join([*ends, *excepts, *contains]))


_START: Final = rf"(?<![^\W_])(?<!{FILL})"
_IN_WORDS: Final = _expression(_START, r"(?![^\W_])")
_IN_LETTERS: Final = _expression("", "")
