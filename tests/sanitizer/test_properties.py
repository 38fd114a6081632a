"""Promises that hold for every value."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relayscope.sanitizer import NORMALIZED, Rules, Sanitizer, Value
from tests.bench.record import PLAIN, RESULT
from tests.examples import examples
from tests.sanitizer.corpus.texts import secrets
from tests.sanitizer.samples import (
    CANARY,
    NAME_SAMPLES,
    OPTIONAL,
    SHOWN_BY_REPLACING,
    UNTIMED,
    attributes,
    texts,
    values,
)

RULES = Rules.default()
SANITIZER = Sanitizer.from_rules(RULES)
EVERYTHING = Sanitizer.from_rules(Rules.from_mapping({"enable": OPTIONAL}))

_SECRETS = st.sampled_from([each.value for each in secrets() if isinstance(each.value, str)])
_CLEAN = st.sampled_from(
    [PLAIN, RESULT, "page 7 is ready", "the password of", 'he said "the token', "{", '"', "", "\\"]
)


class _Counting(Sanitizer):
    """Notes the bodies of the records that are looked at one by one."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.searched: list[Value] = []

    def record(self, attributes: dict[str, Value], body: Value) -> tuple[dict[str, Value], Value]:
        self.searched.append(body)
        return super().record(attributes, body)


@UNTIMED
@given(attributes, values)
def test_a_record_never_raises_and_never_fails(record: dict[str, Value], body: Value) -> None:
    """Any record comes back, and no step has to give up."""
    failures = EVERYTHING.hits().get("sanitizer-error", 0)
    EVERYTHING.record(record, body)
    assert EVERYTHING.hits().get("sanitizer-error", 0) == failures


@UNTIMED
@given(texts)
@example(SHOWN_BY_REPLACING[0])
@example(SHOWN_BY_REPLACING[3])
@example(
    'Authorization: Bearer mF_9.B5f-4.1JqMecho "hunter2" | docker login -pASIAY34FZKBOKMUTVV7A'
)
@example('\\"passwordname= X password\\n')
@example('\\"password= Xyz tuv\\nuser=1')
def test_sanitizing_text_twice_changes_nothing_more(text: str) -> None:
    """The sanitized text has no secret left to find (D4)."""
    once = EVERYTHING.text(text)
    assert EVERYTHING.text(once) == once


@pytest.mark.parametrize("text", SHOWN_BY_REPLACING)
def test_a_secret_that_replacing_another_one_shows_is_found_at_once(text: str) -> None:
    """Whatever a second run would find, the first one has found (D4)."""
    for each in (text, json.dumps([{"a": text}, text], ensure_ascii=False)):
        once = EVERYTHING.text(each)
        assert EVERYTHING.text(once) == once
        assert CANARY not in once


@UNTIMED
@given(attributes, values)
@example({"CONSUMERKEY=RB": ["abc1"]}, None)
def test_sanitizing_a_record_twice_changes_nothing_more(
    record: dict[str, Value], body: Value
) -> None:
    """The same for attributes and bodies of any shape (D4)."""
    once = SANITIZER.record(record, body)
    assert SANITIZER.record(*once) == once


@settings(UNTIMED, max_examples=examples(15))
@given(st.lists(st.tuples(attributes, values), min_size=2, max_size=3))
def test_what_was_seen_before_changes_nothing(
    records: list[tuple[dict[str, Value], Value]],
) -> None:
    """Names and texts are remembered as clean; who remembers none comes to the same."""
    for record in records:
        afresh = repr(Sanitizer.from_rules(RULES).record(*record))
        assert [repr(SANITIZER.record(*record)) for _ in range(2)] == [afresh] * 2


@UNTIMED
@given(st.lists(st.tuples(attributes, values), max_size=4))
def test_records_looked_at_together_become_what_each_becomes_alone(
    records: list[tuple[dict[str, Value], Value]],
) -> None:
    """A neighbour neither hides a secret nor brings one in."""
    alone = [SANITIZER.record(*record) for record in records]
    assert repr([*SANITIZER.records(records)]) == repr(alone)


@UNTIMED
@given(
    st.lists(
        st.tuples(st.one_of(_CLEAN, _SECRETS), st.none() | st.integers(0, 200)),
        min_size=2,
        max_size=8,
    )
)
def test_a_secret_among_clean_records_is_found_as_it_is_alone(
    bodies: list[tuple[str, int | None]],
) -> None:
    """Those that hold one are told from their neighbours, also where one of them was cut."""
    records: list[tuple[dict[str, Value], Value]] = [({}, text[:cut]) for text, cut in bodies]
    alone = [SANITIZER.record(*record) for record in records]
    assert [*SANITIZER.records(records)] == alone


