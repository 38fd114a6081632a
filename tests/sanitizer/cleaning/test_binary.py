"""Images, audio and blobs are kept as what can be said of them, in the otherwise exact text."""

import base64
import hashlib
import json
import random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import Rules, Sanitizer
from tests.sanitizer.samples import UNTIMED

SANITIZER: Final = Sanitizer.default()
KEEPING: Final = Sanitizer.from_rules(
    Rules.from_mapping({"steps": ["normalize", "keys", "patterns", "allow", "truncate"]})
)
CONTENT: Final = random.Random(7).randbytes(3000)
UNKNOWN: Final = "application/octet-stream"
LETTERS: Final = base64.b64encode(CONTENT).decode()


def marker(content: bytes, media_type: str) -> str:
    """Return the marker that replaces a content."""
    return f"[BINARY:{media_type}:{len(content)}:{hashlib.sha256(content).hexdigest()[:16]}]"


MARKED: Final[list[tuple[Any, str]]] = [
    ({"type": "image", "data": LETTERS, "mimeType": "image/png"}, "image/png"),
    ({"mimeType": "image/webp", "data": LETTERS, "type": "image"}, "image/webp"),
    (
        {"type": "audio", "annotations": {"a": [1]}, "mimeType": "audio/wav", "data": LETTERS},
        "audio/wav",
    ),
    ({"type": "resource", "resource": {"uri": "x://y", "blob": LETTERS}}, UNKNOWN),
    ({"uri": "x://y", "mimeType": "Text/Plain; charset=utf-8", "blob": LETTERS}, "text/plain"),
    ({"mimeType": "image/<script>", "blob": LETTERS}, UNKNOWN),
    (
        {"text": f"![x](data:image/svg+xml;charset=utf-8;base64,{LETTERS}) and more"},
        "image/svg+xml",
    ),
    (f"url('data:font/woff2;base64,{LETTERS}')", "font/woff2"),
]


@pytest.mark.parametrize(("value", "media_type"), MARKED)
@pytest.mark.parametrize("indent", [None, 2])
def test_only_the_base64_gives_way_to_a_marker(value: Any, media_type: str, indent: int) -> None:
    """Type, size and the start of the digest stand in its place; the rest is as it was."""
    text = json.dumps(
        {"result": {"content": [value, {"type": "text", "text": "hé"}]}}, indent=indent
    )
    assert SANITIZER.text(text) == text.replace(LETTERS, marker(CONTENT, media_type))
    assert SANITIZER.text(SANITIZER.text(text)) == SANITIZER.text(text)


def test_a_marker_stands_in_json_in_json_strings_too() -> None:
    """A relay that wraps a result in text hides no image."""
    text = json.dumps({"type": "image", "data": LETTERS, "mimeType": "image/png"})
    for _ in range(3):
        text = json.dumps({"text": text})
    assert SANITIZER.text(text) == text.replace(LETTERS, marker(CONTENT, "image/png"))


def test_a_secret_beside_an_image_is_found() -> None:
    """Text around a binary content is searched as ever."""
    value = {"token": "abc", "type": "image", "data": LETTERS, "mimeType": "image/png"}
    cleaned = json.loads(SANITIZER.text(json.dumps([value, {"password": "x"}])))
    assert cleaned[0]["token"] == "[REDACTED:token]"
    assert cleaned[0]["data"] == marker(CONTENT, "image/png")
    assert cleaned[1]["password"] == "[REDACTED:password]"


@pytest.mark.parametrize(
    "value",
    [
        {"type": "text", "data": LETTERS},
        {"type": "image", "data": LETTERS[:200]},
        {"type": "image", "data": LETTERS[:600] + "*" + LETTERS[600:]},
        {"blob": "not base64 at all, " * 30},
        {"data": {"type": "image"}, "blob": [LETTERS]},
    ],
)
def test_what_is_no_binary_content_stays(value: Any) -> None:
    """Short ones, other members and what is no base64 are left as they are."""
    text = json.dumps(value)
    assert SANITIZER.text(text) is text


def test_without_the_step_base64_stays() -> None:
    """A user who needs the images leaves the step out."""
    text = json.dumps({"type": "image", "data": LETTERS, "mimeType": "image/png"})
    assert KEEPING.text(text) is text
    assert KEEPING.without_binary(text) is text


def test_a_file_in_a_blob_that_is_kept_is_searched() -> None:
    """The text that a blob stands for can hold a secret, and then the blob goes."""
    environment = b"# settings\nPORT=8080\nAPI_KEY=q8fj2k1l0s9d\n" + b"X=1\n" * 80
    text = json.dumps({"uri": "file:///.env", "blob": base64.b64encode(environment).decode()})
    assert json.loads(KEEPING.text(text))["blob"] == "[REDACTED:api-key]"
    assert json.loads(SANITIZER.text(text))["blob"] == marker(
        environment, "application/octet-stream"
    )


def test_what_is_taken_out_before_is_counted_once() -> None:
    """The marker that stays is the same as without that, and no second hit."""
    text = json.dumps({"type": "image", "data": LETTERS, "mimeType": "image/png"})
    sanitizer = Sanitizer.default()
    assert sanitizer.text(sanitizer.without_binary(text)) == SANITIZER.text(text)
    assert sanitizer.hits() == {"binary": 1}


@UNTIMED
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["{", "}", ",", ":", "[", "]", '"', "\\", '"type":"image"', '"blob":"']
            ),
            st.sampled_from(
                ['"data":"', '"mimeType":"', LETTERS, ";base64,", "data:image/png", "é"]
            ),
        ),
        max_size=14,
    ).map("".join)
)
def test_whatever_is_around_it_only_base64_goes(text: str) -> None:
    """Every character that is left is one that was there."""
    without = SANITIZER.without_binary(text)
    pieces = without.split("[BINARY:")
    assert text.startswith(pieces[0])
    assert sum(len(piece.partition("]")[2]) for piece in pieces[1:]) + len(pieces[0]) <= len(text)
    assert SANITIZER.hits().get("sanitizer-error", 0) == 0


@pytest.mark.parametrize(("number", "taken"), [(1, 1), (40, 40), (10_000, 0)])
def test_many_contents_are_left_to_a_thread_that_has_time(number: int, taken: int) -> None:
    """A few are taken out right away; more than that says that it takes long."""
    contents = [{"type": "image", "data": LETTERS[:400], "mimeType": "image/png"}] * number
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"content": contents}})

    assert SANITIZER.without_few_binaries(text).count("[BINARY:") == taken
    assert SANITIZER.is_dear(text) is (taken < number)
    assert SANITIZER.without_binary(text).count("[BINARY:") == number
