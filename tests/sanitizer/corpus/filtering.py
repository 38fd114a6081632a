"""Rate at which the filter lets harmless text through to a pattern, which costs time."""

import base64
import random
from collections import Counter
from typing import Final

from relayscope.sanitizer import Rules
from relayscope.sanitizer.search.prefilter import prefilter
from tests.sanitizer.corpus.judging import harmless

_PIECES: Final = 1000
_SIZE: Final = 1000
"""Number and characters of the pieces of what is random: 1 MB in all."""


def firing() -> dict[str, Counter[str]]:
    """By kind of text: how often each rule's pattern fired, beside `texts`, their number."""
    rules = Rules.default().patterns
    search = prefilter(rules, ())
    counts: dict[str, Counter[str]] = {}
    for kind, texts in _texts().items():
        counts[kind] = Counter(texts=len(texts))
        for text in texts:
            fired = search.fired(text.encode()) or []
            counts[kind].update(rules[index].name for index in fired)
    return counts


def _texts() -> dict[str, list[str]]:
    chance = random.Random(17)
    data = [chance.randbytes(_SIZE) for _ in range(_PIECES)]
    floats = (str(chance.random()) for _ in range(_PIECES * _SIZE // 20))
    return {
        "harmless": [each.value for each in harmless() if isinstance(each.value, str)],
        "base64": [base64.b64encode(piece).decode()[:_SIZE] for piece in data],
        "base64url": [base64.urlsafe_b64encode(piece).decode()[:_SIZE] for piece in data],
        "hex": [piece.hex()[:_SIZE] for piece in data],
        "floats": [" ".join(row) for row in zip(*[floats] * (_SIZE // 20), strict=False)],
    }
