"""A message's text on the page: laid out, and as the model received it."""

from __future__ import annotations

import json
import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.page.trace.content import received
from relayscope.collector.page.trace.json_text import laid_out
from relayscope.collector.page.words import marked
from relayscope.collector.text.printable import one_line

LEFT_OUT = "[BINARY:image/png:2048:0123456789abcdef]"
MEASURED = "[BINARY:image/png:2048:0123456789abcdef:1280x800]"
HUGE = "[BINARY:image/png:2048:0123456789abcdef:4000x3000]"

TEXTS = st.text('aé{}[],:"\\ ')

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=3) | st.dictionaries(st.text("ab"), VALUES, max_size=3))
def test_json_is_laid_out_token_by_token(value: object) -> None:
    """Without white space between tokens, the page shows the text as it was sent."""
    text = json.dumps(value, ensure_ascii=False)
    shown = "\n".join("".join(piece.text for piece in line.pieces) for line in laid_out(text))

    assert json.loads(shown) == value
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)


@given(st.text())
def test_any_text_is_laid_out(text: str) -> None:
    """Also what is no JSON, or breaks off."""
    for one in (text, "{" + text, '{"a": [' + text):
        laid_out(one)


@given(st.text(st.characters(exclude_categories=())))
def test_what_cannot_be_seen_is_told_apart_from_its_escape(text: str) -> None:
    """It is written out within an element, and a text that says the same escape is not."""
    lines = (map(one_line, line.split("\t")) for line in text.split("\n"))
    shown = re.sub("</?span[^>]*>", "", marked(text))
    assert unescape(shown) == "\n".join(map("\t".join, lines))
    assert marked("a\u202e\\u202e<") == 'a<span class="escape">\\u202e</span>\\u202e&lt;'


def test_members_that_are_there_twice_and_long_numbers_stay() -> None:
    """A reader may be looking for just these."""
    text = '{"a": 1.0e5, "a": 123456789012345678901234567890, "b": "\\u00e9"}'
    shown = "".join(piece.text for line in laid_out(text) for piece in line.pieces)

    assert shown == '{"a": 1.0e5,"a": 123456789012345678901234567890,"b": "\\u00e9"}'


def test_a_result_is_what_a_model_gets_of_it() -> None:
    """Texts unescaped, images that were kept, and a word about what was not."""
    content = [
        {"type": "text", "text": "two\nlines"},
        {"type": "image", "mimeType": "image/png", "data": "aGVsbG8="},
        {"type": "image", "mimeType": "image/svg+xml", "data": "aGVsbG8="},
        {"type": "image", "mimeType": "image/png", "data": LEFT_OUT},
        {"type": "image", "mimeType": "image/png", "data": MEASURED},
        {"type": "image", "mimeType": "image/png", "data": HUGE},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "inside"}},
        {"type": "resource", "resource": {"mimeType": "image/gif", "blob": "aGVsbG8="}},
        17,
    ]
    found = received(json.dumps({"result": {"content": content, "isError": True}}))

    assert found is not None
    assert found.is_error
    text, image, document, left_out, measured, huge, resource, embedded, odd = found.contents
    assert text.text == "two\nlines"
    assert image.image == "data:image/png;base64,aGVsbG8="
    assert document.image == ""
    assert "2.0 kB, SHA-256" in left_out.note
    assert "2.0 kB, 1280 \u00d7 800 px ≈ 1,366 tokens, SHA-256" in measured.note
    assert "≈ 1,600 tokens" in huge.note, "larger ones are made smaller"
    assert embedded.image == "data:image/gif;base64,aGVsbG8="
    assert (resource.about, resource.text) == ("file:///a", "inside")
    assert odd.note == "17"


@given(VALUES)
def test_any_result_is_read(value: object) -> None:
    """A server may send anything as a result."""
    received(json.dumps({"result": value}))
    received(json.dumps({"result": {"content": value, "contents": value, "messages": value}}))
    received(json.dumps({"result": {"content": [value]}})[:-3])
