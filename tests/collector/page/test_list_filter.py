"""A list's filter and its address say the same, and each can be made of the other."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.page.errors import WrongAsk
from relayscope.collector.page.list_filter import ListFilter
from relayscope.collector.query.filters import DIRECTIONS, KINDS, LEVELS, OUTCOMES, SIDES
from relayscope.collector.query.list_kind import (
    CALLS,
    LOGS,
    MESSAGES,
    ORDERS,
    RECORDS,
    TRACES,
    ListKind,
)

ALL = (TRACES, CALLS, MESSAGES, LOGS, RECORDS)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
LENGTHS = st.from_regex(r"[0-9]{1,4}(ms|s|m|h|d)", fullmatch=True)
TIMES = st.one_of(LENGTHS, st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()))
WORDS: dict[str, tuple[str, ...]] = {
    "direction": DIRECTIONS,
    "kind": KINDS,
    "side": SIDES,
    "outcome": OUTCOMES,
    "level": tuple(LEVELS),
    **dict.fromkeys(("failed", "odd", "all"), ("true", "1", "yes", "false", "on")),
}
FORMS: dict[str, st.SearchStrategy[str]] = {
    **{name: st.sampled_from(words) for name, words in WORDS.items()},
    **dict.fromkeys(("since", "until"), TIMES),
    "slower_than": LENGTHS,
    "trace": st.uuids().filter(lambda one: one.int != 0).map(lambda one: one.hex),
    "attribute": st.tuples(TEXTS, TEXTS).map(lambda pair: f"k{pair[0]}={pair[1]}"),
    "limit": st.integers(1, 1000).map(str),
    "order": st.sampled_from(ORDERS),
}
ONCE = ("failed", "odd", "all", "since", "until", "slower_than", "level", "text", "limit", "order")


@st.composite
def addresses(draw: st.DrawFn) -> tuple[ListKind, list[tuple[str, str]]]:
    """A list, and what an address may say of it in any order."""
    kind = draw(st.sampled_from(ALL))
    pairs: list[tuple[str, str]] = []
    for name in draw(
        st.lists(
            st.sampled_from((*kind.filters, *(("order",) if kind.orders else ()), "limit")),
            max_size=12,
        )
    ):
        if name in ONCE and any(name == other for other, _ in pairs):
            continue
        if sum(name == other for other, _ in pairs) < 5:
            pairs.append((name, draw(FORMS.get(name, TEXTS))))
    return kind, pairs


@given(addresses())
def test_an_address_says_all_that_a_list_is_asked_for(
    asked: tuple[ListKind, list[tuple[str, str]]],
) -> None:
    """A filter that is read from an address is written as it was meant, and read back unchanged."""
    kind, pairs = asked
    found = ListFilter.read(kind, pairs)
    assert ListFilter.read(kind, parse_qsl(found.query, strict_parsing=bool(found.query))) == found
    for name, value in pairs:
        if name not in WORDS and name not in {"since", "until", "slower_than", "limit", "order"}:
            assert value in found.values(name)


@given(addresses())
def test_one_filter_can_be_taken_away_and_given_again(
    asked: tuple[ListKind, list[tuple[str, str]]],
) -> None:
    """As the links on the page do."""
    found = ListFilter.read(*asked)
    for one in found.given:
        without = found.lacking(one.name, one.value)
        assert one not in without.given
        assert set(without.having(one.name, one.value).given) == set(found.given)


@given(st.lists(st.tuples(st.sampled_from((*FORMS, "x", "sort", "text")), st.text())))
def test_any_address_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    """With a word about the part that is wrong."""
    for kind in ALL:
        try:
            ListFilter.read(kind, pairs)
        except WrongAsk as error:
            assert any(str(error).startswith(name) for name, _ in pairs)  # noqa: PT017  # most are no mistake


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("tols", "x")], "tols: calls have component, peer, "),
        ([("outcome", "bad")], "outcome=bad: 'bad' is not one of 'ok', "),
        ([("since", "yesterday")], "since=yesterday: expected 10m, 2h, 7d ago, or 2026-"),
        ([("slower_than", "fast")], "slower_than=fast: expected 500ms"),
        ([("limit", "0")], "limit=0: "),
        ([("limit", "1001")], "limit=1001: "),
        ([("sort", "size")], "sort=size: "),
        ([("failed", "perhaps")], "failed=perhaps: "),
        ([("trace", "12")], "trace=12: rows have no numbers here"),
        ([("trace", "zzzzzz")], "trace=zzzzzz: expected a trace id"),
        ([("text", "a"), ("text", "b")], "text: it can be given at most 1 time"),
        ([("tool", "\0")], "tool: this is no text that could be stored"),
    ],
)
def test_what_is_wrong_with_an_address_is_named(pairs: list[tuple[str, str]], said: str) -> None:
    """So that whoever wrote it can mend it."""
    with pytest.raises(WrongAsk) as raised:
        ListFilter.read(CALLS, pairs)
    assert str(raised.value).startswith(said)


@given(st.sampled_from((TRACES, CALLS, MESSAGES, LOGS)), st.data())
def test_a_heading_sorts_by_its_column_and_then_turns_the_list_around(
    kind: ListKind, data: st.DataObject
) -> None:
    """And back again; what is asked for besides stays."""
    column, other = (data.draw(st.sampled_from(("time", *kind.sorts))) for _ in range(2))
    asked = ListFilter.read(kind, [("component", "relay")]).sorted_by(other)
    sorted_ = asked if column == other else asked.sorted_by(column)
    assert (sorted_.sort, sorted_.is_ascending) == (column, column == other == "time")
    turned = sorted_.sorted_by(column)
    assert (turned.sort, turned.is_ascending) == (column, not sorted_.is_ascending)
    assert turned.sorted_by(column) == sorted_
    assert turned.filters == asked.filters


def test_attributes_are_as_many_as_can_be_looked_for() -> None:
    """Each has two forms, and all combinations of these are asked for."""
    some = [("attribute", f"k{number}={number}") for number in range(7)]
    assert len(_attributes(ListFilter.read(LOGS, some[:6]))) == 2**6
    with pytest.raises(WrongAsk, match="attribute"):
        ListFilter.read(LOGS, some)


def _attributes(asked: ListFilter) -> list[Any]:
    found = asked.bound()["attributes"]
    assert isinstance(found, list)
    return found
