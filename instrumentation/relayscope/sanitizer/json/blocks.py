"""Keys in PEM whose lines are JSON strings of their own: a list of lines, several contents."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from relayscope.sanitizer.findings import Finding

from .strings import JsonString, json_string

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,64}-----\s*(?:[A-Za-z0-9+/=]{0,128}\s*){0,4}\Z")
_END: Final = "-----END"
_LINE = re.compile(
    r"\s*(?:(?:Proc-Type|DEK-Info|Version|Comment): .*"
    r"|[A-Za-z0-9+/=\s]{16,}|[A-Za-z0-9+/]*={1,2})\s*"
)
_LONGEST: Final = 4096
"""Strings that are looked at for the end of a key."""


def goes_on(string: JsonString, finding: Finding) -> bool:
    """Return whether a finding is the beginning of a key that does not end in its string."""
    begun = string.text[finding.start :]
    return _END not in begun and _BEGIN.match(begun) is not None


def block(text: str, at: int) -> Iterator[JsonString]:
    """The strings with the rest of a key that begins before a place."""
    for string in islice(_strings(text, at), _LONGEST):
        if string.text.lstrip().startswith(_END):
            return
        if not string.is_name() and _LINE.fullmatch(string.text):
            yield string


def _strings(text: str, at: int) -> Iterator[JsonString]:
    while (mark := text.find('"', at)) >= 0:
        string = json_string(text, mark)
        if string is None:
            return
        yield string
        at = string.end + 1
