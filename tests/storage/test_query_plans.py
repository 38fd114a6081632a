"""R22: how PostgreSQL looks things up: by which index, in which partitions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, LiteralString
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import text

from relayscope.collector.query.filters import bound
from relayscope.collector.query.queries import query
from relayscope.storage import create_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Engine

TODAY: Final = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS: Final = (2, 1, 0)

SEED: Final[LiteralString] = """
    insert into relayscope_store.resource
    select md5(n::text)::uuid, 'component ' || n, '{}', '', 0 from generate_series(1, 4) n;
    insert into relayscope_store.span
    select start + n * interval '20 s', 0, start + n * interval '20 s', 0, md5((n / 4)::text)::uuid,
           int8send(n), int8send(n - 1), null, 0, 'tools/call', (2 + n % 2)::smallint,
           (case when n % 100 = 0 then 2 else 0 end)::smallint, null,
           '{"mcp.method.name": "tools/call", "jsonrpc.request.id": "1"}', null, null, 0, 0, 0,
           md5((1 + n % 4)::text)::uuid, md5('scope')::uuid
    from generate_series(1, 4000) n,
         generate_series(:first ::timestamptz, :last ::timestamptz, interval '1 day') as start;
    insert into relayscope_store.log
    select start + n * interval '20 s', 0, null, null, md5((n / 4)::text)::uuid, int8send(n), 0,
           (case when n % 100 = 0 then 17 else 1 end)::smallint, null,
           case when n % 10 <> 7 then 'mcp.message' end,
           repeat('text ', 80), null,
           '{"mcp.method.name": "tools/call", "relayscope.message.kind": "request"}',
           0, md5((1 + n % 4)::text)::uuid, md5('scope')::uuid
    from generate_series(1, 4000) n,
         generate_series(:first ::timestamptz, :last ::timestamptz, interval '1 day') as start
"""

LONG_TRACES: Final = text("""
    insert into relayscope_store.span
    select start, 0, start, 0, md5((2 * n / :spans)::text)::uuid, int8send(n), null, null, 0,
           'notifications/progress', 2, 0, null, '{}', null, null, 0, 0, 0,
           md5('1')::uuid, md5('scope')::uuid
    from generate_series(1, :spans) n,
         lateral (select now() - (:spans - n) * interval '1 ms') as at (start)
