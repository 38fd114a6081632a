"""Filters: what is given on the command line, and what is found by it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relayscope.collector.query.database import reading
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.filters import attribute, bound
from relayscope.collector.query.list_kind import LOGS
from relayscope.collector.query.listing import newest
from relayscope.collector.query.statement import Column, Result
from relayscope.collector.text.times import moment
from tests.collector.reading import samples
from tests.collector.reading.conftest import settings_for
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.collector.reading.conftest import Relayscope

KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.integers(-(2**60), 2**60),
    st.booleans(),
)
STORED: list[dict[str, Any]] = [
    {"it's": "a"},
    {'"quoted"': "b%_"},
    {"%(key)s": "c", ":x": "d"},
    {"back\\slash": "e", "": "empty"},
    {"n": 200},
    {"n": "200"},
    {"n": True},
    {"n": [200]},
    {"__proto__.x": "f", "a=b": "g"},
]


@pytest.fixture(scope="module")
def reader(shared_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A reader of records that differ in their attributes alone."""
    where = samples.span("00" * 8, None, "c", "x", kind="client", times=(0, 1))
    records = []
    for number, attributes in enumerate(STORED):
        record = samples.log(where, "c", number, (9, "INFO"), str(number))
        records.append(replace(record, attributes=attributes))
    samples.store(shared_database_url, [], records)
    with reading(settings_for(shared_database_url), timeout=10) as connection:
        yield connection


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.tuples(KEYS, VALUES),
        st.sampled_from(
            [pair for one in STORED for pair in one.items() if not isinstance(pair[1], list)]
        ),
    )
)
def test_an_attribute_of_any_name_is_found(
    reader: psycopg.Connection[Any], wanted: tuple[str, Any]
) -> None:
    """Keys and values are data: what is found is what a filter in memory finds."""
    key, value = wanted
    spelled = json.dumps({key: value})
    found = newest(
        reader,
        LOGS,
        bound({"attribute": (attribute(spelled),)}) | {"most": 100},
        (None, None),
        as_json=False,
    )
    body = [column.name for column in found.columns].index("body")
    assert {row[body] for row in found.rows} == {
        str(number)
        for number, attributes in enumerate(STORED)
        if key in attributes and (type(attributes[key]), attributes[key]) == (type(value), value)
    }


@given(KEYS.filter(lambda key: "=" not in key and not key.startswith("{")), VALUES)
def test_a_plain_attribute_is_read_as_text_and_as_what_it_says(key: str, value: object) -> None:
    """`n=200` finds the number and the text."""
    text = value if isinstance(value, str) else json.dumps(value)
    forms = [one[key] for one in attribute(f"{key}={text}")]
    assert forms[0] == text
    assert isinstance(value, str) or value in forms


def test_a_moment_is_some_time_ago_or_a_date() -> None:
    """In UTC."""
    before = time.time()
    at = moment("90m").timestamp() + 5400
    assert before - 1 < at < time.time() + 1
    assert moment("2026-11-25T14:00:00+02:00").isoformat() == "2026-11-25T12:00:00+00:00"
    for wrong in ("", "m", "10 m", "99999999d", "2026-13-01"):
        with pytest.raises(click.BadParameter):
            moment(wrong)


def test_a_list_that_takes_too_long_shows_what_it_has_found(
    reader: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And says what was not looked at; nothing found is an error, as before."""
    windows_seen = []

    def slow(*arguments: Any) -> Result:
        windows_seen.append(arguments[2])
        if len(windows_seen) % 2 == 0:
            raise StatementTooSlow("canceling statement due to statement timeout")
        return Result((Column("time", 25),), iter([("now",)] * (len(windows_seen) % 4)))

    monkeypatch.setattr("relayscope.collector.query.listing.select", slow)
    # As if there were more than a first stretch has.
    monkeypatch.setattr("relayscope.collector.query.lookback.ROWS", 3)
    asked = bound({}) | {"most": 100}
    found = newest(reader, LOGS, asked, (None, None), as_json=False)
    assert list(found.rows) == [("now",)]
    assert "was not looked at, which takes too long" in capsys.readouterr().err
    windows_seen[:] = [None, None, None]
    with pytest.raises(StatementTooSlow):
        newest(reader, LOGS, asked, (None, None), as_json=False)


@pytest.mark.parametrize("command", ["problems", "calls", "stats", "tail"])
def test_a_time_that_ends_before_it_begins_is_refused(relayscope: Relayscope, command: str) -> None:
    """An answer that nothing failed, or fits, would be taken for news."""
    done = relayscope(command, "--since", "5m", "--until", "10m")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'--until': this is not after --since" in done.stderr
