"""The quick way for what rules match in text that is spelled as it reads."""

from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import Rules, Sanitizer
from relayscope.sanitizer.cleaning import scanner
from relayscope.sanitizer.cleaning.plain_matches import plain_matches
from relayscope.sanitizer.model import Action
from relayscope.sanitizer.rules.replacements import Replacements
from tests.sanitizer.samples import PATTERN_SAMPLES, UNTIMED

RULES = Rules.default()
SANITIZER = Sanitizer.from_rules(RULES)
REPLACEMENTS = Replacements(RULES.keyring, ())

PIECE = st.one_of(
    st.sampled_from([sample.text for sample in PATTERN_SAMPLES]),
    st.sampled_from([*'{}[]":, \n', '{"a": "', '", "b": ["', '"]}', "word", "7", "'", "é", "%20"]),
    st.sampled_from(['"api_key": "x7kanarie"', "-----BEGIN PRIVATE KEY-----", "4111111111111111"]),
)


@UNTIMED
@given(st.lists(PIECE, min_size=1, max_size=8))
def test_matches_in_plain_text_are_found_as_if_each_string_of_it_were_read(
    pieces: list[str],
) -> None:
    """The quick way comes to what the long one comes to."""
    text = "".join(pieces)
    found = SANITIZER.text(text)
    with patch.object(scanner, plain_matches.__name__, return_value=None):
        assert SANITIZER.text(text) == found


def _found(text: str, rule: str) -> list[str] | None:
    rules = [each for each in RULES.patterns if each.name == rule]
    found = plain_matches(text, rules, REPLACEMENTS)
    return None if found is None else [text[each.start : each.end] for each in found]


def test_a_token_in_a_message_is_found_at_once() -> None:
    """It takes the quick way, so that the first promise is about something."""
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    assert _found(f'{{"a": "{token}", "b": ["x {token}"]}}', "github-token") == [token, token]
    assert _found(f"a {token} in prose", "github-token") == [token]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"a": "x\\n", "b": "glpat-aBcDeFgHiJkLmNoPqRsT"}', "gitlab-token"),
        ('{"a": "-----BEGIN PRIVATE KEY-----"}', "private-key-block"),
        ("number 4111111111111111", "card-number"),
        ("https://u:pw%20x@host/", "url-password"),
    ],
)
def test_what_depends_on_the_text_around_it_is_left_to_the_long_way(text: str, rule: str) -> None:
    """Escapes, blocks that may go on and numbers need more than the match."""
    assert _found(text, rule) is None


def test_a_rule_that_drops_a_text_needs_to_know_where_that_ends() -> None:
    """A message of which one string is to go is read as JSON."""
    rules = [each for each in RULES.patterns if each.name == "github-token"]
    dropping = [replace(each, action=Action.DROP) for each in rules]
    assert plain_matches("ghp_16C7e42F292c6912E7710c838347Ae178B4a", dropping, REPLACEMENTS) is None
