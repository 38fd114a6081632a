"""Finds the secrets of JSON where each sensitive name stands right beside its string.

That is nearly all that calls with arguments have: `{"api_key": "x"}`. It comes to what
`json/text.py` would find, with a tenth of the calls; what is written in any other way it leaves to
that.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from relayscope.sanitizer.findings import FILL
from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names.continuation import Span
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.values.harmless import is_odd

_NEAR: Final = 16
"""Characters before a name in which the sign stands that makes it one."""

_OPENING = re.compile(r'[{,][ \t\r\n]*+"\Z')
_NAME = re.compile(r'[^"\\%&]++')
_STRING = re.compile(
    r'"[ \t\r\n]{0,16}+:[ \t\r\n]{0,16}+"([^"\\]*+)"'
    r"(?=[ \t\r\n]*+(?:,|[}\]](?![ \t\r\n]*+[\"'])|\Z))"
)

COMPANIONS: Final = {
    # Elasticsearch's key once more, with its id, in base64.
    **dict.fromkeys(("api_key", "apiKey"), "encoded"),
    # OAuth's code, where a client takes it for a token.
    **dict.fromkeys(("code_verifier", "codeVerifier", "client_secret", "clientSecret"), "code"),
}
"""Sensitive names, and members that are secret beside them only."""

_TOKENS: Final = frozenset({"token", "token_str"})
_LONGEST_TOKEN: Final = 64
"""Names, and characters, of what may be a token of a text."""


class NamedString(NamedTuple):
    """The string of a sensitive name.

    Attributes:
        rule: the name's rule.
        start: its first character.
        end: the first character after its last.
    """

    rule: KeyRule
    start: int
    end: int


def named_strings(text: str, names: Names, mentions: Iterable[Span]) -> list[NamedString] | None:
    """The strings that stand beside the names at some places; None if one is anything else.

    Args:
        text: a text in which nothing but names is suspicious.
        names: knows which names are sensitive.
        mentions: places of names that may be sensitive, in order, each whole.
    """
    found: list[NamedString] = []
    done = 0
    for start, end in mentions:
        if start < done:
            # It is a part of the secret before it.
            continue
        string = _STRING.match(text, end)
        if string is None or not _OPENING.search(text, max(0, start - _NEAR), start):
            return None
        name = text[start:end]
        rule = names.rule(name)
        if rule is None or not _NAME.fullmatch(name) or may_be_lexical(name, string[1]):
            return None
        if name in COMPANIONS and f'"{COMPANIONS[name]}"' in text:
            return None
        done = string.end(1)
        found.append(NamedString(rule, string.start(1), done))
    return found


def may_be_lexical(name: str, value: str) -> bool:
    """Return whether the value of a name could be a token of a text, a design or a currency."""
    if name.lower() not in _TOKENS or len(value) > _LONGEST_TOKEN or is_odd(value):
        return False
    # A marker's neighbours say no more than it does.
    return bool(value.strip(FILL))
