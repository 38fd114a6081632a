"""Markers of binary content, computed from the wire: what may be stored in its place.

Reads MCP by itself and shares nothing with the sanitizer, which is judged by it.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

_DATA_URI: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,([A-Za-z0-9+/]+={0,2})")


def marked(text: str) -> str:
    """Return the text of a message with a marker where the base64 of each binary content was."""
    try:
        message = json.loads(text)
    except ValueError:
        return text
    for media_type, encoded in _contents(message):
        text = text.replace(encoded, marker(media_type, encoded))
    return text


def marker(media_type: str, encoded: str) -> str:
    """Return what is stored instead of base64: media type, size, and the digest's beginning."""
    data = b64decode(encoded, validate=True)
    return f"[BINARY:{media_type}:{len(data)}:{sha256(data).hexdigest()[:16]}]"


def _contents(value: Any) -> Iterator[tuple[str, str]]:
    """Yield media type and base64 of all images, audios, blobs and `data:` URIs."""
    match value:
        case {"type": "image" | "audio", "data": str(encoded), "mimeType": str(media_type)}:
            yield media_type, encoded
        case {"uri": str(), "blob": str(encoded), "mimeType": str(media_type)}:
            yield media_type, encoded
        case dict():
            for each in value.values():
                yield from _contents(each)
        case list():
            for each in value:
                yield from _contents(each)
        case str():
            yield from _DATA_URI.findall(value)
