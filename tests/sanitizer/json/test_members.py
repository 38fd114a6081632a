"""The quick way for strings beside their names."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import Rules, Sanitizer
from relayscope.sanitizer.cleaning import scanner
from relayscope.sanitizer.json.members import named_strings
from relayscope.sanitizer.names.names import Names
from tests.sanitizer.samples import UNTIMED

RULES = Rules.default()
SANITIZER = Sanitizer.from_rules(RULES)
NAMES = Names(RULES.keys, RULES.harmless_endings, ())

NAME = st.sampled_from(
    ["api_key", "token", "password", "token_type", "a token", "my%20key", "Cookie", "id", "a"]
)
VALUE = st.sampled_from(
    ['"Zx81kanarie7"', '"the"', '""', '"***"', '"a\\n7f"', "7", "null", '["x"]', '{"a": "k"}', '"a']
)
MEMBER = st.builds(
    "{0}{1}{2}{3}{4}{5}{6}".format,
    st.sampled_from(['{"', ', "', ',"', '{\n  "', '["', '"', "{", '\\"']),
    NAME,
    st.sampled_from(['": ', '":', '" : ', '", ', ": ", "=", '\\": ']),
    VALUE,
    st.sampled_from(["", " ", "\n"]),
    st.sampled_from(["}", "}]", ',"start": 1}', ', "symbol": "X"', "]", "", '}"', "'"]),
    st.sampled_from(["", " ", "\n"]),
)


@UNTIMED
@given(st.lists(MEMBER, min_size=1, max_size=4))
def test_strings_beside_their_names_are_read_as_all_of_the_json_would_be(
    members: list[str],
) -> None:
    """The quick way comes to what the long one comes to."""
    text = "".join(members)
    found = SANITIZER.text(text)
    with patch.object(scanner, named_strings.__name__, return_value=None):
        assert SANITIZER.text(text) == found


@pytest.mark.parametrize(
    "text",
    [
        '{"id": 7, "api_key": "x1"}',
        '[{"password":"x1"},{"a":2}]',
        '{"a": {\n  "token" : "Zx81kanarie7"\n}}',
    ],
)
def test_a_string_beside_its_name_is_known_at_once(text: str) -> None:
    """It takes the quick way, so that the first promise is about something."""
    [(rule, start, end)] = named_strings(text, NAMES, [_mention(text)]) or []
    assert rule.name in {"api-key", "password", "token"}
    assert text[start:end] in {"x1", "Zx81kanarie7"}


@pytest.mark.parametrize(
    "text",
    [
        '["token", "x1"]',
        '{"token": "the", "start": 4}',
        '{"token": 7}',
        '{"token": "a\\n"}',
        '{"token": "x1"}"',
        'a token: "x1"',
    ],
)
def test_anything_else_is_left_to_the_long_way(text: str) -> None:
    """Nothing is said of values that it cannot know."""
    assert named_strings(text, NAMES, [_mention(text)]) is None


def _mention(text: str) -> tuple[int, int]:
    start = next(text.index(name) for name in ("api_key", "password", "token") if name in text)
    name = next(name for name in ("api_key", "password", "token") if name in text)
    return start, start + len(name)
