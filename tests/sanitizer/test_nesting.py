"""Secrets behind several spellings at once: each was found alone, and hid in another."""

import html
import json
from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relayscope.sanitizer import Sanitizer
from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.cleaning.scanner import Scanner
from relayscope.sanitizer.findings import Finding
from tests.examples import examples
from tests.sanitizer.places import PLACES, Place, holds
from tests.sanitizer.samples import CANARY, NAME_SAMPLES, OPTIONAL, PATTERN_SAMPLES, UNTIMED

SANITIZER = Sanitizer.default()
_KEY = "AKIA" + "QYLPMN5HHHFPZAM2"

_WAYS: Final[dict[str, Place]] = {
    **{name: place for name, place in PLACES.items() if isinstance(place(""), str)},
    "slashes": lambda text: json.dumps({"x": text}).replace("/", "\\/"),
    "behind other letters": lambda text: f"größe 😀 日本語 {text}",
    "JSON beside other letters": lambda text: json.dumps(
        {"ß": "😀", "x": text}, ensure_ascii=False
    ),
    "behind markers": lambda text: f"[REDACTED:token] [TRUNCATED:300] {text}",
    "JSON beside a marker": lambda text: json.dumps({"token": "[REDACTED:token]", "x": text}),
    "HTML": lambda text: f"<pre>{html.escape(json.dumps({'x': text}))}</pre>",
    "HTML with numbers": lambda text: html.escape(json.dumps([text])).replace("&quot;", "&#34;"),
    "pretty JSON": lambda text: json.dumps({"a": [1, {"x": text}]}, indent=2),
    "compact JSON": lambda text: json.dumps({"a": [1, {"x": text}]}, separators=(",", ":")),
    "a list": lambda text: json.dumps(["a", text, "b"]),
    "JSON in JSON that was cut off": lambda text: json.dumps({"x": json.dumps({"y": text})})[:-3],
    "a field of a log line": lambda text: f"time=1 level=info msg={json.dumps(text)}",
    "an HTTP message": lambda text: f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{text}",
    "lines of JSON": lambda text: f"{json.dumps({'a': 1})}\n{json.dumps({'x': text})}\n",
}
_TEXTS = [
    *((sample.text, sample.secret) for sample in PATTERN_SAMPLES if sample.rule not in OPTIONAL),
    *((json.dumps({name: CANARY}), CANARY) for _, name in NAME_SAMPLES),
]


@settings(UNTIMED, max_examples=examples(300), derandomize=True)
@given(st.sampled_from(_TEXTS), st.lists(st.sampled_from(sorted(_WAYS)), min_size=1, max_size=3))
def test_no_secret_hides_behind_several_spellings(
    example: tuple[str, str], ways: list[str]
) -> None:
    """The secret is gone, in any spellings that are put around its text."""
    text, secret = example
    for way in ways:
        text = str(_WAYS[way](text))
    assert not holds(SANITIZER.text(text), secret)


@pytest.mark.parametrize(
    "text",
    [
        f'msg="https://h/p?q={quote(json.dumps({"x": f"id={_KEY}"}))}"',
        f"said {json.dumps(json.dumps({'x': json.dumps({'ssn': _KEY})}))[:-1]} to me",
        quote(quote(f"psk={_KEY}")),
        quote(json.dumps({"x": f"\r\npsk={_KEY}"})),
        html.escape(f"ALTER USER bob IDENTIFIED BY '{_KEY}'"),
        html.escape(html.escape(f"ALTER USER bob IDENTIFIED BY '{_KEY}'")),
        f"&lt;password&gt;{_KEY}&lt;/password&gt;",
        f"&#112;assword={_KEY}",
        json.dumps({"x": json.dumps({"kty": "EC", "d": _KEY})}),
    ],
)
def test_two_spellings_hide_no_more_than_one(text: str) -> None:
    """JSON that is no JSON string of the text around it, percent signs twice, HTML's entities."""
    assert _KEY not in SANITIZER.text(text)


@pytest.mark.parametrize("levels", range(4))
def test_a_secret_in_json_in_json_is_searched_for_once(
    levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its marker ends where its string does, however often the mark there is escaped."""
    find, texts = Scanner.find, list[str]()

    def noted(scanner: Scanner, text: str, allowance: Allowance) -> list[Finding]:
        texts.append(text)
        return find(scanner, text, allowance)

    monkeypatch.setattr(Scanner, "find", noted)
    text = json.dumps({"token": CANARY})
    for _ in range(levels):
        text = json.dumps({"x": text})
    assert CANARY not in SANITIZER.text(text)
    assert texts == [text]


def test_an_option_may_end_a_text() -> None:
    """Nothing stands behind it, and the text is kept."""
    text = "echo [REDACTED:command-password] | docker login --password-stdin"
    assert SANITIZER.text(json.dumps({"x": text})) == json.dumps({"x": text})
