"""Tokens are those of a published tokenizer where it is installed, and estimated elsewhere."""

import sys
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relayscope.collector.query import tokens


@pytest.fixture
def without_tokenizer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Act as where `relayscope[tokens]` is not installed."""
    monkeypatch.setitem(sys.modules, "bpe_openai", None)
    tokens.tokenizer.cache_clear()
    yield
    tokens.tokenizer.cache_clear()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("hello world", 2),
        # 12 with 4 bytes each: numbers are dearer than words.
        ("[1,2,3,4,5,6,7,8,9,10,11,12]\n[0.25,0.5,0.75]", 38),
    ],
)
def test_the_tokens_are_those_that_openai_publishes(text: str, count: int) -> None:
    """Counted by hand with `o200k_base`."""
    assert tokens.are_counted()
    assert tokens.count(text) == count


@given(st.text(alphabet=st.characters()))
@example("<|endoftext|><|fim_prefix|>")
@example("\ud800\udfff")
def test_any_text_has_as_many_tokens_as_bytes_at_most(text: str) -> None:
    """Special tokens of a model, and what no file may hold, are texts like others."""
    size = len(text.encode("utf-8", "replace"))
    assert tokens.count(text) <= size
    assert (tokens.count(text) == 0) == (not text)


def test_a_very_long_text_is_estimated() -> None:
    """It would hold up whoever looks at the page."""
    assert tokens.count("x" * 1_000_001) == 250_001


@pytest.mark.usefixtures("without_tokenizer")
def test_without_a_tokenizer_tokens_are_estimated() -> None:
    """One for four bytes, and whoever shows them is told."""
    assert not tokens.are_counted()
    assert tokens.count("hello world") == 3
    assert tokens.count("größer") == 2
