"""Texts that are hidden in base64, in hexadecimal digits and in UTF-16."""

import binascii
import re
from typing import Final, NamedTuple

import pybase64

from relayscope.sanitizer.search.patterns import spans

_LETTER: Final = "[A-Za-z0-9+/_-]"
_JSON: Final = (
    # What `{` or `[`, then a quote, white space or another bracket becomes.
    rf"(?:ey[AIJKL]|ew[ok0]|W(?:3[st]|y[AIJKL]|w[ok0]|1[st])){_LETTER}{{8}}"
)
# What three printable bytes become: none has its highest bit, the first is no control character.
_TEXT: Final = rf"(?:[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589]{_LETTER}){{6}}"
_UTF_16: Final = (
    rf"(?:A[A-H][AEIMQUYcgkosw048]A[CDI-Za-f][AQgw][AB]{_LETTER}){{3}}"
    rf"|(?:[CDI-Za-f][AQgw][AB]{_LETTER}A[A-H][AEIMQUYcgkosw048]A){{3}}"
)
_HEX: Final = "(?:0[9aAdD]|[2-7][0-9a-fA-F]){16}"
# NUL, or what it became for PostgreSQL; hyperscan has bytes in its classes.
_WIDE: Final = "(?:[ -~](?:\\x00|\u2400)){8}"

_BEFORE: Final = (
    r"(?:^|[^A-Za-z0-9]|\\[bfnrtx]|%5[cC][nrtx]|[%x][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|0x|//[45]|/v8)"
)
"""Characters before a run: no letter of another run, but the end of an escape or a mark."""

ENCODED_FILTER: Final = f"{_BEFORE}{_JSON}|\\x00[ -~]\\x00|\u2400[ -~]\u2400"
"""For the prefilter: where such a text could start, but for those in long runs of letters."""

_LONG: Final = 24
RUN_FILTER: Final = f"{_LETTER}{{{_LONG}}}"
"""Tells whether a text has a run of letters that is long enough for what follows, in 0.2 ns for
each byte."""

LONG_RUN_FILTERS: Final = (_TEXT, _UTF_16, _HEX)
"""Beginnings of such a text in a long run. They take 1.7 ns for each byte, more than all other
filters together, and fire on one in a million random letters; with half as many letters, on many a
list of digests."""

_SAME: Final = ord("x")
_RUNS: Final = bytes(
    _SAME if byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-" else 0
    for byte in range(256)
)
_RUN: Final = bytes([_SAME]) * _LONG
_FOR_RUN: Final = 256
"""Bytes that are searched whole in the time that it takes to find one run."""

_START: Final = f"(?:{_JSON}|{_TEXT}|{_UTF_16}){_LETTER}*|{_HEX}[0-9a-fA-F]*|{_WIDE}"

_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]")
# The letter of an escape, or the digits of a percent sign's, can stand before a run.
_BEHIND_ESCAPE = re.compile(
    r".*(?:(?:\\|%5[cC])[nrtx]|%[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|0x)", re.DOTALL
)
_WINDOW: Final = 6

_MARKS: Final = ("//4", "//5", "/v8", "77u/")
"""The byte order marks of UTF-16 and UTF-8 in base64."""

_MARK: Final = 4

_SPELLING: Final = ("\\", "%", "&")

_HEX_RUN = re.compile(r"[0-9a-fA-F]++(?![A-Za-z0-9+/_-])")
# Only lines as long as encoders make them go on.
_BASE64_RUN = re.compile(
    r"[A-Za-z0-9+/_-]{48,}+(?:\r?\n[A-Za-z0-9+/_-]{48,}+)*+(?:\r?\n[A-Za-z0-9+/_-]++)?+={0,2}"
    r"|[A-Za-z0-9+/_-]++={0,2}"
)
_WIDE_RUN = re.compile("(?:[^\0\u2400][\0\u2400])++")

_NULS: Final = "\0\u2400"

_PROBE: Final = 8
"""Bytes in which zeros tell of UTF-16."""


class Run(NamedTuple):
    """A stretch of a text in which another text is encoded."""

    start: int
    end: int


def long_runs(data: bytes) -> bytes:
    """The long runs of letters in UTF-8 text, one on each line; all of a text that has many."""
    # 0.7 ns for each byte: what differs is made equal, so that a run is found as a text.
    marked = data.translate(_RUNS)
    runs: list[bytes] = []
    most = len(data) // _FOR_RUN
    end = 0
    while (start := marked.find(_RUN, end)) >= 0:
        if len(runs) >= most:
            return data
        end = marked.find(b"\0", start)
        end = len(data) if end < 0 else end
        runs.append(data[start:end])
    return b"\n".join(runs)


def encoded_runs(text: str) -> list[Run]:
    """Return the stretches that could encode other texts, in order and without overlaps."""
    runs: list[Run] = []
    done = 0
    for start, end in spans(_START, text):
        if start < done:
            continue
        run = _wide(text, start) if text[start + 1] in _NULS else _letters(text, start)
        if run:
            runs.append(run)
        done = run.end if run else end
    return runs


def _wide(text: str, start: int) -> Run:
    found = _WIDE_RUN.match(text, start)
    end = found.end() if found else start
    if start and text[start - 1] in _NULS:
        # The zero comes first, so the last character has none behind it.
        return Run(start - 1, min(end + 1, len(text)))
    return Run(start, end)


def _letters(text: str, start: int) -> Run | None:
    """A run of hexadecimal digits or of base64; None if it does not start here."""
    if text.startswith(_MARKS, max(0, start - _MARK)):
        start = max(0, start - _MARK)
    if _ALPHANUMERIC.match(text, max(0, start - 1), start) and not _BEHIND_ESCAPE.fullmatch(
        text[max(0, start - _WINDOW) : start]
    ):
        return None
    found = _HEX_RUN.match(text, start) or _BASE64_RUN.match(text, start)
    return Run(start, found.end()) if found else None


def goes_on(text: str, run: Run) -> bool:
    """Return whether an escaped line break or sign follows, behind which the run may go on."""
    return text[run.end : run.end + 1] in _SPELLING


def decoded(text: str, run: Run) -> str:
    """Return the text that a stretch encodes; empty if it encodes none."""
    letters = text[run.start : run.end]
    if "\0" in letters or "\u2400" in letters:
        return letters.replace("\0", "").replace("\u2400", "")
    if _HEX_RUN.fullmatch(letters):
        return decoded_bytes(bytes.fromhex(letters[: len(letters) // 2 * 2]))
    letters = letters.rstrip("=").replace("-", "+").replace("_", "/")
    if "\n" in letters:
        letters = letters.replace("\n", "").replace("\r", "")
    # One letter alone holds no byte; a run that was cut may end in one.
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    try:
        return decoded_bytes(pybase64.b64decode(letters + "=" * (-len(letters) % 4), validate=True))
    except binascii.Error:
        return ""


def decoded_bytes(data: bytes) -> str:
    """Bytes as text: UTF-16 if its byte order mark or zeros say so, else UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    first = data[:_PROBE]
    if len(first) == _PROBE and not any(first[1::2]):
        return data.decode("utf-16-le", "replace")
    if len(first) == _PROBE and not any(first[::2]):
        return data.decode("utf-16-be", "replace")
    return data.decode("utf-8", "replace")
