"""Last looks at what a pattern matched. Each says whether it can be the secret it looks like.

Each gets the text, and where the secret starts and ends in it: what stands around it tells, too.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import re2

from relayscope.sanitizer.model import Check
from relayscope.sanitizer.search.patterns import options
from relayscope.sanitizer.values.cards import card

_MIXED_RUN = re.compile(r"[A-Za-z0-9]*(?:[A-Za-z][0-9]|[0-9][A-Za-z])[A-Za-z0-9]*")
_RANDOM: Final = 6
"""Letters and digits in a run that mixes both, and that words and their numbers have not: `v1beta`
has less meaning than `4fXz91`, `ISO-3166-alpha-2` has no such run."""

_TOKEN = re.compile(r"(?i)token(?:[\"']?[ \t]{0,8}[:=]|[ \t])[ \t]{0,8}[\"']?\Z")
_NEAR: Final = 32
_USER = re2.compile(
    r"(?i)\b(?:user|to)\s{1,8}\S{1,128}\s{1,8}identified[ \t]+"
    r"(?:with[ \t]+['\"]?\w{1,64}['\"]?[ \t]+)?by[ \t]+['\"]\z",
    options(),
)
_BEGINNING: Final = "-----BEGIN "
_MARKER = re.compile(r"[A-Z0-9 ]{0,48}-----\s*+")
_RUN = re.compile(r"[A-Za-z0-9+/=]{12,}")
# A key begins with a sequence of ASN.1 or the name of OpenSSH's format; other lines have digits.
_ENCODED = re.compile(r"M[A-Z][A-Z0-9]|b3Bl|(?=[A-Za-z+/=]{0,64}[0-9])[A-Za-z0-9+/=]{16}")
_HEADERS: Final = 1024
"""Characters in which the first line of a block of PEM or PGP begins, behind its headers."""

_STATEMENT: Final = 256
"""Characters before a secret in which that stands."""


def digit(text: str, start: int, end: int) -> bool:
    """Return whether it has a digit, as random text has and words have not."""
    return any(character.isdigit() for character in text[start:end])


def mixed(text: str, start: int, end: int) -> bool:
    """Return whether it has a digit, a capital and a small letter."""
    secret = text[start:end]
    return digit(text, start, end) and secret != secret.lower() and secret != secret.upper()


def random(text: str, start: int, end: int) -> bool:
    """Return whether it has a run that mixes letters and digits, as random text does."""
    return any(len(run[0]) >= _RANDOM for run in _MIXED_RUN.finditer(text, start, end))


def basic(text: str, start: int, end: int) -> bool:
    """The base64 of `user:password`, as in HTTP Basic authentication."""
    secret = text[start:end]
    try:
        return b":" in base64.b64decode(secret + "=" * (-len(secret) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def address(text: str, start: int, end: int) -> bool:
    """An IP address that says something: neither loopback nor unspecified."""
    try:
        parsed = ipaddress.ip_address(text[start:end])
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_unspecified)


def token(text: str, start: int, _end: int) -> bool:
    """Return whether it stands behind the word `token`."""
    return _TOKEN.search(text[max(0, start - _NEAR) : start]) is not None


def user(text: str, start: int, _end: int) -> bool:
    """Return whether it stands behind a user's name: `USER bob IDENTIFIED BY 'x'`."""
    # On RE2, because hostile text has many such places.
    return _USER.search(text[max(0, start - _STATEMENT) : start]) is not None


def block(text: str, start: int, end: int) -> bool:
    """Return whether it has random text: a marker alone has not, as in a program's source code."""
    if not text.startswith(_BEGINNING, start):
        return True
    at = start + len(_BEGINNING)
    # The lines of one can be the items of a list.
    return _MARKER.fullmatch(text, at, end) is not None or any(
        _ENCODED.match(run[0]) for run in _RUN.finditer(text, at, min(end, at + _HEADERS))
    )


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {"address": address, "basic": basic, "card": card, "digit": digit, "mixed": mixed}
    | {"random": random, "token": token, "user": user, "block": block}
)
"""The checks by the name that a rule calls them."""