def test_the_neighbours_of_a_secret_are_not_searched_once_more() -> None:
    """The search for all of them tells whose it is."""
    records: list[tuple[dict[str, Value], Value]] = [({}, f"page {n} is ready") for n in range(8)]
    records[3] = ({}, '{"api_key": "tangerine7"}')
    sanitizer = _Counting(RULES)
    sanitizer.records(records)
    assert sanitizer.searched == [records[3][1]]


@UNTIMED
@given(attributes, values)
def test_a_record_is_never_changed_in_place(record: dict[str, Value], body: Value) -> None:
    """The host's objects stay the host's."""
    kept = copy.deepcopy((record, body))
    SANITIZER.record(record, body)
    assert repr((record, body)) == repr(kept)


@UNTIMED
@given(values)
def test_what_needs_no_change_comes_back_as_the_same_object(value: Value) -> None:
    """Equal is identical: nobody has to compare."""
    cleaned = SANITIZER.value(value)
    assert cleaned is value or repr(cleaned) != repr(value)


@UNTIMED
@given(values)
def test_the_quick_way_lets_nothing_through_that_the_thorough_one_would_change(
    value: Value,
) -> None:
    """A value that comes back as it was has nothing in it for `explain` to tell of."""
    if SANITIZER.value(value) is value:
        assert SANITIZER.explain(value) == []


@UNTIMED
@given(attributes, values)
def test_what_comes_out_can_be_stored(record: dict[str, Value], body: Value) -> None:
    """No NUL, no half surrogate, nothing but finite numbers of 64 bits."""
    for text_or_number in _leaves(SANITIZER.record(record, body)):
        match text_or_number:
            case str():
                assert "\0" not in text_or_number
                text_or_number.encode()
            case bool():
                pass
            case int():
                assert -(2**63) <= text_or_number < 2**63
            case float():
                assert math.isfinite(text_or_number)


@UNTIMED
@given(attributes)
def test_a_mark_tells_that_something_was_made_storable(record: dict[str, Value]) -> None:
    """The attribute is there if and only if one of its kinds was counted."""
    before = SANITIZER.hits()
    cleaned = SANITIZER.attributes(record)
    after = SANITIZER.hits()
    changes = {"nul", "surrogate", "not-finite", "big-integer"}
    assert (NORMALIZED in cleaned) == any(before.get(name) != after.get(name) for name in changes)


@UNTIMED
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(NAME_SAMPLES),
    st.integers(0, 3),
    st.sampled_from([{}, {"ensure_ascii": False}, {"indent": 1}, {"separators": (",", ":")}]),
)
def test_only_the_secret_is_cut_out_of_json(
    around: Any, named: tuple[str, str], nested: int, style: dict[str, Any]
) -> None:
    """All that is around a secret in JSON text, nested or not, stays as it was to the letter."""
    rule, name = named
    document: Any = {"before": around, name: CANARY, "after": around}
    for _ in range(nested):
        document = [json.dumps(document, **style), {"x": around}]
    text = json.dumps(document, **style)
    noise = SANITIZER.text(text.replace(CANARY, "null"))
    cleaned = SANITIZER.text(text)
    if noise == text.replace(CANARY, "null"):
        before, _, after = text.partition(CANARY)
        assert cleaned.startswith(before)
        assert cleaned.endswith(after)
        marker = cleaned[len(before) : len(cleaned) - len(after)]
        assert marker.startswith((f"[REDACTED:{rule}]", f"[HASHED:{rule}:"))
    assert CANARY not in cleaned
    json.loads(cleaned)


def _leaves(value: Any) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


@pytest.mark.usefixtures("without_hyperscan")
def test_what_is_found_without_hyperscan_is_what_is_found_with_it() -> None:
    """Without the wheel, a search takes longer, and nothing else differs."""
    slow = Sanitizer.from_rules(RULES)

    @settings(UNTIMED, max_examples=examples(60))
    @given(texts)
    @example(SHOWN_BY_REPLACING[0])
    @example(SHOWN_BY_REPLACING[3])
    def compare(text: str) -> None:
        assert slow.text(text) == SANITIZER.text(text)

    compare()
