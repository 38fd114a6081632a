"""Recovery phrases of wallets near their name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import Sanitizer

SANITIZER = Sanitizer.default()
WORDS = [
    "witch",
    "collapse",
    "practice",
    "feed",
    "shame",
    "open",
    "despair",
    "creek",
    "road",
    "again",
    "ice",
    "least",
]


@given(st.lists(st.sampled_from(WORDS), min_size=12, max_size=24))
def test_no_word_of_a_recovery_phrase_is_left(words: list[str]) -> None:
    """A phrase of twelve to twenty-four words goes as one, and what is around it stays."""
    text = SANITIZER.text(f"Wallet made.\nRecovery phrase:\n{' '.join(words)}\nKeep it safe.\n")
    assert text == "Wallet made.\nRecovery phrase:\n[REDACTED:private-key]\nKeep it safe.\n"


@pytest.mark.parametrize(
    "text",
    [
        "Seed phrase:\n" + " ".join(WORDS[:11]) + "\n",
        "Mnemonic:\n" + "\n\n".join(WORDS),
        "The phrase: " + " ".join(WORDS),
    ],
)
def test_other_words_are_no_recovery_phrase(text: str) -> None:
    """Fewer words, words in paragraphs of their own and phrases of other names stay."""
    assert all(word in SANITIZER.text(text) for word in WORDS[1:11])
