"""The content codings gzip and deflate, taken off a body as it passes (RFC 9110, section 8.4.1)."""

import zlib
from collections.abc import Iterator
from typing import Final

CODINGS: Final = frozenset({b"gzip", b"x-gzip", b"deflate"})
"""Content codings that are understood, in lower case."""

_EITHER_HEADER: Final = 32 + zlib.MAX_WBITS
"""Tells zlib to find out by itself whether gzip's or its own header comes."""

_PIECE: Final = 1024 * 1024
_MOST: Final = 256 * 1024 * 1024
"""Bytes that are inflated at a time, and of one body: 1 MiB may hold 1 GiB, which takes 3 s."""


class Inflation:
    """Takes a compressed body in pieces and gives what it says."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_EITHER_HEADER)
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next piece; yield what it says.

        Raises:
            ValueError: It says too much, or is not compressed as it should be.
        """
        is_more = bool(data)
        while is_more:
            try:
                piece = self._zlib.decompress(data, _PIECE)
            except zlib.error as error:
                raise ValueError(str(error)) from error
            self._size += len(piece)
            if self._size > _MOST:
                raise ValueError("a compressed body is too large to be recorded")
            if piece:
                yield piece
            data = self._zlib.unconsumed_tail
            # A full piece may leave a rest of what has been read already.
            is_more = bool(data) or len(piece) == _PIECE
