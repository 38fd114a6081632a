"""`--json` speaks of what it prints in the words of the views, as VIEWS.md documents."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from relayscope.collector.cli.main import main
from relayscope.storage import create_engine
from tests.collector.reading import samples
from tests.collector.reading.samples import TRACE_ID

PAGE = files("relayscope.storage").joinpath("VIEWS.md").read_text("utf-8").split("## In JSON")[1]
ROW = re.compile(r"^\| (`?\w+`?) \| (\w[^|]*) \| (.+) \|$", re.MULTILINE)
DOCUMENTED = {
    (what, view.split("; ")[0]): columns.split(", ")
    for what, view, columns in ROW.findall(PAGE)
    if ", " in columns
}
"""By command or, without backticks, by member of a trace, and by view."""

COMMANDS = [
    (what.strip("`"), view)
    for what, view in DOCUMENTED
    if what in {"`calls`", "`traces`", "`tail`", "`messages`", "`logs`"}
]
OWN = {"view", "depth", "recorded", "in_cycle"}
"""Members that a command adds, and that no view has."""


@pytest.fixture(scope="module")
def database_url(shared_database_url: str) -> str:
    """One database for all."""
    samples.store(shared_database_url, *samples.relayed_call())
    samples.store(shared_database_url, *samples.hostile_call(), samples.HOSTILE_TRACE_ID)
    return shared_database_url


def printed(database_url: str, *arguments: str) -> list[dict[str, Any]]:
    """Return the rows that a command prints with `--json`."""
    result = CliRunner().invoke(main, [*arguments, "--json", "--database-url", database_url])
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def columns_of(database_url: str, view: str) -> set[str]:
    """Return the columns that a view has in the database."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            found = connection.execute(text(f"table relayscope.{view} limit 0"))
            return set(found.keys())
    finally:
        engine.dispose()


@pytest.mark.parametrize(("command", "view"), COMMANDS)
def test_a_list_prints_columns_of_its_view(database_url: str, command: str, view: str) -> None:
    """Those that are documented, with the values that SQL has for them."""
    columns = DOCUMENTED[f"`{command}`", view]
    rows = printed(database_url, command, "--trace", TRACE_ID.hex)
    assert rows
    assert {tuple(row) for row in rows} == {tuple(columns)}
    of_view = columns_of(database_url, view)
    shared = [name for name in columns if name in of_view]
    assert set(columns) <= of_view | columns_of(database_url, "messages")
    assert command == "tail" or shared == columns
    statement = f"select {', '.join(shared)} from {view} where trace_id = '{TRACE_ID}'"  # noqa: S608 - our own names
    selected = printed(database_url, "sql", statement)
    assert sorted(json.dumps({name: row[name] for name in shared}) for row in rows) == sorted(
        map(json.dumps, selected)
    )


@pytest.mark.parametrize("command", ["messages", "logs"])
def test_a_text_that_is_looked_for_changes_no_value(database_url: str, command: str) -> None:
    """The same records say the same, however they were found."""
    rows = printed(database_url, command, "--trace", TRACE_ID.hex)
    sought = "a"
    assert printed(database_url, command, "--trace", TRACE_ID.hex, "--text", sought) == [
        row for row in rows if sought in row["body"]
    ]


def test_sums_say_what_they_are_a_row_of(database_url: str) -> None:
    """One kind of row for each view, told apart by `view`."""
    rows = printed(database_url, "stats")
    assert {row["view"] for row in rows} >= {"components", "delivery"}
    for row in rows:
        assert list(row) == DOCUMENTED["`stats`", row["view"]]
        assert set(row) - OWN <= columns_of(database_url, row["view"])


def test_comparisons_print_the_columns_of_their_functions(database_url: str) -> None:
    """`diff` and `peers`."""
    sent, received = (
        row["message_id"]
        for row in printed(
            database_url, "messages", "--component", "iccm-relay", "--kind", "request"
        )
        if row["tool"] is None and row["method"] == "tools/call"
    )
    (row, *_) = printed(database_url, "diff", sent, received)
    assert list(row) == DOCUMENTED["`diff`", "message_diff"]
    since = ("--since", "2025-11-01")
    (row, *_) = printed(database_url, "peers", "127.0.0.1:9051", "stdio", *since)
    assert list(row) == DOCUMENTED["`peers`", "compare_peers"]


def test_a_trace_is_told_in_the_same_words(database_url: str) -> None:
    """Each part has columns of its view, and the values that the lists have for them."""
    (trace,) = printed(database_url, "trace", TRACE_ID.hex)
    assert trace["trace_id"] == str(TRACE_ID)
    for part in ("spans", "messages", "logs"):
        columns = DOCUMENTED[part, part]
        assert {tuple(row) for row in trace[part]} == {tuple(columns)}
        assert set(columns) - OWN <= columns_of(database_url, part)
    listed = printed(database_url, "messages", "--trace", TRACE_ID.hex)
    for one, other in zip(trace["messages"], listed, strict=True):
        for name in one.keys() & other.keys():
            assert one[name] == other[name], name
    statement = f"select * from spans where trace_id = '{TRACE_ID}' order by span_id"  # noqa: S608 - our own id
    selected = printed(database_url, "sql", statement)
    for one, other in zip(
        sorted(trace["spans"], key=lambda row: str(row["span_id"])), selected, strict=True
    ):
        for name in (one.keys() & other.keys()) - {"events", "links"}:
            assert one[name] == other[name], name


def test_times_are_in_utc_in_all_output(database_url: str) -> None:
    """They are in UTC in every zone of user, server or database, and can be given as printed."""
    rows = printed(database_url, "sql", "select now() as now, max(time) as time from messages")
    assert all(value.endswith("+00:00") for value in rows[0].values())
    first = printed(database_url, "messages")[0]
    assert first in printed(database_url, "messages", "--since", first["time"])
    plain = first["time"].replace("T", " ").removesuffix("+00:00")
    assert first in printed(database_url, "messages", "--since", plain)
    assert first not in printed(database_url, "messages", "--until", plain)
