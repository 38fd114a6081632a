"""If something is broken, the value is dropped, and the secret does not get through (D2, D5)."""

import json
from collections import UserDict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.sanitizer import PatternRule, Rules, Sanitizer, Value
from tests.sanitizer.samples import CANARY, PATTERN_SAMPLES, UNTIMED, Sample

SANITIZER = Sanitizer.default()
FAILED = "[DROPPED:sanitizer-error]"


def _broken(*_: object) -> bool:
    raise RuntimeError(CANARY)


class _BrokenMapping(UserDict[str, Any]):
    def __iter__(self) -> Iterator[str]:
        raise RuntimeError(CANARY)


class _BrokenList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError(CANARY)


def test_a_step_that_raises_drops_the_value_and_is_counted() -> None:
    """The neighbours stay, the count is kept, nobody sees an exception (D5)."""
    rule = PatternRule(name="broken", pattern="kanarien[a-z]+", check=_broken)
    sanitizer = Sanitizer.from_rules(replace(Rules.default(), patterns=(rule,)))
    assert sanitizer.text(CANARY) == FAILED
    assert sanitizer.attributes({"a": CANARY, "b": "x", "c": [CANARY, 1]}) == {
        "a": FAILED,
        "b": "x",
        "c": [FAILED, 1],
    }
    assert sanitizer.record({"a": 1}, {"b": CANARY}) == ({"a": 1}, {"b": FAILED})
    assert sanitizer.attributes({CANARY: 1}) == {}
    assert sanitizer.hits()["sanitizer-error"] == 5


@pytest.mark.parametrize(
    "value", [_BrokenMapping(a=1), _BrokenList([1]), object(), {1: "x"}, {"a": {None: 1}}, {1, 2}]
)
def test_a_value_that_is_none_of_telemetrys_is_dropped(value: Any) -> None:
    """No method raises, with any value that a host hands over."""
    assert CANARY not in str(SANITIZER.value(value))
    assert FAILED in str(SANITIZER.value(value))
    assert SANITIZER.text(value) == FAILED
    assert isinstance(SANITIZER.attributes(value), dict)


@UNTIMED
@given(st.integers(0, 200), st.integers(0, 3))
def test_json_that_was_cut_off_leaks_nothing(cut: int, nested: int) -> None:
    """Wherever the end is missing, no part of a secret is left (D2)."""
    document: Any = {
        "a": [1, {"password": CANARY, "secrets": [CANARY, {"x": CANARY}]}],
        "token": CANARY,
        "env": [{"name": "API_KEY", "value": CANARY}],
        "m": f"token={CANARY}",
    }
    for _ in range(nested):
        document = {"text": json.dumps(document)}
    text = json.dumps(document)
    cleaned = SANITIZER.text(text[: max(0, len(text) - cut)])
    assert CANARY[:4] not in cleaned


@UNTIMED
@given(st.data())
def test_json_that_was_damaged_leaks_nothing(data: st.DataObject) -> None:
    """A character more, less or other does not let a secret through."""
    text = json.dumps({"a": 1, "password": CANARY, "b": [{"token": CANARY, "c": "d"}]})
    secrets = [i for i in range(len(text)) if text.startswith(CANARY, i)]
    spared = {i for start in secrets for i in range(start, start + len(CANARY))}
    spared |= {text.index(name) + i for name in ("password", "token") for i in range(len(name))}
    place = data.draw(st.sampled_from([i for i in range(len(text)) if i not in spared]))
    patch = data.draw(st.sampled_from(["", "{", "}", "[", "]", ",", " ", "x", "\\", "\n", "'"]))
    cleaned = SANITIZER.text(text[:place] + patch + text[place + 1 :])
    assert CANARY not in cleaned


@pytest.mark.parametrize("sample", PATTERN_SAMPLES, ids=lambda sample: sample.rule)
def test_truncation_never_leaves_a_part_of_a_secret(sample: Sample) -> None:
    """Text is cut after its secrets are gone, so a limit cannot save half of one (D2)."""
    rules = Rules.from_mapping({"limits": {"text": 64}, "enable": ["email", "ip-address", "phone"]})
    sanitizer = Sanitizer.from_rules(rules)
    for start in range(40, 64):
        text = "x" * (start - 1) + " " + sample.text + " " + "y" * 64
        cleaned = sanitizer.text(text)
        assert len(cleaned) <= 64
        assert sample.secret[:6] not in cleaned[start:]
        assert cleaned.endswith(f"[TRUNCATED:{len(sanitizer_untruncated(text))}]")


def sanitizer_untruncated(text: str) -> str:
    """The text as it is before it is cut."""
    return _UNTRUNCATED.text(text)


_UNTRUNCATED = Sanitizer.from_rules(
    Rules.from_mapping({"enable": ["email", "ip-address", "phone"]})
)


def test_a_name_that_is_too_long_is_cut() -> None:
    """Names have a limit of their own, and two that are cut alike stay two."""
    long: dict[str, Value] = {"k" * 65536: 1, "k" * 65537: 2}
    cleaned = SANITIZER.attributes(long)
    assert [len(key) for key in cleaned] == [1024, 1024]
    assert list(cleaned.values()) == [1, 2]
