"""A secret near another spelling is found wherever it stands in a long text."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import Rules, Sanitizer
from relayscope.sanitizer.spellings.surroundings import surroundings
from tests.sanitizer.samples import UNTIMED

SANITIZER = Sanitizer.from_rules(Rules.default())
_SIGNS = st.sampled_from(
    ["a", " ", "\n", "\\", "\\\\", "%25", "%20", "&quot;", "\\u0022", "x" * 700]
)


@UNTIMED
@given(st.lists(_SIGNS, max_size=40).map("".join), st.lists(st.integers(0, 30_000), max_size=4))
def test_stretches_have_all_places_and_lie_apart(text: str, places: list[int]) -> None:
    """Each place is in one of them, and none begins before the one before it ends."""
    places = [place for place in places if place < len(text)]
    spans = surroundings(text, places)
    assert all(any(start <= place < end for start, end in spans) for place in places)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))


@pytest.mark.parametrize("filler", ["%41%20", "C:\\\\new\\n ", "a &amp; b\n", "\\u00e9\\t"])
@pytest.mark.parametrize(
    "secret", ["%22password%22%3A%22{}%22%2C%20", 'x \\"password\\": \\"{}\\", ']
)
@pytest.mark.parametrize("before", [0, 700, 5_000])
def test_a_secret_in_another_spelling_is_found_in_a_long_text(
    filler: str, secret: str, before: int
) -> None:
    """Text that is far from it is not read for it, and nothing else is changed."""
    head, tail = filler * before, filler * 5_000
    cleaned = SANITIZER.text(f"{head}{secret.format('hunter2x9')}{tail}")
    assert "hunter2x9" not in cleaned
    assert cleaned.startswith(head)
    assert cleaned.endswith(tail)


def test_a_long_secret_in_another_spelling_goes_to_its_end() -> None:
    """A value that goes on behind what was read for it is read to its end."""
    text = "%41%20" * 5_000 + "%22password%22%3A%22" + "x9" * 4_000 + "END%22" + "%41%20" * 5_000
    cleaned = SANITIZER.text(text)
    assert "x9" not in cleaned
    assert "END" not in cleaned


@pytest.mark.parametrize(
    "secret",
    [
        *('"pass\\u0077ord": "{}"', "pass\\x77ord = '{}'", "p\\u0430ssword: {}"),
        *("%70assword={}", "&#112;assword={}", "\\uff50assword={}"),
    ],
)
@pytest.mark.parametrize("is_json", [False, True])
def test_a_name_with_a_letter_as_an_escape_is_found_in_a_long_text(
    secret: str, *, is_json: bool
) -> None:
    """Only what is around such letters is read for it, and nothing else is changed."""
    line = 'zero = b"\\x00\\x01"  # a line\n'
    head, tail = line + "for each in lines: pass\n" * 2_000, "done()\n" * 2_000 + line
    text = f"{head}{secret.format('hunter2x9')}\n{tail}"
    if is_json:
        head, text, tail = (json.dumps(each)[1:-1] for each in (head, text, tail))
        head, text = '{"text": "' + head, '{"text": "' + text + '"}'
    cleaned = SANITIZER.text(text)
    assert "hunter2x9" not in cleaned
    assert cleaned.startswith(head)
    assert tail in cleaned


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("before", ["", "\\u0041 "])
def test_a_card_number_behind_the_digits_of_an_escape_is_found(before: str, depth: int) -> None:
    """The digits of an escape are no part of it, however far another escape is."""
    text = f'{before}{"lorem ipsum " * 300}\\ude004111111111111111" {"dolor " * 20}'
    for _ in range(depth):
        text = json.dumps({"text": text})
    assert "4111111111111111" not in SANITIZER.text(text)


@pytest.mark.parametrize("lines", [0, 60, 400])
def test_a_rule_that_drops_a_text_drops_all_of_it_however_long_it_is(lines: int) -> None:
    """Also where what the rule finds is spelled otherwise, and only what is around it is read."""
    pattern = {"name": "mine", "pattern": "hunter[^ ]x9", "action": "drop", "about": "mine"}
    dropping = Sanitizer.from_rules(Rules.from_mapping({"patterns": [pattern]}))
    text = json.dumps({"a": "lorem ipsum dolor " * lines + "hun&#116;er2x9"})
    assert dropping.text(text) == '{"a": "[DROPPED:mine]"}'
