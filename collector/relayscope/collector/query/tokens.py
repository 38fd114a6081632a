"""Tokens of a text: counted by a published tokenizer where it is installed, estimated elsewhere.

Each model has a tokenizer of its own. `o200k_base` is OpenAI's; it comes with `relayscope[tokens]`,
an extra, because its vocabulary makes a package of 40 MB and takes 150 MB of memory.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TOKENIZER: Final = "o200k_base"

BYTES_OF_TOKEN: Final = 4
"""OpenAI's rule of thumb for English, in bytes of UTF-8, so that it holds for other scripts nearly.
`cl100k_base` takes 4.3 for the definitions of 15 tools of published servers (3.6 to 4.6 each), 4.5
for Python, 3.5 for German, 3.2 for Russian, 3.1 for Chinese, 2.0 for tables of numbers as JSON."""

PIXELS_OF_TOKEN: Final = 750
MOST_OF_IMAGE: Final = 1600
"""The rule that Anthropic publishes for images: a token for so many pixels, and larger images are
made as small as the most of these."""

_MOST_CHARACTERS: Final = 1_000_000
"""Characters that are counted, at 0.12 us each; longer texts are estimated."""


def estimated(size: int) -> int:
    """Estimate how many tokens a text of so many bytes is."""
    return -(-size // BYTES_OF_TOKEN)


def count(text: str) -> int:
    """Count the tokens of a text, or estimate them if it is very long or no tokenizer is there."""
    encoded = text.encode("utf-8", "replace")
    encode = tokenizer()
    if encode is None or len(text) > _MOST_CHARACTERS:
        return estimated(len(encoded))
    return len(encode(encoded.decode()))


def of_image(width: int, height: int) -> int:
    """Return the tokens of an image."""
    return min(MOST_OF_IMAGE, -(-width * height // PIXELS_OF_TOKEN))


def are_counted() -> bool:
    """Return true if the tokenizer is installed."""
    return tokenizer() is not None


@cache
def tokenizer() -> Callable[[str], Sequence[int]] | None:
    """Load the tokenizer, which takes 0.7 s; None if it is not installed."""
    try:
        package = import_module("bpe_openai")
    except ImportError:
        return None
    # `encode` refuses texts that hold what looks like a special token.
    encode: Callable[[str], Sequence[int]] = package.get_encoding(TOKENIZER).encode_ordinary
    return encode