""")


@pytest.fixture(scope="module")
def seeded(shared_database_url: str) -> Iterator[Connection]:
    """Three days of spans and records, nine of ten of them messages, in their partitions."""
    engine = create_engine(shared_database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("span", "log"):
            for day in DAYS:
                start = TODAY - timedelta(days=day)
                connection.execute(
                    text("select relayscope_store.make_partition(:table, :name, :start, :end)"),
                    {
                        "table": table,
                        "name": f"{table}_{start:%Y_%m_%d}",
                        "start": start,
                        "end": start + timedelta(days=1),
                    },
                )
        for statement in SEED.split(";"):
            connection.execute(text(statement), {"first": TODAY - timedelta(days=2), "last": TODAY})
        connection.execute(text("vacuum analyze"))
        connection.execute(text("set search_path = relayscope"))
        yield connection
    engine.dispose()


ERRORS: Final = (
    "select * from logs where component = 'component 1' and severity_number >= 17"
    " order by time desc limit 20"
)


class Plan:
    """Plan of a statement; `given` are the filters of a list."""

    def __init__(
        self,
        connection: Connection,
        statement: LiteralString,
        given: Mapping[str, object] | None = None,
    ) -> None:
        if given is None:
            (explained,) = connection.execute(
                text(f"explain (analyze, format json) {statement}"), BOUND
            ).one()
        else:
            # As the commands run it, so that PostgreSQL knows which filters there are.
            driver = connection.connection.driver_connection
            assert driver is not None
            (explained,) = driver.execute(
                f"explain (analyze, format json) {query(statement)}", NO_FILTER | dict(given)
            ).fetchone()
        self.scanned: set[str] = set()
        """Partitions that are read without an index. The empty DEFAULT is none."""
        self.read: set[str] = set()
        """Partitions that are read."""
        used: set[str] = set()
        self._look(explained[0]["Plan"], used)
        parents = text(
            "select parent.relname from pg_inherits join pg_class child on child.oid = inhrelid"
            " join pg_class parent on parent.oid = inhparent where child.relname = any(:used)"
        )
        self.indexes = set(connection.scalars(parents, {"used": list(used)}))
        """The indexes that are used, by their names on the table."""

    def _look(self, node: Mapping[str, Any], used: set[str]) -> None:
        table = str(node.get("Relation Name", ""))
        if node["Actual Loops"] and "_20" in table:
            self.read.add(table)
            if node["Node Type"] == "Seq Scan":
                self.scanned.add(table)
        if node["Actual Loops"] and "Index Name" in node:
            used.add(node["Index Name"])
        for child in node.get("Plans", ()):
            self._look(child, used)


BOUND: Final = {
    "trace": UUID("c4ca4238-a0b9-2382-0dcc-509a6f75849b"),
    "start": TODAY - timedelta(days=1) + timedelta(hours=3),
    "end": TODAY - timedelta(days=1) + timedelta(hours=4),
}
YESTERDAY: Final = f"{TODAY - timedelta(days=1):%Y_%m_%d}"


@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        ("select * from spans where trace_id = :trace", {"span_trace_id"}),
        ("select * from logs where trace_id = :trace", {"log_trace_id"}),
        ("select * from messages where trace_id = :trace", {"log_trace_id"}),
        ("select * from trace(:trace)", {"span_trace_id", "log_trace_id"}),
        ("select * from logs_for_trace(:trace)", {"log_trace_id"}),
        ("select * from calls where trace_id = :trace", {"span_trace_id", "log_trace_id"}),
        ("select * from legs where trace_id = :trace", {"span_trace_id"}),
        (
            "select * from trace_summary where trace_id = :trace",
            {"span_trace_id", "log_trace_id"},
        ),
    ],
)
def test_a_trace_is_looked_up_by_its_id(
    seeded: Connection, statement: LiteralString, indexes: set[str]
) -> None:
    """In each view and function, and nothing is read from one end to the other."""
    plan = Plan(seeded, statement)
    assert plan.indexes >= indexes
    assert plan.scanned == set()


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("select * from logs order by time desc limit 50", "log_by_time"),
        (
            "select * from messages where component = 'component 1' order by time desc limit 5",
            "log_by_time",
        ),
        (
            ERRORS,
            "log_severe",
        ),
        ("select * from odd_messages order by time desc limit 50", "log_severe"),
        ("select * from other_logs order by time desc limit 50", "log_other"),
        ("select * from spans order by start_time desc limit 50", "span_by_time"),
    ],
)
def test_the_newest_are_read_from_the_end(
    seeded: Connection, statement: LiteralString, index: str
) -> None:
    """By the index on the time, and no more of it than is asked for."""
    plan = Plan(seeded, statement)
    assert index in plan.indexes
    assert plan.scanned == set()


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("select * from logs where time >= :start and time < :end", {"log"}),
        (
            "select * from messages where method = 'tools/call' and time >= :start and time < :end",
            {"log"},
        ),
        ("select * from compare_peers('x', 'a', 'b', :start, :end)", {"log"}),
        ("select * from components(:start, :end)", {"log", "span"}),
        ("select * from service_calls(:start, :end)", {"span"}),
        ("select * from spans where start_time >= :start and start_time < :end", {"span"}),
    ],
)
def test_a_time_picks_the_partitions(
    seeded: Connection, statement: LiteralString, tables: set[str]
) -> None:
    """In views, and in functions by their bounds: an hour of yesterday reads yesterday only."""
    plan = Plan(seeded, statement)
    assert plan.read == {f"{table}_{YESTERDAY}" for table in tables}


@pytest.mark.parametrize(
    "statement",
    [
        "select * from relayscope_store.every_log",
        "select * from spans",
        "select * from messages",
        "select * from calls",
        "select * from legs",
        "select * from service_calls()",
        "select * from delivery()",
        "select * from trace(:trace)",
    ],
)
def test_a_column_that_is_read_out_of_attributes_costs_no_call(
    seeded: Connection, statement: LiteralString
) -> None:
    """Its function is put in place of the call: a condition on it is one on the attributes."""
    plan = "\n".join(seeded.scalars(text(f"explain (verbose) {statement}"), BOUND))
    assert " ->> " in plan
    assert called(plan) == set()


def called(plan: str) -> set[str]:
    """The functions that a plan calls, but for those that are no single expressions."""
    return set(re.findall(r"relayscope_store\.(\w+)\(", plan)) - {
        "arguments_of",
        "json_or_null",
        "newest",
        "said",
    }


def test_what_was_said_is_looked_up_only_where_it_is_read(seeded: Connection) -> None:
    """A list finds its calls by their times first; answers are looked up for those it shows."""

    def looks_up(statement: LiteralString) -> bool:
        plan = seeded.scalars(text(f"explain {statement}"), {"start": BOUND["start"]})
        return re.search(r"\blog_\d+_\d+_\d+_trace_id_idx\b", "\n".join(plan)) is not None

    assert looks_up("select time, answer from calls where time >= :start")
    assert not looks_up("select time from calls where time >= :start")


def test_delivery_reads_the_spans_of_a_day_more(seeded: Connection) -> None:
    """They are numbered when they end, and kept by when they began."""
    plan = Plan(seeded, "select * from delivery(:start, :end)")
    before = f"{TODAY - timedelta(days=2):%Y_%m_%d}"
    assert plan.read == {f"log_{YESTERDAY}", f"span_{YESTERDAY}", f"span_{before}"}


NO_FILTER: Final = bound({}) | {
    "most": 50,
    "since": datetime.min.replace(tzinfo=UTC),
    "until": datetime.max.replace(tzinfo=UTC),
}
HOUR: Final = {"since": BOUND["start"], "until": BOUND["end"]}


@pytest.mark.parametrize(
    ("name", "given", "indexes"),
    [
        ("messages", {"trace": [BOUND["trace"]]}, {"log_trace_id"}),
        ("messages", {"trace": [BOUND["trace"]], "kind": ["request"]}, {"log_trace_id"}),
        ("messages", {"component": ["component 1", "component 2"], **HOUR}, {"log_by_time"}),
        ("messages", {"direction": ["sent"], "tool": ["a", "b"], **HOUR}, {"log_by_time"}),
        ("messages", {"odd": True}, {"log_severe"}),
        ("messages", {"odd": True, "component": ["component 1"]}, {"log_severe"}),
        ("messages", {"failed": True, **HOUR}, {"log_by_time"}),
        ("messages", {"sort": "size", **HOUR}, {"log_by_time"}),
        ("logs", {"trace": [BOUND["trace"]]}, {"log_trace_id"}),
        ("logs", {"level": 17}, {"log_severe"}),
        ("logs", {"all": True, **HOUR}, {"log_other"}),
        ("records", {"trace": [BOUND["trace"]]}, {"log_trace_id"}),
        ("records", {"odd": True}, {"log_severe"}),
        ("calls", {"trace": [BOUND["trace"]]}, {"span_trace_id", "log_trace_id"}),
        ("calls", {"failed": True, **HOUR}, {"span_by_time", "log_by_time"}),
        ("calls", {"odd": True, **HOUR}, {"span_by_time", "log_severe"}),
        ("calls", {"slower_than": timedelta(seconds=1), **HOUR}, {"span_by_time"}),
        ("calls", {"sort": "duration", **HOUR}, {"span_by_time"}),
        (
            "calls",
            {"sort": "duration", "times": [BOUND["start"]], **HOUR},
            {"span_by_time", "log_by_time"},
        ),
        ("traces", {"trace": [BOUND["trace"]]}, {"span_trace_id"}),
        ("traces", {"times": [BOUND["start"]], **HOUR}, {"span_by_time", "span_trace_id"}),
        ("traces", {"tool": ["a", "b"], "outcome": ["ok"], **HOUR}, {"span_by_time"}),
        ("traces", {"failed": True, **HOUR}, {"span_by_time", "span_trace_id"}),
        (
            "traces_between",
            {"first": UUID("c4ca4238" + "0" * 24), "last": UUID("c4ca4238" + "f" * 24)},
            {"span_trace_id", "log_trace_id"},
        ),
    ],
)
def test_a_filter_of_a_list_is_looked_up(
    seeded: Connection, name: LiteralString, given: Mapping[str, object], indexes: set[str]
) -> None:
    """By the trace id, the severity or the time; nothing is read from one end to the other."""
    plan = Plan(seeded, name, given)
    assert plan.indexes >= indexes
    assert plan.scanned == set()


@pytest.mark.parametrize(
    "name",
    ["logs", "logs_searched", "messages", "messages_searched", "calls", "traces", "records"],
)
def test_a_filter_of_a_list_costs_no_call(seeded: Connection, name: LiteralString) -> None:
    """This holds with the filters, and without them."""
    driver = seeded.connection.driver_connection
    assert driver is not None
    names = ("component", "peer", "direction", "kind", "method", "tool", "side", "outcome")
    everything = {
        **{each: ["x"] for each in names},
        "trace": [BOUND["trace"]],
        "times": [BOUND["start"]],
        "attributes": [Jsonb({"x": 1})],
        "failed": True,
        "level": 9,
        "odd": True,
        "text": "x",
    }
    for given in ({}, everything):
        explained = driver.execute(f"explain (verbose) {query(name)}", NO_FILTER | given)
        assert called("\n".join(line for (line,) in explained)) == set()


@pytest.mark.parametrize(
    ("name", "index"),
    [("messages", "log_by_time"), ("logs", "log_other"), ("records", "log_by_time")],
)
def test_without_filters_the_newest_of_a_list_are_read_from_the_end(
    seeded: Connection, name: LiteralString, index: str
) -> None:
    """A filter that is not given costs nothing."""
    plan = Plan(seeded, name, {"all": True})
    assert index in plan.indexes
    assert plan.scanned == set()


def test_few_long_traces_are_listed_without_reading_each_for_each_of_its_spans(
    engine: Engine,
) -> None:
    """Also where all that is stored is of such traces, so that an id picks much of it."""
    spans = 2000
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(LONG_TRACES, {"spans": spans})
        connection.execute(text("analyze relayscope_store.span"))
        explained = connection.scalar(
            text(
                "explain (analyze, format json) select trace_id, start_time"
                " from relayscope.trace_summary where start_time > now() - interval '1 hour'"
            )
        )
    assert explained is not None
    assert _rows_looked_at(explained[0]["Plan"]) < 20 * spans


def _rows_looked_at(node: Mapping[str, Any]) -> float:
    removed = node.get("Rows Removed by Filter", 0)
    own = node["Actual Loops"] * (node["Actual Rows"] + removed) if "Relation Name" in node else 0
    return float(own) + sum(map(_rows_looked_at, node.get("Plans", ())))
