"""Text that a peer may make as long as it likes, and the part of it that is kept.

Up to `MOST_KEPT` bytes a text is kept whole. Of a longer one there are its head, its tail, its size
and its digest, taken a piece at a time as it passes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST_KEPT: Final = 16 * 1024 * 1024
"""Bytes kept of a text, whose end may never come."""

_TAIL: Final = 1024
"""Bytes kept of a longer text's end, where an answer may have its id."""

_PIECE: Final = 1024 * 1024
"""Bytes that are copied at a time of what a host reads or writes at once."""


@dataclass(frozen=True, slots=True)
class LongText:
    """The head, tail, size and digest of a text that was too long to be kept.

    Attributes:
        head: Its first bytes.
        tail: Its last bytes.
        size: Bytes of all of it.
        sha256: Digest of all of it, in hexadecimal.
    """

    head: bytes
    tail: bytes
    size: int
    sha256: str

    def __len__(self) -> int:
        return self.size


Text = str | bytes | LongText
"""A message's text, as far as it was kept."""


class Gathering:
    """Puts the pieces of a text together, of which there may be any number."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = b""
        self._size = 0
        self._digest = hashlib.sha256()

    def __len__(self) -> int:
        return self._size

    def add(self, data: str | bytes | bytearray | memoryview) -> None:
        """Take the next piece."""
        for piece in pieces(data):
            self._add(piece)

    def _add(self, piece: bytes) -> None:
        is_kept = self._size <= MOST_KEPT
        self._size += len(piece)
        if self._size <= MOST_KEPT:
            self._head += piece
            return
        if is_kept:
            self._digest = hashlib.sha256(self._head)
        self._digest.update(piece)
        self._tail = (self._tail + piece[-_TAIL:])[-_TAIL:]

    def take(self) -> bytes | LongText:
        """Return the text, and begin another."""
        text: bytes | LongText = bytes(self._head)
        if self._size > MOST_KEPT:
            text = LongText(bytes(self._head), self._tail, self._size, self._digest.hexdigest())
        self._head, self._tail, self._size = bytearray(), b"", 0
        return text


def shortened(text: str | bytes | bytearray) -> bytes | LongText:
    """Return the part of a text that is kept."""
    gathering = Gathering()
    gathering.add(text)
    return gathering.take()


def pieces(data: str | bytes | bytearray | memoryview) -> Iterator[bytes]:
    """Go through data as bytes, without a copy of all of it at once."""
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        yield piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else bytes(piece)
