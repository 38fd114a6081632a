"""Hostile input costs time and memory in proportion to its size, and never the stack (D3)."""

import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, Final

import pytest

from relayscope.sanitizer import Rules, Sanitizer, Value
from tests.sanitizer.samples import OPTIONAL, PATTERN_SAMPLES, RULES

SANITIZER: Final = Sanitizer.from_rules(Rules.from_mapping({"enable": OPTIONAL}))

_SIZE: Final = 1024
_GROWTH: Final = 16

# What a search could stumble over when it is repeated: openings that nothing closes, and
# halves of what each rule looks for.
_UNITS: Final = [
    *"[{\"\\<%:=-&,;' \n\ue000é",
    *('{"a":', '{"password":', '{"token":1,', '["a",', "a ", "a=", "password=", "password={"),
    *('password="', "password: ", "token ", "%41", "%4", "eyJ", "sk-", "4", "4111 ", "4-"),
    *("://", "://a:", "://a:b@", "@", "a@", "a.", "Bearer ", "basic ", "-----BEGIN ", "<a>"),
    *("-----BEGIN PRIVATE KEY-----", "<password>", "<password ", "--password ", "[REDACTED:"),
    *('"name":"token","value":', '{"name":"token","value":', "data:{", "data: [\n", "\\u0070"),
    *('{"properties":{"token":{"type":', "[HASHED:a:b.", "password '", "?key=", "+1 ", "1."),
    *('\\"', "\\\\", "password=a,a", "[[{", "password=[", "api ", "api_", "tokens", "aA"),
    *(rule.keywords[0] for rule in RULES.patterns if rule.keywords),
    *(sample.text[: len(sample.text) // 2] for sample in PATTERN_SAMPLES),
]
_PREFIXES: Final = ("", "password=", '{"a":"')


@pytest.mark.parametrize("unit", _UNITS)
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Sixteen times the text takes far less than the 256 times of a quadratic search."""
    for prefix in _PREFIXES:
        small = _cost(lambda: SANITIZER.text(_repeated(prefix, unit, _SIZE)))  # noqa: B023 - called at once.
        large = _cost(lambda: SANITIZER.text(_repeated(prefix, unit, _SIZE * _GROWTH)))  # noqa: B023 - called at once.
        assert large < (small + 500_000) * _GROWTH * 4, f"{prefix}{unit}: {small} {large} ns"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('{"a":' * 10_000 + '{"password":"kanarienvogel"}' + "}" * 10_000, "kanarienvogel"),
        ("[" * 10_000 + '{"password":"kanarienvogel"', "kanarienvogel"),
        ('{"password":' * 10_000 + '"kanarienvogel"', "kanarienvogel"),
        ("password=" + "[" * 100_000 + "kanarienvogel", "kanarienvogel"),
    ],
)
def test_depth_does_not_cost_the_stack(text: str, secret: str) -> None:
    """JSON text of any depth is read, and no recursion error drops it."""
    failures = SANITIZER.hits().get("sanitizer-error", 0)
    assert secret not in SANITIZER.text(text)
    assert SANITIZER.hits().get("sanitizer-error", 0) == failures


def test_values_that_are_nested_too_deep_are_dropped() -> None:
    """Deeper than the limit nothing can be stored, and nothing gets through."""
    value: Value = "x"
    for _ in range(50_000):
        value = {"a": [value]}
    assert "[DROPPED:nesting]" in json.dumps(SANITIZER.value(value))
    assert "[DROPPED:nesting]" in json.dumps(SANITIZER.attributes({"a": value}))
    _dismantle(value)


def test_text_hidden_in_text_too_often_is_dropped() -> None:
    """JSON in JSON in JSON ... is read down to the limit, and no further."""
    text = "password=kanarienvogel"
    for level in range(14):
        text = json.dumps([text])
        cleaned = SANITIZER.text(text)
        assert "kanarienvogel" not in cleaned
        assert ("[DROPPED:nesting]" in cleaned) == (level > 7)


def test_a_text_with_very_many_secrets_is_dropped() -> None:
    """Findings cost memory each, so there is an end to them."""
    sanitizer = Sanitizer.default()
    assert sanitizer.text("token=abc " * 20_000) == "[DROPPED:too-many]"
    assert sanitizer.text('{"token":"abc"}' * 20_000) == "[DROPPED:too-many]"
    assert sanitizer.hits() == {"too-many": 2}


def test_a_large_text_costs_memory_in_proportion() -> None:
    """A secret in a few megabytes of escapes is found within a small multiple of their size."""
    text = json.dumps({"password": "x", "text": 'line "of" text\n' * 30_000})
    tracemalloc.start()
    try:
        cleaned = SANITIZER.text(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert cleaned == text.replace('"x"', '"[REDACTED:password]"', 1)
    assert peak < 20 * len(text)


def test_very_many_names_do_not_fill_the_memory() -> None:
    """Names are remembered up to a number, whatever their number (R20)."""
    for start in range(0, 30_000, 1000):
        SANITIZER.attributes({f"key{number}token": 1 for number in range(start, start + 1000)})
        SANITIZER.attributes({f"key{number}": 1 for number in range(start, start + 1000)})
    assert _names_held() < 4 * 8192 + 1000


@pytest.mark.parametrize("key", ["k", "__proto__", "'; drop table x; --", "\0", "\ud800", "token"])
def test_a_name_of_any_size_and_content_is_only_data(key: str) -> None:
    """Names from telemetry are never looked up, split into attributes or trusted."""
    for name in (key, key * 65_536):
        cleaned = SANITIZER.attributes({name: "x"})
        assert len(cleaned) in {1, 2}
        assert all(len(each) <= 1024 for each in cleaned)


def _names_held() -> int:
    return sum(
        len(held)
        for owner in (SANITIZER._first_look, SANITIZER._scanner.names)  # noqa: SLF001 - what is remembered shows nowhere else.
        for held in vars(owner).values()
        if isinstance(held, dict | set)
    )


def _repeated(prefix: str, unit: str, size: int) -> str:
    return prefix + (unit * (size // len(unit) + 1))[:size]


def _cost(work: Callable[[], Any]) -> int:
    """Nanoseconds of this thread's own time, at best of two."""
    times = []
    for _ in range(2):
        start = time.thread_time_ns()
        work()
        times.append(time.thread_time_ns() - start)
    return min(times)


def _dismantle(value: Any) -> None:
    """Take a deep value apart from the outside: its destructor would recurse."""
    while isinstance(value, dict | list) and sys.getrefcount(value) > 0:
        value = value["a"] if isinstance(value, dict) else value[0]
