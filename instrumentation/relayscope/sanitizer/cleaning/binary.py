"""Finds binary contents in JSON text, and says what they are instead of carrying them.

MCP says where they are: `image` and `audio` contents have `data`, embedded resources have `blob`
(specification 2025-11-25, "Tools", "Resources"). The third place are `data:` URIs (RFC 2397).
"""

import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

import pybase64

from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.json.values import JsonValues
from relayscope.sanitizer.search.multi_search import Expression, MultiSearch
from relayscope.sanitizer.spellings.encoded import decoded_bytes

from .image_size import image_size

_SMALLEST: Final = 256
"""Characters of base64. A smaller one costs less than its marker explains."""

_MEMBER = re.compile(r'"(data|blob)"[ \t\r\n]*+:[ \t\r\n]*+"(?=[A-Za-z0-9+/_-]{64})')
_ENCODING: Final = ";base64,"
_HINTS: Final = ('data"', 'blob"', "data\\", "blob\\", _ENCODING)
_LONG: Final = 2048
"""Characters from which hyperscan finds out sooner that no hint is there: it takes 0.1 ns for each
character and 1 µs for the call, Python's own search for two words 1.1 ns."""
_LARGE: Final = 32 * 1024
_FRONT: Final = 1024
"""Characters of a text that is looked at from the front first: what precedes an image is short, and
all else takes half of what an image of 1 MB does."""
# `\\"data\\":\\"iVBORw0...`
_NESTED = re.compile(r'\\"(?:data|blob)\\++"[ \\ntr]*+:[ \\ntr]*+"[A-Za-z0-9+/_-]{64}')
_URI = re.compile(r"data:([a-z0-9.+/-]{1,64})(?:;[a-z0-9=.-]{1,64}){0,4};base64,\Z", re.IGNORECASE)
_LONGEST_URI: Final = 344
"""Characters of a URI up to its data."""
_RUN = re.compile(r"[A-Za-z0-9+/_-]*+={0,2}")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,31}/[a-z0-9.+-]{1,32}")
_UNKNOWN: Final = "application/octet-stream"

_FROM_URL_SAFE: Final = str.maketrans("-_", "+/")
_BESIDE: Final = 8
"""Members on each side of a `data` that are looked at for its type."""


class Binary(NamedTuple):
    """The base64 of binary content in a text.

    Attributes:
        start: its first character.
        end: the first character after it.
        media_type: its media type, as the text gives it.
        content: the decoded bytes.
    """

    start: int
    end: int
    media_type: str
    content: bytes

    def text(self) -> str | None:
        """Return the content as text, which can hold secrets; None if it is no text."""
        text = decoded_bytes(self.content)
        return None if "\0" in text or "\N{REPLACEMENT CHARACTER}" in text else text

    def marker(self) -> str:
        """Return the marker that replaces the content: type, bytes, the start of its SHA-256.

        Of an image also its pixels, by which a model takes it.
        """
        parts = [self.media_type, len(self.content), hashlib.sha256(self.content).hexdigest()[:16]]
        if size := image_size(self.content):
            parts.append("x".join(map(str, size)))
        return f"[BINARY:{':'.join(map(str, parts))}]"


class _Place(NamedTuple):
    """A stretch of a text that may be base64, and the media type that the text gives it."""

    start: int
    end: int
    media_type: str


SOON: Final = 1000
"""Work that takes 1.5 ms at most, with the thousand that every text may take: some sixty images."""


def may_hold_binary(text: str) -> bool:
    """Return whether a text could have binary contents, also in JSON in its JSON strings."""
    if len(text) < _SMALLEST:
        return False
    if len(text) >= _LARGE and _has_hint(text[:_FRONT]):
        return True
    search = _search_for_hints() if len(text) >= _LONG else None
    if search is None:
        return _has_hint(text)
    found: list[int] = []
    search.search(text.encode("utf-8", "replace"), lambda index, *_: found.append(index))
    return bool(found)


def _has_hint(text: str) -> bool:
    return ("data" in text or "blob" in text) and any(map(text.__contains__, _HINTS))


@cache
def _search_for_hints() -> MultiSearch | None:
    """Hyperscan's search for one of the hints, or None where it is not installed."""
    try:
        return MultiSearch.which([Expression(re.escape(hint)) for hint in _HINTS])
    except ValueError:
        return None


