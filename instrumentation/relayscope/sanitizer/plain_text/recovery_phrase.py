"""Recovery phrases of wallets: the twelve to twenty-four words of BIP 39 near their name."""

import re
from typing import Final

from relayscope.sanitizer.values.page import Page, Pair

_NAMES: Final = ("hrase", "nemonic", "HRASE", "NEMONIC")
"""The names end like this; a comparison without regard to case takes longer than all of this."""

_NEAR: Final = 96
"""Characters between the name and the phrase: `Recovery phrase (12 words, keep them safe):`."""

# None of these is a word of BIP 39, and a dozen words of a sentence have one of them.
_NO_SENTENCE: Final = (
    r"(?!(?:the|and|for|with|your|from|should|which|into|than|them|these|those|are|was|were|been|not"
    r"|has|had|his|her|its|our|their|here|how|who|why|some|each|never|store|words|recovery)\b)"
)
_WORD: Final = rf"(?:[0-9]{{1,2}}[.):]?[ \t]*+)?{_NO_SENTENCE}[a-z]{{3,8}}+(?![\w'-])"
_APART: Final = r"(?:,?[ \t]++|,?[ \t]*+\r?\n[ \t]*+|,)"
_BEGINNING = re.compile(r"(?<![\w'-])(?:[0-9]{1,2}[.):]?[ \t]*+)?[a-z]{3}")
_PHRASE = re.compile(rf"{_WORD}(?:{_APART}{_WORD}){{11,23}}+")


def recovery_phrase(page: Page, start: int, end: int) -> Pair | None:
    """Return the words behind a name, or below it, that can be nothing but a recovery phrase."""
    text = page.text
    if not text.endswith(_NAMES, start, end):
        return None
    for first in _BEGINNING.finditer(text, end, end + _NEAR):
        if found := _PHRASE.match(text, first.start()):
            rule = page.rule(start, end)
            return Pair(rule, *found.span()) if rule else None
    return None
