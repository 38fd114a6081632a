"""Values that somebody gives in a sentence: `the password: tangerine7. Please change it`."""

import re
from typing import Final

from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.values import harmless
from relayscope.sanitizer.values.page import Pair

# A word and a number, as people make passwords, and nobody makes words of a sentence.
_MADE_UP = re.compile(
    r"(?!(?:[bs]crypt|argon|pbkdf|aes|rsa|ntlm|level|step|line|part|type|version|page|section)[0-9])"
    r"[A-Za-z]{4,24}[0-9]{1,8}(?=[.,;]?(?:\s|\Z))"
)
_BOTH: Final = "credential"
"""The rule whose values have the user, too."""

_USER_AND = re.compile(r"[\w.@-]{1,40}+[ ][/|][ ](\S{4,256}+)(?=[ \t]*+(?:\r?\n|\Z))")

# No query has a colon before its value, so its sign parts nothing.
_REST = re.compile(r"(?:&(?![a-z]{2,6};)[^\s\"'<>`&,;)\]}\\]++)+")
_WORDS = re.compile(r"(?:[ ][a-z]{3,12}){2,11}(?=[ \t]*+(?:[\r\n]|\Z))")


def behind_user(text: str, at: int, rule: KeyRule) -> Pair | None:
    """Return the password behind a user: `creds: bob / tangerine`."""
    found = _USER_AND.match(text, at) if rule.name == _BOTH else None
    return Pair(rule, *found.span(1)) if found else None


def made_up(value: str) -> int:
    """Return the end of the word and its number that a value begins with; 0 if it does not."""
    found = _MADE_UP.match(value)
    return found.end() if found and not harmless.harmlessly_numbered(found[0]) else 0


def with_rest(text: str, pair: Pair) -> Pair:
    """A value behind a colon with what goes on behind `&`, or with the words of its phrase."""
    value = text[pair.start : pair.end]
    more = _WORDS if value.isalpha() and value.islower() else _REST
    rest = more.match(text, pair.end) if value else None
    return pair._replace(end=rest.end()) if rest and not harmless.is_prose(rest[0]) else pair
