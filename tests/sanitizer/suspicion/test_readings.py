"""JSON is searched with its strings as they read, and everything else as it is written, too."""

import json
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import Sanitizer
from relayscope.sanitizer.json.strings import NO_STRINGS
from relayscope.sanitizer.suspicion import readings as reading
from relayscope.sanitizer.suspicion.readings import readings
from tests.sanitizer.corpus.judging import harmless, secrets
from tests.sanitizer.samples import UNTIMED

SANITIZER = Sanitizer.default()
_LINES = st.lists(
    st.sampled_from(
        ["a", 'say "hi"', "\n", "\t", "C:\\new", "é", "100 %", "密码", "/x", " & ", "'"]
    ),
    min_size=4,
).map("".join)


@UNTIMED
@given(content=_LINES, has_slashes=st.booleans())
def test_a_string_of_json_is_searched_as_it_reads(content: str, *, has_slashes: bool) -> None:
    """The first reading of JSON has its strings without their escapes, and all else as written."""
    written = json.dumps(content, ensure_ascii=False)
    if has_slashes:
        written = written.replace("/", "\\/")
    text = f'{{"n":1,"text": {written} ,"k":[true]}}'
    found = readings(text, text.encode())
    read = f'{{"n":1,"text": "{content}" ,"k":[true]}}'
    if found.strings:
        assert found.others[0].decode() == read
        assert found.searched.startswith(found.others[0])
        [start] = found.strings
        assert found.strings[start] == (content, start + len(written) - 1)
    else:
        assert written == f'"{content}"' or len(content) <= len(text) // 2
        assert found.searched.startswith(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        '{"path": "C:\\token=abc and much more of a text"} and more',
        'path "C:\\token=abc and much more of a text"',
        '{"text": "as \\u0041 letter, in a text that is long"}',
        '{"text": "a control \\b or \\f, in a text that is long"}',
        '{"text": "never closed, with an escape \\n and',
        '{"text": "no \\p escape of JSON in a text that is long"}',
        '{"text": "fine\\n, and a text that is long"} \\n {"a": 1}',
        '{"text": "\\n", "all": ["else", "takes", "most", "of", "it"]}',
    ],
)
def test_what_may_be_no_json_is_searched_as_it_is_written(text: str) -> None:
    """A backslash outside of JSON is one; and escapes for letters have a search of their own."""
    found = readings(text, text.encode())
    assert not found.strings
    assert found.searched.startswith(text.encode())


@UNTIMED
@given(st.lists(st.sampled_from(['"', "\\", "\n", "n", "{", "}", "[", ",", ":", "a"])).map("".join))
def test_whatever_is_written_has_a_reading(text: str) -> None:
    """No text makes reading fail, and what is read of a text is no longer than that."""
    for head in ("", '{"a', '["'):
        found = readings(head + text, (head + text).encode())
        assert all(len(each) <= len(head + text) for each in found.others)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize(
    "line",
    [
        "C:\\new postgresql://app:kanarie7@db/x",
        'password="kana\\"rie7"',
        "CREATE USER a WITH PASSWORD 'kanarie7'",
        "net use Z: \\\\h\\s /user:bob kanarie7",
        "x\t-H\t'Authorization: Bearer kanarie7.kanarie7'",
    ],
)
def test_a_secret_in_lines_of_a_string_is_found(line: str, depth: int) -> None:
    """A secret beside line breaks, marks and backslashes is found at each depth of JSON."""
    text = f'first line\n\t"{line}\nlast line\r\n' + "and a line of prose,\n" * 80
    for _ in range(depth):
        text = json.dumps({"id": 1, "text": text})
    assert "rie7" not in SANITIZER.text(text)


_PROSE = "He read the lines, one after the other, and said what was in them.\n" * 4
_TOGETHER = 16
"""Texts in one message: twenty secrets three levels deep are close to what a message may take."""

_TEXTS = [each.value for each in secrets() if isinstance(each.value, str)]
_TEXTS += [each.value for each in harmless() if isinstance(each.value, str)]


@pytest.mark.parametrize("start", range(0, len(_TEXTS), _TOGETHER))
def test_a_string_that_was_read_holds_what_a_search_of_its_own_would_find(start: int) -> None:
    """Long contents come out as if nothing were known of them from the search of the message."""
    lines = "\n".join(f"{_PROSE}{text}" for text in _TEXTS[start : start + _TOGETHER])
    text = json.dumps({"id": 1, "result": {"text": lines}})
    cleaned = SANITIZER.text(text)
    assert "too-many" not in cleaned
    with patch.object(reading, "_strings", lambda _: NO_STRINGS):
        assert SANITIZER.text(text) == cleaned


@pytest.mark.parametrize("beside", ["x", "p\f", "é"])
@pytest.mark.parametrize("name", ["pass\tword", "pass\tphrase", "pass\twd"])
def test_a_tab_in_a_name_makes_it_another_name(beside: str, name: str) -> None:
    """A name of which the first part is one, too, is read to its end."""
    text = json.dumps({"a": beside, "b": f'"{name}: hunter2x9" {_PROSE * 8}'})
    assert "hunter2x9" not in SANITIZER.text(text)
