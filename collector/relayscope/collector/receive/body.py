"""The body of an HTTP request: bounded in bytes and in time, before and after decompression."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from typing import TYPE_CHECKING, Final

from relayscope.collector.errors import Malformed, TooLarge, TooSlow, UnsupportedMedia

if TYPE_CHECKING:
    from starlette.requests import Request

    from relayscope.collector.ingest.inflight_limit import Reservation

_GZIP: Final = 31
"""zlib's window size for a gzip header and nothing else."""

BUFFERED: Final = 2**16
"""Bytes of a body that uvicorn buffers before anybody asks for them."""

_DISCARD: Final = 2
"""Multiple of the limit that is read of a refused request before it is cut off."""


class Body:
    """The body of one request, read once: for its bytes, or to be rid of it."""

    def __init__(self, request: Request, limit: int, seconds: float) -> None:
        """Prepare; nothing is read yet.

        Args:
            request: a request whose body has not been read yet.
            limit: largest body in bytes, as sent and decompressed.
            seconds: time that the client may take.
        """
        self._request = request
        self._limit = limit
        self._seconds = seconds
        self._more = True

    async def read(self, reservation: Reservation) -> bytes:
        """The decompressed body; `reservation` grows with what has arrived.

        Raises:
            TooLarge, Malformed, UnsupportedMedia: for good.
            TooSlow, Overloaded: for now.
        """
        headers = self._request.headers
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding not in {"identity", "gzip"}:
            raise UnsupportedMedia("content-encoding must be gzip or identity")
        content = _Gzip(self._limit) if encoding == "gzip" else _Identity(self._limit)
        if self._declared() > self._limit:
            raise content.too_large()
        try:
            async with asyncio.timeout(self._seconds):
                while self._more:
                    content.add(await self._next())
                    reservation.grow_to(content.size)
        except TimeoutError:
            raise TooSlow(f"the request did not arrive within {self._seconds:g} s") from None
        return content.finish()

    async def discard(self) -> None:
        """Read what still comes of a refused request, within bounds, and keep nothing.

        A client that is cut off while it sends never reads its answer, and takes a refusal for
        good for a broken connection, to be tried again. Of what says that it is larger than is ever
        read, nothing is.
        """
        if self._declared() > _DISCARD * self._limit:
            return
        received = 0
        with contextlib.suppress(TimeoutError, Malformed):
            async with asyncio.timeout(self._seconds):
                while self._more and received <= _DISCARD * self._limit:
                    received += len(await self._next())

    def _declared(self) -> int:
        """Return the length that the head gives, 0 if it gives none."""
        declared = self._request.headers.get("content-length", "")
        return int(declared) if declared.isdecimal() else 0

    async def _next(self) -> bytes:
        message = await self._request.receive()
        self._more = message.get("more_body", False)
        if message["type"] == "http.disconnect":
            raise Malformed("the client hung up in the middle")
        chunk: bytes = message.get("body", b"")
        return chunk


class _Identity:
    """A body that arrives as it is."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sent = 0
        self._chunks: list[bytes] = []
        self.size = 0

    def too_large(self) -> TooLarge:
        return TooLarge(f"a request may have {self._limit} bytes, also after decompression")

    def add(self, chunk: bytes) -> None:
        """Take a chunk as it was sent."""
        self._sent += len(chunk)
        if self._sent > self._limit:
            raise self.too_large()
        plain = self._plain(chunk)
        self.size += len(plain)
        if self.size > self._limit:
            raise self.too_large()
        self._chunks.append(plain)

    def finish(self) -> bytes:
        """The whole body."""
        return b"".join(self._chunks)

    def _plain(self, chunk: bytes) -> bytes:
        return chunk


class _Gzip(_Identity):
    """A body that is one gzip member. It never inflates more than one byte over the limit.

    Further members are refused: thousands of empty ones cost quadratic time and no output
    (CVE-2026-128131), and no OTLP client sends them.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._inflater = zlib.decompressobj(_GZIP)

    def finish(self) -> bytes:
        if not self._inflater.eof:
            raise Malformed("the gzip body is cut off")
        return super().finish()

    def _plain(self, chunk: bytes) -> bytes:
        if self._inflater.eof and chunk:
            raise Malformed("the gzip body goes on after its end")
        try:
            plain = self._inflater.decompress(chunk, self._limit - self.size + 1)
        except zlib.error:
            raise Malformed("the body is not gzip") from None
        if self._inflater.unused_data:
            raise Malformed("the gzip body goes on after its end")
        return plain
