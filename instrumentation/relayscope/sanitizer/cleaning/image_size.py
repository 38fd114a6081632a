"""The width and height of an image, as its head says them.

They tell what an image costs a model, also where the image itself is not kept.
"""

import struct
from typing import Final

_LARGEST: Final = 99_999
"""Pixels of a side beyond which nobody believes them."""

_SEGMENTS: Final = 64
"""Segments of a JPEG that are passed over: a camera's has 10."""

_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Kinds of segments of a JPEG that begin with its size."""


def image_size(content: bytes) -> tuple[int, int] | None:
    """Return the pixels of a PNG, GIF, WebP or JPEG; None if it is none, or does not say them."""
    try:
        size = _size(content)
    except struct.error:  # it ends before
        return None
    return size if size and all(0 < side <= _LARGEST for side in size) else None


def _size(content: bytes) -> tuple[int, int] | None:
    width: int
    height: int
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", content, 16)
        return width, height
    if content.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack_from("<HH", content, 6)
        return width, height
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _webp(content)
    return _jpeg(content) if content.startswith(b"\xff\xd8") else None


def _webp(content: bytes) -> tuple[int, int] | None:
    """Return what its first part says: a canvas, a lossless picture or a lossy one (RFC 9649)."""
    match content[12:16]:
        case b"VP8X":
            width, height = (int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
            return width + 1, height + 1
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    place = 2
    for _ in range(_SEGMENTS):
        start, kind, length = struct.unpack_from(">BBH", content, place)
        if start != 0xFF:  # noqa: PLR2004 - JPEG's own
            return None
        if kind in _FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        place += 2 + length
    return None
