"""The pixels of an image stand in its marker: what a model pays for it does not go with it."""

import base64
import hashlib
import json
import struct
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import Sanitizer
from relayscope.sanitizer.cleaning.image_size import image_size

SANITIZER: Final = Sanitizer.default()

DRAWN: Final = {
    "image/png": (
        "iVBORw0KGgoAAAANSUhEUgAAACUAAAAVCAYAAADB5CeuAAAAQUlEQVR4AezSsQkAAAgDQQkO7uiu8GWKF+xSyJkke3U7hZPCm8aj"
        "6FeUUooK0JydUooK0JydUooK0JydUooK0NwDAAD//xId01gAAAAGSURBVAMAk3IT0zDXW+YAAAAASUVORK5CYII="
    ),
    "image/jpeg": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////////"
        "////////////////2wBDAVVaWnhpeOuCguv/////////////////////////////////////////////////////////////////////"
        "////wAARCAAVACUDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAA"
        "AAAAAAAAAAAAAAME/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AkAm2AAAAAAAAAAP/2Q=="
    ),
    "image/webp": (
        "UklGRgAAAABXRUJQVlA4IDoAAAAwAwCdASolABUAP3G202G0ryqmJWgCkC4JZwDPKA8KmggAAP7guX6qOxyc//wQX4g/UGoxJW154AAA"
    ),
    "image/webp; lossless": "UklGRgAAAABXRUJQVlA4TBUAAAAvJAAFEAdQgQoQSNribX8B44iI/gc=",
}
"""Of 37 by 21 pixels, by Chromium, without the description of colours that it adds."""


def extended(width: int, height: int) -> bytes:
    """Return the head of a WebP with more in it than a picture."""
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return b"RIFF\0\0\0\0WEBPVP8X" + struct.pack("<II", 10, 0) + sides


@pytest.mark.parametrize("kind", DRAWN)
def test_pixels_are_read_from_the_head(kind: str) -> None:
    """Of each kind of image that models take, as an encoder writes it."""
    assert image_size(base64.b64decode(DRAWN[kind])) == (37, 21)


def test_pixels_are_read_from_other_heads_too() -> None:
    """GIF of both versions, and WebP with a canvas."""
    assert image_size(b"GIF87a" + struct.pack("<HH", 640, 480)) == (640, 480)
    assert image_size(b"GIF89a" + struct.pack("<HH", 1, 65535)) == (1, 65535)
    assert image_size(extended(1280, 800)) == (1280, 800)


@given(st.binary(max_size=200), st.sampled_from([*DRAWN, ""]), st.integers(0, 40))
def test_whatever_an_image_holds_its_pixels_are_numbers_or_unknown(
    content: bytes, kind: str, kept: int
) -> None:
    """A head that lies or ends harms nobody."""
    head = base64.b64decode(DRAWN[kind])[:kept] if kind else b""
    size = image_size(head + content)
    assert size is None or all(0 < side < 100_000 for side in size)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (100_000, 5), (2**31, 2**31)])
def test_sizes_that_nobody_believes_are_none(width: int, height: int) -> None:
    """Of no pixels, or of more than anybody draws."""
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    assert image_size(head) is None


def test_the_marker_of_an_image_has_its_pixels() -> None:
    """Behind its digest; and it stays as it is when it is looked at again."""
    content = base64.b64decode(DRAWN["image/jpeg"])
    image = {"type": "image", "mimeType": "image/jpeg", "data": DRAWN["image/jpeg"]}
    once = SANITIZER.text(json.dumps(image))
    digest = hashlib.sha256(content).hexdigest()[:16]
    assert json.loads(once)["data"] == f"[BINARY:image/jpeg:{len(content)}:{digest}:37x21]"
    assert SANITIZER.text(once) == once
    as_value = once.replace('"data"', '"token"')
    assert SANITIZER.text(as_value) == as_value, "as every marker, it is nobody's secret"