def may_have_uri(text: str) -> bool:
    """Return whether a text could have a URI with binary contents, as encoders write it."""
    return _ENCODING in text


def nested_places(text: str) -> list[int]:
    """Return the places in JSON strings at which JSON in them could have binary contents."""
    return [found.start() for found in _NESTED.finditer(text)] if len(text) >= _SMALLEST else []


def covered(text: str, found: Sequence["Binary"]) -> str:
    """The text with blanks in place of binary contents, of the same length."""
    pieces: list[str] = []
    position = 0
    for each in found:
        pieces += (text[position : each.start], " " * (each.end - each.start))
        position = each.end
    return "".join(pieces) + text[position:]


def marked(text: str, work: int) -> tuple[str, int]:
    """The text with the marker of each binary content in its place, and how many there are.

    The same text if looking for them takes more work than this.
    """
    # Whether it was cleaned before makes no difference here, and finding out takes a third of this.
    allowance = Allowance.of_size(work)
    contents = allowance.attempt(lambda: list(binaries(text, allowance))) or []
    pieces: list[str] = []
    position = 0
    for each in contents:
        pieces += (text[position : each.start], each.marker())
        position = each.end
    return "".join(pieces) + text[position:] if pieces else text, len(contents)


def binaries(text: str, allowance: Allowance) -> Iterator[Binary]:
    """The binary contents of a text, in order and apart.

    Raises:
        TooManyFindings: looking for them takes more than the allowance.
    """
    done = 0
    for place in _members(text, allowance):
        if place.end - place.start >= _SMALLEST and (member := _binary(text, place)):
            # There is no URI in base64.
            yield from _in_uris(text, done, member.start)
            yield member
            done = member.end
    yield from _in_uris(text, done, len(text))


def _in_uris(text: str, start: int, end: int) -> Iterator[Binary]:
    """The contents of the URIs in a stretch of a text."""
    for place in _uris(text, start, end):
        if place.end - place.start >= _SMALLEST and (content := _binary(text, place)):
            yield content


def _uris(text: str, start: int, until: int) -> Iterator[_Place]:
    before = start
    while (end := text.find(_ENCODING, before, until) + len(_ENCODING)) >= len(_ENCODING):
        # From there back: looking for their beginnings takes ten times as long.
        found = _URI.search(text, max(before, end - _LONGEST_URI), end)
        run = _RUN.match(text, end) if found else None
        if found and run:
            yield _Place(end, run.end(), _known(found[1]))
        before = end


def _members(text: str, allowance: Allowance) -> Iterator[_Place]:
    """The base64 of MCP's contents, and of what media type it is."""
    values = JsonValues(text, allowance)
    end = 0
    # Looking for the next one within the base64 would take more than decoding that does.
    while found := _MEMBER.search(text, end):
        end = text.find('"', found.end())
        if end < 0:
            return
        beside = _beside(values, found.start(), end + 1)
        if found[1] == "blob" or beside.get("type") in {"image", "audio"}:
            media_type = beside.get("mimeType")
            known = _known(media_type if isinstance(media_type, str) else "")
            yield _Place(found.end(), end, known)


def _beside(values: JsonValues, start: int, end: int) -> dict[str, object]:
    """The simple members of the object that holds the member between two places."""
    members = [
        *values.members_before(start)[-_BESIDE:],
        *islice(values.members_behind(end), _BESIDE),
    ]
    return {member.name: member.place.value for member in reversed(members)}


def _known(media_type: str) -> str:
    media_type = media_type.partition(";")[0].strip().lower()
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else _UNKNOWN


def _binary(text: str, place: _Place) -> Binary | None:
    content = _decoded(text[place.start : place.end])
    return None if content is None else Binary(*place, content)


def _decoded(letters: str) -> bytes | None:
    """The content, or None if this is no base64."""
    if "-" in letters or "_" in letters:
        letters = letters.translate(_FROM_URL_SAFE)
    letters = letters.rstrip("=")
    letters += "=" * (-len(letters) % 4)
    try:
        # 0.04 ns for each character, where Python's own takes 1, and keeps the interpreter.
        return pybase64.b64decode(letters, validate=True)
    except (binascii.Error, ValueError):
        return None
