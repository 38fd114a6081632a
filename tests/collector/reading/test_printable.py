"""Text from strangers."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.text.printable import json_line, lines, one_line
from tests.collector.reading.samples import HOSTILE

ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""Also with control characters and lone surrogates."""

OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of what moves a cursor, is not seen, or ends a line."""


def _is_harmless(text: str) -> bool:
    return not OBEYED & {unicodedata.category(char) for char in text}


@given(ANY_TEXT)
def test_one_line_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    """Any text becomes characters that only take up room."""
    assert _is_harmless(one_line(text))


@given(ANY_TEXT)
def test_lines_are_as_many_as_there_are_line_feeds(text: str) -> None:
    """Only line feeds end lines, and each line is harmless."""
    assert len(lines(text)) == text.count("\n") + 1
    assert all(map(_is_harmless, lines(text)))


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp"))))
def test_text_that_only_takes_up_room_is_left_alone(text: str) -> None:
    """Nothing else is changed, of any script."""
    assert one_line(text) == text


def test_escapes_are_spelled_as_in_a_string() -> None:
    """A reader sees which character stood there."""
    assert one_line(HOSTILE + "\n\t") == (
        r"\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202e\u2066\u200b\ufeff\U000e0041[red]:boom:\x7f\n\t"
    )


@given(st.recursive(st.text() | st.none() | st.integers(), st.lists))
def test_json_means_the_same_and_holds_nothing_that_a_terminal_obeys(value: object) -> None:
    """C1 and bidirectional overrides become escapes of JSON's own."""
    line = json_line(json.dumps(value, ensure_ascii=False))
    assert json.loads(line) == value
    assert _is_harmless(line)


@pytest.mark.parametrize("char", ["\x7f", "\x9b", "\u202e", "\U000e0041"])
def test_json_escapes_are_those_of_json(char: str) -> None:
    """Also beyond the first plane, where one character takes two escapes."""
    assert json.loads(json_line(f'"{char}"')) == char
    assert json_line(f'"{char}"').isascii()
