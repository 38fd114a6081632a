"""`relayscope problems` in a file, a pipe and a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest

from relayscope.collector.query.problems import SEVERITY
from relayscope.conventions.attributes import (
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_ODD,
    PEER,
)
from relayscope.storage import Writer, rows
from tests.collector.reading.problems import complaints, problems
from tests.storage.samples import TRACE, batch, log

if TYPE_CHECKING:
    from sqlalchemy import Engine

SAID = " and ".join(f"reason {number}" for number in range(30))


@pytest.fixture
def odd(engine: Engine) -> None:
    """A message that is odd, and long."""
    attributes = {
        MESSAGE_ODD: "wrong_side",
        MESSAGE_KIND: "request",
        MESSAGE_DIRECTION: "received",
        PEER: "127.0.0.1:9051",
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"said": SAID}})
    writer = Writer(engine)
    writer.write([batch(logs=[log(body, severity_number=13, attributes=rows.jsonb(attributes))])])
    writer.close()


def on_a_terminal(database_url: str, width: int) -> str:
    """The output on a terminal of that width, without bold type."""
    shown = problems(database_url, TTY_COMPATIBLE="1", COLUMNS=str(width), NO_COLOR="1")
    return click.unstyle(shown)


@pytest.mark.usefixtures("odd")
def test_evidence_is_whole_for_who_reads_it_later(database_url: str) -> None:
    """In a pipe or a file there is no width to be cut to."""
    assert SAID in problems(database_url)


@pytest.mark.usefixtures("odd")
def test_evidence_is_one_line_of_a_terminal(database_url: str) -> None:
    """A line that is longer than its width is cut, and that is seen."""
    shown = on_a_terminal(database_url, 80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" in shown


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("width", [44, 80, 200])
def test_what_happened_is_whole_in_any_width(database_url: str, width: int) -> None:
    """The rest goes on below, and the time stays beside the trace."""
    # First: a request that is not answered becomes a problem only after a while.
    heads = [line for line in problems(database_url).splitlines() if not line.startswith(" ")]
    shown = on_a_terminal(database_url, width)
    assert max(map(len, shown.splitlines())) <= width
    assert heads
    for head in heads:
        assert " ".join(head.split()) in " ".join(shown.split())
        assert f"{TRACE.hex[:8]}{head.rpartition(TRACE.hex[:8])[2]}" in shown


@pytest.mark.usefixtures("odd")
def test_a_narrow_terminal_is_used_in_its_whole_width(database_url: str) -> None:
    """The kind stands above what is said, which has all columns but two."""
    kind, *said = on_a_terminal(database_url, 40).splitlines()
    assert kind in SEVERITY.values()
    assert max(map(len, said)) > 30
    assert all(line.startswith("  ") or line in SEVERITY.values() for line in said)


@pytest.mark.usefixtures("odd")
def test_problems_of_one_component_can_be_asked_for(database_url: str) -> None:
    """If nothing of it failed, that is said, and where to look next."""
    assert "relay" in problems(database_url, "--component", "relay")
    shown = problems(database_url, "--component", "other")
    assert shown.startswith("nothing failed in the last day of other: no error, no odd message")
    assert "`relayscope calls`" in shown


def test_an_empty_database_is_no_good_news(database_url: str) -> None:
    """Nothing can be said to have failed or not where nothing was recorded."""
    assert problems(database_url).startswith("nothing is stored here yet")


def test_a_component_is_found_among_many_with_problems(database_url: str, engine: Engine) -> None:
    """All of them have more of it, or as much and later."""
    attributes = rows.jsonb(
        {MESSAGE_ODD: "not_mcp", MESSAGE_KIND: "request", MESSAGE_DIRECTION: "sent"}
    )
    records = [
        batch(
            service=f"one {number}",
            logs=[log("x", severity_number=13, attributes=attributes)] * (2 if number else 1),
        )
        for number in range(60)
    ]
    writer = Writer(engine)
    writer.write(records)
    writer.close()
    assert "one 0 sends a method" in problems(database_url, "--component", "one 0")
    said = complaints("problems", database_url)
    assert said.startswith("50 of each kind are shown at most; there may be more of: ")
    assert "odd messages. --since" in said
    assert complaints("problems", database_url, "--component", "one 0") == ""


@pytest.mark.parametrize(
    ("body", "note"),
    [('{"result": {"x": NaN}}', "NaN is no JSON"), ('{"result": {"x": 1', ""), ("NaN, or", "")],
)
def test_a_number_that_is_no_json_is_named(
    database_url: str, engine: Engine, body: str, note: str
) -> None:
    """Its own text does not tell: many programs read it."""
    attributes = {MESSAGE_ODD: "unparsable", MESSAGE_KIND: "unparsable", MESSAGE_DIRECTION: "sent"}
    writer = Writer(engine)
    writer.write([batch(logs=[log(body, severity_number=13, attributes=rows.jsonb(attributes))])])
    writer.close()
    (found,) = map(json.loads, problems(database_url, "--json").splitlines())
    assert found["note"] == note
