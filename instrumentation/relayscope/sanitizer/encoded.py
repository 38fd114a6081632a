"""Texts that are hidden in base64."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from relayscope.sanitizer.patterns import compiled

BASE64_FILTER: Final = (
    # What `{` or `[`, then a quote, white space or another bracket becomes.
    r"(?:ey[AIJKL]|ew[ok0]|W(?:3[st]|y[AIJKL]|w[ok0]|1[st]))[A-Za-z0-9+/_-]{8}"
)
"""For the prefilter: where base64 of JSON could start."""

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_RUN = re.compile(r"[A-Za-z0-9+/_-]++={0,2}")
_FROM_URL_SAFE: Final = str.maketrans("-_", "+/")


def encoded_places(text: str) -> list[int]:
    """Where base64 of something like JSON could start."""
    starts = (found.start() for found in compiled(BASE64_FILTER).finditer(text))
    return [at for at in starts if at == 0 or text[at - 1] not in _LETTERS]


def encoded_texts(text: str) -> Iterator[tuple[int, int, str]]:
    """Where base64 of something like JSON stands in a text, and what it says."""
    for start in encoded_places(text):
        run = _RUN.match(text, start)
        if run is None:
            continue
        letters = run[0].rstrip("=").translate(_FROM_URL_SAFE)
        # One letter alone holds no byte; a run that was cut may end in one.
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        try:
            decoded = base64.b64decode(letters + "=" * (-len(letters) % 4))
        except binascii.Error:
            continue
        yield start, run.end(), decoded.decode("utf-8", "replace")
