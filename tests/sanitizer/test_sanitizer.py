"""The sanitizer as its callers see it."""

import json
import sys
import threading
from types import FrameType
from typing import Any

import pytest

from relayscope.sanitizer import NORMALIZED, Rules, Sanitizer, Value
from tests.sanitizer.samples import CANARY

SANITIZER = Sanitizer.default()

BODY = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {
            "name": "get_current_time",
            "arguments": {"timezone": "Europe/Berlin", "note": "x" * 200},
            "_meta": {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
        },
    }
)
ATTRIBUTES: dict[str, Value] = {
    "relayscope.message.direction": "received",
    "relayscope.message.size": 420,
    "relayscope.channel.sequence": 12345,
    "relayscope.peer": "127.0.0.1:9051",
    "mcp.method.name": "tools/call",
    "process.command_args": ["python", "-m", "x"],
    "nested": {"a": [1, 2.5, True, None, b"bytes"]},
}


def test_a_record_without_secrets_is_the_same_record() -> None:
    """The same objects come back, however often."""
    for _ in range(3):
        attributes, body = SANITIZER.record(ATTRIBUTES, BODY)
        assert attributes is ATTRIBUTES
        assert body is BODY


def test_a_record_is_its_attributes_and_its_body() -> None:
    """One call for both gives what two calls give."""
    attributes: dict[str, Value] = {**ATTRIBUTES, "password": CANARY}
    body = BODY.replace("Europe/Berlin", "token=abc")
    assert SANITIZER.record(attributes, body) == (
        SANITIZER.attributes(attributes),
        SANITIZER.text(body),
    )
    assert SANITIZER.record(attributes, body)[0]["nested"] is ATTRIBUTES["nested"]


@pytest.mark.parametrize(
    ("value", "expected", "change"),
    [
        ("a\0b", "a␀b", "nul"),
        ("a\ud800b", "a\ufffdb", "surrogate"),
        (float("nan"), "NaN", "not-finite"),
        (float("-inf"), "-Infinity", "not-finite"),
        (2**63, "9223372036854775808", "big-integer"),
        (-(2**63) - 1, "-9223372036854775809", "big-integer"),
        pytest.param(10**5000, "[DROPPED:big-integer]", "big-integer", id="absurd"),
        ([{"a": "\0"}], [{"a": "␀"}], "nul"),
    ],
)
def test_what_cannot_be_stored_is_made_storable_and_marked(
    value: Value, expected: Value, change: str
) -> None:
    """The change is visible in the value, in a mark on the record, and in the counts."""
    sanitizer = Sanitizer.default()
    assert sanitizer.value(value) == expected
    assert sanitizer.attributes({"a": value}) == {"a": expected, NORMALIZED: [change]}
    assert sanitizer.record({}, value) == ({NORMALIZED: [change]}, expected)
    assert sanitizer.hits() == {change: 3}


@pytest.mark.parametrize(
    "value",
    ["", "é😀", 0, -(2**63), 2**63 - 1, 1.5, -0.0, 5e-324, b"", b"\0\xff", [], {}, None, True],
)
def test_what_can_be_stored_stays(value: Value) -> None:
    """Edges of what is allowed are not touched."""
    assert SANITIZER.value(value) is value


def test_bytes_are_searched_as_text_and_kept_as_bytes() -> None:
    """Secrets in binary values go; every other byte stays."""
    cleaned = SANITIZER.value(b"\xff\x00 password=abc\n\xfe")
    assert cleaned == b"\xff\x00 password=[REDACTED:password]\n\xfe"


def test_hits_are_counted_by_rule() -> None:
    """Counts hold rule names and nothing of what was seen."""
    sanitizer = Sanitizer.default()
    sanitizer.attributes({"password": CANARY, "x": f"token={CANARY}"})
    sanitizer.text(json.dumps([{"password": CANARY}, {"password": 5}]))
    assert sanitizer.hits() == {"password": 3, "token": 1}


def test_threads_can_share_a_sanitizer() -> None:
    """Every hit of every thread is counted once, and results do not mix."""
    sanitizer = Sanitizer.default()
    wrong: list[Any] = []

    def work(number: int) -> None:
        for round_ in range(200):
            cleaned = sanitizer.text(f'{{"n": {number}, "password": "{CANARY}", "r": {round_}}}')
            expected = f'{{"n": {number}, "password": "[REDACTED:password]", "r": {round_}}}'
            if cleaned != expected or sanitizer.attributes({f"a{round_}": number}) != {
                f"a{round_}": number
            }:
                wrong.append(cleaned)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sanitizer.hits() == {"password": 1600}


def test_explain_shows_each_change_and_no_secret() -> None:
    """Step, rule, place, size before and marker after, for every change."""
    sanitizer = Sanitizer.from_rules(Rules.from_mapping({"limits": {"text": 64}}))
    sample: Value = {
        "body": json.dumps({"a": [{"password": CANARY}], "t": json.dumps({"token": 5})}),
        "list": ["x", "\0", f"https://u:{CANARY}@h/"],
        "sid": CANARY,
    }
    explained = sanitizer.explain(sample)
    assert CANARY not in str(explained)
    assert CANARY not in str(sanitizer.explain({f"token={CANARY}": {"password": "x"}}))
    assert CANARY not in str(sanitizer.explain(json.dumps({f"token={CANARY}": {"password": "x"}})))
    assert [tuple(each)[:4] for each in explained] == [
        ("normalize", "nul", "$.list[1]", ""),
        ("keys", "password", "$.body > $.a[0].password", "<13 characters>"),
        ("keys", "token", "$.body > $.t > $.token", "<1 characters>"),
        ("patterns", "url-password", "$.list[2]", "<13 characters>"),
        ("keys", "session-id", "$.sid", "<13 characters>"),
        ("truncate", "truncated", "$.body", "<86 characters>"),
    ]
    assert [each.after for each in explained[1:4]] == [
        "[REDACTED:password]",
        "[REDACTED:token]",
        "[REDACTED:url-password]",
    ]
    assert sanitizer.hits() == {}


def test_a_clean_record_is_searched_but_not_read_in_python() -> None:
    """A body of a thousand rows takes no more calls than one of ten (D7)."""
    _calls_of_sanitizing(_rows(10))
    few, many = _calls_of_sanitizing(_rows(11)), _calls_of_sanitizing(_rows(1000))
    assert 0 < few < 300
    assert many < 300


def test_a_record_with_a_secret_takes_more_calls_than_a_clean_one() -> None:
    """The count of calls can tell that a body was read."""
    assert _calls_of_sanitizing(_rows(1000, "password")) > 300


def _rows(rows: int, name: str = "place") -> str:
    """Message with that many rows."""
    result = {"rows": [{"n": f"row {row}", name: f"b5Q{row}x"} for row in range(rows)]}
    return json.dumps({"jsonrpc": "2.0", "id": 7, "result": result})


def _calls_of_sanitizing(body: str) -> int:
    """Calls of functions in Python and in C that a record with this body takes."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        SANITIZER.record(ATTRIBUTES, body)
    finally:
        sys.setprofile(None)
    return calls
