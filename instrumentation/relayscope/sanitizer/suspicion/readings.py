"""Readings of a text: the texts that the first look searches in place of it, or beside it.

They are made for searching only: no place in them leads back. That is what `views` is for.
"""

import binascii
import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from relayscope.sanitizer.json.strings import NO_STRINGS, Strings, is_json, scan

_CONTAINERS: Final = ('{"', '[{"', '["')
_STRINGS: Final = 16
_FOR_STRING: Final = 256
"""Strings with escapes that are read, and characters that allow for one more: a string takes 1 µs,
as searching 256 characters once more does."""

_ENTITIES: Final = {
    b"&quot;": b'"',
    b"&#34;": b'"',
    b"&#x22;": b'"',
    b"&apos;": b"'",
    b"&#39;": b"'",
    b"&#x27;": b"'",
    b"&#x2F;": b"/",
    b"&#x3D;": b"=",
    b"&lt;": b"<",
    b"&gt;": b">",
}

_ENTITY = re.compile(b"|".join(_ENTITIES))

_QUOTED: Final = 3
"""Times that percent signs and ampersands can be quoted in each other."""

_BLANK = re.compile(rb"\\[nrt]")
_OTHER_BLANK = re.compile(rb"\\[rt]")
_READ: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_RARE: Final = 100
_RICH: Final = 24
"""Bytes for each backslash, from which it takes less time to look at each than to look for those of
blanks (in 30,000 bytes, 20 µs for 100 of them, where that took 60); and up to which a table takes
them out sooner: in 19 µs, where replacing took 9 for 780 of them, and 92 for 9,985."""
_QUOTES = re.compile(rb"%[0-9a-fA-F]{2}")
_NO_QUOTE = re.compile(rb"%(?![0-9a-fA-F]{2})")
"""Characters that percent signs spell; other percent signs are those of formats and numbers."""


class Readings(NamedTuple):
    """Texts to search in place of one.

    Attributes:
        searched: all of this in one text.
        others: the readings that differ from how the text is written. The first is that of JSON
            whose strings were read, and otherwise the text is searched as it is written, too.
        strings: the strings that were read.
    """

    searched: bytes
    others: list[bytes]
    strings: Strings


def readings(text: str, data: bytes) -> Readings:
    """Return the readings of a text with backslashes, percent signs or ampersands.

    Args:
        text: the text.
        data: the same in UTF-8.
    """
    strings = _strings(text) if "\\" in text else NO_STRINGS
    first = plain = _with(text, strings) if strings else data
    found = [first]
    if b"%" in plain and _QUOTES.search(plain):
        found += _unquoted(plain)
        plain = found[-1]
    if b"&" in plain:
        unmarked = _without_entities(plain)
        if unmarked != plain:
            plain = unmarked
            found.append(plain)
    if b"\\" in plain:
        if plain is not first:
            found.append(_without_backslashes(first))
        found.append(_without_backslashes(plain))
    return Readings(b"\n".join(found), found if strings else found[1:], strings)


def _strings(text: str) -> Strings:
    """Return the strings with escapes of a text that is JSON.

    There are none if they are not all there is to it: it is no JSON, or has escapes for letters,
    which hide them from whoever looks for their places. And none if most of it is no such string:
    reading it would take longer than it saves.
    """
    if not text.startswith(_CONTAINERS):
        return NO_STRINGS
    strings: dict[int, tuple[str, int]] = {}
    at = saved = 0
    for _ in range(_STRINGS + len(text) // _FOR_STRING):
        escape = text.find("\\", at)
        if escape < 0:
            return strings if saved > len(text) // 2 and is_json(text) else NO_STRINGS
        # There is no backslash before it, so each second mark opens a string.
        if text.count('"', at, escape) % 2 == 0:
            return NO_STRINGS
        start = text.rfind('"', at, escape) + 1
        try:
            read, at = strings[start] = scan(text, start, True)
        except ValueError:
            return NO_STRINGS
        if not _is_simple(text, start, at - 1, read):
            return NO_STRINGS
        saved += len(read)
    return NO_STRINGS


def _with(text: str, strings: Strings) -> bytes:
    """The text with its strings as they read, each between its quotation marks."""
    pieces: list[str] = []
    at = 0
    for start, (read, behind) in strings.items():
        pieces += text[at:start], read
        at = behind - 1
    pieces.append(text[at:])
    return "".join(pieces).encode()


def _is_simple(text: str, start: int, end: int, read: str) -> bool:
    """Return whether the escapes of a string are those of blanks, marks, slashes and themselves."""
    escapes = text.count("\\", start, end) - read.count("\\")
    return end - start - len(read) == escapes and "\b" not in read and "\f" not in read


def _unquoted(data: bytes) -> list[bytes]:
    """The text with percent signs read, once and, where they are percent signs, again."""
    read = [_unquoted_once(data)]
    while b"%25" in data and len(read) < _QUOTED:
        data = read[-1]
        read.append(_unquoted_once(data))
    return read


def _unquoted_once(data: bytes) -> bytes:
    if _NO_QUOTE.search(data):
        return unquote_to_bytes(data)
    # Mail quotes in the same way but for the sign, and is read in C: 2 instead of 30 ns a byte.
    return binascii.a2b_qp(data.replace(b"=", b"%3D").replace(b"%", b"="))


def _without_entities(data: bytes) -> bytes:
    """The text with HTML's quotes read, however deep; letters as entities have a filter."""
    for _ in range(_QUOTED):
        if b"&amp;" not in data:
            break
        data = data.replace(b"&amp;", b"&")
    for entity in set(_ENTITY.findall(data)):
        data = data.replace(entity, _ENTITIES[entity])
    return data


def _without_backslashes(data: bytes) -> bytes:
    """The text as if every escape were read, however deep; hexadecimal ones have a filter."""
    count = data.count(b"\\")
    if count * _RARE < len(data):
        first, *others = data.split(b"\\")
        return first + b"".join([_READ.get(each[:1], each[:1]) + each[1:] for each in others])
    is_rich = count * _RICH > len(data)
    if _BLANK.search(data):
        # The backslash goes with the others: replacing by as many bytes takes half the time.
        data = data.replace(b"\\n", b"\\\n")
        if is_rich or _OTHER_BLANK.search(data):
            data = data.replace(b"\\r", b"\\\r").replace(b"\\t", b"\\\t")
    # The second takes as long however many there are.
    return data.translate(None, b"\\") if is_rich else data.replace(b"\\", b"")
