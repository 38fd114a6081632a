"""Framing of a body in HTTP/1.1: its end, and its data (RFC 9112, section 6)."""

from collections.abc import Iterator
from typing import Final, Protocol

_LONGEST_LINE: Final = 64 * 1024
"""Bytes of a chunk's size with its extensions; `http.client` takes as many."""


class Framing(Protocol):
    """Takes a body in pieces of any size and gives the data in them."""

    is_over: bool
    """True once the body is complete."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take the next piece; yield the data in it."""


class Measured:
    """A body whose length is known, or which ends with its connection."""

    def __init__(self, length: int | None) -> None:
        self._left = length
        self.is_over = length == 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take the next piece; yield the data in it."""
        if self._left is None:
            yield piece
            return
        data = piece[: self._left]
        self._left -= len(data)
        self.is_over = not self._left
        yield data


class Chunked:
    """A body in the chunked transfer coding (RFC 9112, section 7.1)."""

    def __init__(self) -> None:
        self.is_over = False
        self._line = b""
        """The part of a chunk's first line that has come."""
        self._left = 0
        """Bytes that are still to come of a chunk's data."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take the next piece; yield the data in it.

        Raises:
            ValueError: The body is not chunked as it should be.
        """
        position = 0
        while position < len(piece) and not self.is_over:
            if self._left:
                data = piece[position : position + self._left]
                self._left -= len(data)
                position += len(data)
                yield data
                continue
            end = piece.find(b"\n", position)
            line = self._line + piece[position : end if end >= 0 else len(piece)]
            if len(line) > _LONGEST_LINE:
                raise ValueError("the line with a chunk's size is too long")
            if end < 0:
                self._line = line
                return
            self._line, position = b"", end + 1
            self._begin(line)

    def _begin(self, line: bytes) -> None:
        """Take a chunk's first line, or the empty one that ends the chunk before it."""
        size = line.partition(b";")[0].strip()
        if size:
            # `int` takes a sign, and would go back.
            self._left = abs(int(size, 16))
            self.is_over = not self._left
