"""Tells payment card numbers from the ids, times and floats that have as many digits.

Of random numbers of 16 digits, one in four starts as a card's does, and one in ten of these has a
right check digit. So a number is none among other numbers: in a row of them, in a column, in JSON.
"""

import re
from collections.abc import Iterable
from typing import Final

_SINGLE: Final = bytes.maketrans(b"0123456789", bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 9)))
_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
"""The cross sums of each digit and of its double."""

_NO_DIGITS = re.compile(r"[^0-9]+")

# As in the rule `card-number`, whose expression has let through nothing but an issuer's numbers.
_ISSUED = re.compile(
    r"(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6[0-9]{3}|35[0-9]{2})[0-9]{12}|3[47][0-9]{13}"
    r"|3[0689][0-9]{12}"
)

_SEPARATED = r"[ \t\r\n,;|]{1,16}"
_GROUPED = r"[2-6][0-9]{3}[ -]?[0-9]{4,6}[ -]?[0-9]{4,5}[ -]?[0-9]{0,4}"
_NUMBER = r"[-+]?[0-9]+(?:[.,][0-9]+)*"
_BEFORE = [
    re.compile(rf"(?:\A|[\s,;|\[(])({number}){_SEPARATED}\Z") for number in (_GROUPED, _NUMBER)
]
_BEHIND = [
    re.compile(rf"\A{_SEPARATED}({number})(?:[\s,;|\])]|\Z)") for number in (_GROUPED, _NUMBER)
]
_COLUMN_BEFORE = re.compile(rf"(?:(?<![0-9])[0-9]{{13,19}}{_SEPARATED}){{2,8}}\Z")
_COLUMN_BEHIND = re.compile(rf"(?:{_SEPARATED}[0-9]{{13,19}}(?![0-9])){{2,8}}")
_COLUMN: Final = 168
"""Characters before and behind in which other numbers of a column stand. Of 3,000 columns of 96
random ids, 120 had one that was taken for a card because its neighbours could be cards, too; none
has if all of these must be."""

_NUMBERS = re.compile(r"[0-9]+")
_EXPIRY = re.compile(r"\s*[|,; ]\s*(?:0?[1-9]|1[0-2])\s*[/|]\s*(?:20)?[0-9]{2}\b")
_JSON_BEFORE = re.compile(r'(?:"\s*:|\[)\s*\Z')
_JSON_BEHIND = re.compile(r"\s*[,\]}]")
_AROUND: Final = 48
"""Characters that are looked at before and behind."""


def card(text: str, start: int, end: int) -> bool:
    """A payment card number: a right check digit, and no numbers around that are no cards."""
    if not _checked(text[start:end]):
        return False
    before, behind = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    if _part_of_more(before, behind) or _number_in_json(before, behind):
        return False
    if _EXPIRY.match(behind):
        return True
    if not (_card_or_none(_BEFORE, before) and _card_or_none(_BEHIND, behind)):
        return False
    column = (
        _COLUMN_BEFORE.search(text[max(0, start - _COLUMN) : start]),
        _COLUMN_BEHIND.match(text, end, end + _COLUMN),
    )
    return all(
        map(_is_card, {each for found in column if found for each in _NUMBERS.findall(found[0])})
    )


def _card_or_none(expressions: Iterable[re.Pattern[str]], text: str) -> bool:
    """Return whether the number next to it, if any, is a card's, too: cards come in lists."""
    numbers = {found[1] for expression in expressions if (found := expression.search(text))}
    return not numbers or any(map(_is_card, numbers))


def _is_card(number: str) -> bool:
    return bool(_ISSUED.fullmatch(_digits(number))) and _checked(number)


def _checked(text: str) -> bool:
    """Return whether the check digit is right (Luhn)."""
    digits = _digits(text).encode()
    single, doubled = digits[::-2].translate(_SINGLE), digits[-2::-2].translate(_DOUBLED)
    return (sum(single) + sum(doubled)) % 10 == 0


def _part_of_more(before: str, behind: str) -> bool:
    """Return whether it is a piece of a word, a path, a decimal or a longer id."""
    last, next_two = before[-1:], behind[:2]
    return (
        last.isalnum()
        or last in {"_", "-", ".", "/", "$", "€", "£"}
        or (next_two[:1] in {"-", ".", "/", "_"} and next_two[1:].isalnum())
    )


def _number_in_json(before: str, behind: str) -> bool:
    """Return whether it is a bare number of JSON. Only its name could tell that it is a card's."""
    return bool(_JSON_BEFORE.search(before) and _JSON_BEHIND.match(behind))


def _digits(text: str) -> str:
    return text if text.isdecimal() and text.isascii() else _NO_DIGITS.sub("", text)
