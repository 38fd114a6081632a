"""Last looks at what a pattern matched. Each says whether it can be the secret it looks like."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

_DIGITS = re.compile(r"[^0-9]+")

_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}"  # Discover
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14,17}"  # UnionPay
)


def card(text: str) -> bool:
    """A payment card number: an issuer's prefix and length, and a right Luhn digit."""
    digits = _DIGITS.sub("", text)
    if not _CARD.fullmatch(digits):
        return False
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + index % 2)
        total += number - 9 if number > 9 else number  # noqa: PLR2004 - the cross sum of 10 to 18.
    return total % 10 == 0


def digit(text: str) -> bool:
    """It has a digit, as random text has and words have not."""
    return any(character.isdigit() for character in text)


def basic(text: str) -> bool:
    """The base64 of `user:password`, as in HTTP Basic authentication."""
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def address(text: str) -> bool:
    """An IP address that says something: neither loopback nor unspecified."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_unspecified)


CHECKS: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {check.__name__: check for check in (card, digit, basic, address)}
)
"""The checks by the name that a rule calls them."""
