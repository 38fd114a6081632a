"""Texts in other texts: base64, hexadecimal digits, UTF-16."""

import base64
import json
import random
from collections.abc import Callable
from typing import Final

import pytest

from relayscope.sanitizer import Rules, Sanitizer
from relayscope.sanitizer.spellings.encoded import encoded_runs
from tests.sanitizer.corpus.judging import harmless

SANITIZER = Sanitizer.default()
SECRET = "vQ9rT2xLm4kanarie"
ENV = f"DB_HOST=db\nDB_PASSWORD={SECRET}\nLOG_LEVEL=info\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


_ENCODINGS: Final[dict[str, Callable[[str], str]]] = {
    "base64": lambda text: _base64(text.encode()),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in lines": lambda text: base64.encodebytes((text * 4).encode()).decode(),
    "base64 behind a byte order mark": lambda text: _base64(b"\xef\xbb\xbf" + text.encode()),
    "base64 of base64": lambda text: _base64(_base64(text.encode()).encode()),
    "base64 of UTF-16": lambda text: _base64(text.encode("utf-16-le")),
    "base64 of UTF-16, big-endian": lambda text: _base64(text.encode("utf-16-be")),
    "base64 of UTF-16 with its mark": lambda text: _base64(text.encode("utf-16")),
    "hex": lambda text: text.encode().hex(),
    "hex of PostgreSQL": lambda text: f"\\x{text.encode().hex()}",
    "hex of a program": lambda text: f"0x{text.encode().hex().upper()}",
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "UTF-16, big-endian": lambda text: text.encode("utf-16-be").decode("latin-1"),
}
_PLACES: Final[dict[str, Callable[[str], str]]] = {
    "alone": lambda text: text,
    "in JSON": lambda text: json.dumps({"a": "x", "content": text}),
    "in JSON in JSON": lambda text: json.dumps([json.dumps({"content": text})]),
    "behind a line": lambda text: json.dumps({"content": f"it reads:\r\n{text}\n"}),
    "in a log line": lambda text: f"got {text} from peer",
    "in a long text": lambda text: f"{'He said so. ' * 200}{text} {'And more. ' * 200}",
    "in a path": lambda text: f"GET /blobs/{text} 200",
    "behind percent signs": lambda text: f"q=%7B%22x%22%3A%22{text}%22%7D",
}


@pytest.mark.parametrize("encode", _ENCODINGS)
@pytest.mark.parametrize("place", _PLACES)
def test_what_is_encoded_is_read(encode: str, place: str) -> None:
    """A secret in a file that was encoded is gone, wherever the file stands."""
    text = _PLACES[place](_ENCODINGS[encode](ENV))
    noise = _PLACES[place](_ENCODINGS[encode](ENV.replace("PASSWORD", "HOSTNAME")))
    cleaned = SANITIZER.text(text)
    assert "[REDACTED:password]" in cleaned
    assert len(cleaned) < len(text)
    assert "[REDACTED" not in SANITIZER.text(noise)


def test_lines_of_words_are_no_part_of_what_is_encoded_above_them() -> None:
    """Only lines as long as encoders make them belong together."""
    cleaned = SANITIZER.text(f"{_base64(ENV.encode()[:33])}\nhello\n")
    assert cleaned == "[REDACTED:password]\nhello\n"


def test_an_encoding_in_an_encoding_ends() -> None:
    """Text that was encoded more often than the limits allow is dropped, not passed."""
    text = ENV
    for _ in range(12):
        text = _base64(text.encode())
    nesting = Sanitizer.from_rules(Rules.from_mapping({"limits": {"nesting": 4}}))
    assert nesting.text(text) == "[DROPPED:nesting]"


def test_little_that_is_harmless_looks_encoded() -> None:
    """Neither source code nor identifiers nor digests are decoded, but for rare accidents."""
    texts = [each.value for each in harmless() if isinstance(each.value, str)]
    assert [text for text in texts if len(encoded_runs(text)) > text.count("eyJ")] == []
    chance = random.Random(17)
    digests = "\n".join(chance.randbytes(32).hex() for _ in range(4000))
    assert len(encoded_runs(digests)) <= 1
    assert len(encoded_runs(_base64(chance.randbytes(200_000)))) <= 1
