"""Records that share ids, break off or have an impossible time are read like all others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import Engine, text

from relayscope.conventions.attributes import (
    DELIVERY_SEQUENCE,
    ERROR_UNANSWERED,
    MESSAGE_SHA256,
    RPC_RESPONSE_STATUS_CODE,
)
from tests.fix_command import warm_relayscope
from tests.fix_programs import host_environment, run
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector

START = 1_795_000_000 * SECOND
DAY = 86_400 * SECOND
YEAR_2262 = 2**63 - 1

EVERYTHING: tuple[LiteralString, ...] = (
    "spans",
    "logs",
    "other_logs",
    "messages",
    "odd_messages",
    "calls",
    "legs",
    "trace_summary",
    "components",
    "service_calls",
    "delivery",
    "search('jsonrpc', '-infinity')",
    "compare_peers(null, '127.0.0.1:9051', '127.0.0.1:9052', '-infinity')",
)


def rows(engine: Engine, statement: LiteralString) -> list[dict[str, Any]]:
    """All rows of a statement."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(statement)).mappings()]


def said(identifier: int, what: str) -> str:
    """A message of that id."""
    return json.dumps({"jsonrpc": "2.0", "id": identifier, what: {}})


def test_calls_that_share_ids_keep_what_is_theirs(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """R9: one span id in two traces, and the same ids from two components, mix no texts."""
    for component, trace in (("a", 1), ("a", 2), ("b", 1)):
        mark = f"{component}{trace}"
        send(
            emptied_collector,
            component,
            [call(trace, 5, START, name=mark)],
            [
                message(trace, 5, START, "request", f'{{"method": "{mark}"}}'),
                message(trace, 5, START + 9, "result", f'{{"result": "{mark}"}}', sequence=2),
            ],
        )
    found = rows(shared_engine, "select component, trace_id::text, request, answer from calls")
    assert sorted(
        (row["component"], row["trace_id"][-1], row["request"], row["answer"]) for row in found
    ) == [
        (
            component,
            trace,
            f'{{"method": "{component}{trace}"}}',
            f'{{"result": "{component}{trace}"}}',
        )
        for component, trace in (("a", "1"), ("a", "2"), ("b", "1"))
    ]
    summaries = rows(
        shared_engine, "select spans, components, messages from trace_summary order by 1"
    )
    assert [tuple(row.values()) for row in summaries] == [(1, ["a"], 2), (2, ["a", "b"], 4)]


def test_a_context_that_is_passed_on_as_it_came_makes_no_call(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """Of several that say they served a call, the first one did: the others heard it from there."""
    send(emptied_collector, "client", [call(1, 1, START)], [])
    parent = (1).to_bytes(8, "big")
    for number, component in ((3, "backend"), (2, "relay")):
        served = call(
            1, number, START + number * SECOND, parent_span_id=parent, kind=Span.SPAN_KIND_SERVER
        )
        send(emptied_collector, component, [served], [])

    found = rows(shared_engine, "select caller, callee, calls from service_calls")
    assert [tuple(row.values()) for row in found] == [("client", "relay", 1)]


def test_each_outcome_of_a_call_is_told_apart(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """Also of calls whose span never came: answered, refused, failed, or not answered."""
    spans = [
        call(1, 1, START),
        call(2, 1, START, error_type="tool_error"),
        call(3, 1, START, error_type="-32602", attributes={RPC_RESPONSE_STATUS_CODE: "-32602"}),
        call(4, 1, START, error_type="ConnectionResetError"),
        call(5, 1, START, error_type=ERROR_UNANSWERED),
    ]
    records = [message(trace, 1, START, "request", said(1, "params")) for trace in range(6, 10)]
    records += [
        message(6, 1, START + 5, "result", '{"id": 1, "result": {"isError": false}}'),
        message(7, 1, START + 5, "result", '{"id": 1, "result": {"isError": true}}'),
        message(8, 1, START + 5, "error", said(1, "error"), extra={RPC_RESPONSE_STATUS_CODE: "-1"}),
    ]
    send(emptied_collector, "a", spans, records)
    found = rows(shared_engine, "select outcome, error_code from calls order by trace_id")
    assert [tuple(row.values()) for row in found] == [
        ("ok", None),
        ("tool_error", None),
        ("protocol_error", -32602),
        ("transport_error", None),
        ("unanswered", None),
        ("ok", None),
        ("tool_error", None),
        ("protocol_error", -1),
        ("unanswered", None),
    ]


def test_missing_and_repeated_numbers_are_told(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """`delivery` counts each number once."""
    send(
        emptied_collector,
        "a",
        [],
        [
            message(1, 1, START + sequence, "request", said(1, "params"), sequence=sequence)
            for sequence in (2, 3, 3, 7)
        ],
    )
    (found,) = rows(shared_engine, "select * from delivery")
    assert (found["first_sequence"], found["last_sequence"]) == (2, 7)
    assert (found["stored"], found["missing"]) == (3, 3)
    assert (found["component"], found["process"]) == ("a", "a-1")


def test_what_a_process_has_numbered_is_told_to_be_complete_or_not(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """Spans and records together, and apart from the numbers of its channels."""
    number = DELIVERY_SEQUENCE
    send(
        emptied_collector,
        "a",
        [call(1, 1, START, attributes={number: 2}), call(1, 2, START, attributes={number: 3})],
        [
            message(1, 1, START, "request", said(1, "params"), extra={number: 1}),
            message(1, 1, START + 5, "result", said(1, "result"), sequence=2, extra={number: 6}),
        ],
    )
    found = {row["channel"]: row for row in rows(shared_engine, "select * from delivery")}
    assert set(found) == {None, "c0ffee"}
    assert (found["c0ffee"]["stored"], found["c0ffee"]["missing"]) == (2, 0)
    of_process = found[None]
    assert (of_process["first_sequence"], of_process["last_sequence"]) == (1, 6)
    assert (of_process["stored"], of_process["missing"]) == (4, 2)
    assert (of_process["component"], of_process["process"]) == ("a", "a-1")


def test_what_a_level_left_out_is_not_listed_as_missing(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """`stats` leaves out the gaps of a channel where all is stored that its process has sent."""
    send(
        emptied_collector,
        "a",
        [],
        [
            message(
                *(1, 1, START, "request", said(1, "params")),
                sequence=sequence,
                extra={DELIVERY_SEQUENCE: number},
            )
            for number, sequence in enumerate((2, 3, 7), 1)
        ],
    )
    send(emptied_collector, "b", [], [message(1, 1, START, "request", "{}", sequence=4)] * 2)
    send(emptied_collector, "b", [], [message(1, 1, START, "request", "{}", sequence=6)])
    environment = host_environment(
        RELAYSCOPE_DATABASE_URL=shared_engine.url.render_as_string(hide_password=False)
    )
    shown = run([*warm_relayscope(), "stats", "--json", "--since", "2020-01-01"], environment)
    told = [json.loads(line) for line in shown.stdout.splitlines()]
    missing = [row for row in told if row["view"] == "delivery" and row["missing"]]
    assert [(row["component"], row["missing"]) for row in missing] == [("b", 1)]


def test_a_span_without_an_end_has_no_duration(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """Neither in the views nor where it is shown, and no year of 1970."""
    send(emptied_collector, "a", [call(1, 1, START, end_time_unix_nano=0)], [])
    for view in ("spans", "calls"):
        (found,) = rows(shared_engine, f"select duration from {view}")  # noqa: S608  # Our own names.
        assert found["duration"] is None, view
    environment = host_environment(
        RELAYSCOPE_DATABASE_URL=shared_engine.url.render_as_string(hide_password=False)
    )
    for command in (["trace", "1".zfill(32)], ["calls", "--since", "2020-01-01"]):
        shown = run([*warm_relayscope(), *command], environment)
        assert "-" not in shown.stdout.partition("client · ")[2].partition("\n")[0]
        assert " h " not in shown.stdout
    assert "no end" in run([*warm_relayscope(), "trace", "1".zfill(32)], environment).stdout


def test_texts_that_were_cut_are_marked(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """A digest beside a text says that it is the beginning of a longer one."""
    digest = MESSAGE_SHA256
    send(
        emptied_collector,
        "a",
        [],
        [
            message(1, 1, START, "request", said(1, "params")),
            message(2, 1, START, "request", said(1, "params"), extra={digest: "00"}),
        ],
    )
    found = rows(shared_engine, "select truncated, sha256 from messages order by trace_id")
    assert [tuple(row.values()) for row in found] == [(False, None), (True, "00")]


def test_records_of_impossible_times_are_read(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """R19: a day off either way, 1970, 2262, ends before they begin, children before parents."""
    times = (START, START - DAY, START + DAY, 1, YEAR_2262)
    spans = [call(number, 1, at) for number, at in enumerate(times, 1)]
    spans += [
        call(6, 1, START, seconds=-60),
        call(7, 2, START - DAY, parent_span_id=(1).to_bytes(8, "big")),
        call(7, 1, START),
    ]
    records = [
        message(number, 1, at, "request", said(1, "params"), sequence=number)
        for number, at in enumerate(times, 1)
    ]
    send(emptied_collector, "a", spans, records)
    number = {name: len(rows(shared_engine, f"select * from {name}")) for name in EVERYTHING}  # noqa: S608  # Our own names.
    assert number["spans"] == 8
    assert number["messages"] == number["logs"] == number["search('jsonrpc', '-infinity')"] == 5
    assert number["calls"] == 8
    assert number["trace_summary"] == 7
    marked = rows(shared_engine, "select from spans where attributes ? 'relayscope.normalized'")
    assert len(marked) == 1
    (summary,) = rows(
        shared_engine, "select * from trace_summary where trace_id = lpad('7', 32, '0')::uuid"
    )
    assert (summary["spans"], summary["duration"].days) == (2, 1)
    (calls,) = rows(shared_engine, "select calls, longest from service_calls")
    assert calls["calls"] == 8
    (seen,) = rows(shared_engine, "select first_time, last_time from components")
    assert (seen["first_time"].year, seen["last_time"].year) == (1970, 2262)
    environment = host_environment(
        RELAYSCOPE_DATABASE_URL=shared_engine.url.render_as_string(hide_password=False)
    )
    for command in ("traces", "messages", "calls", "logs", "tail", "stats"):
        shown = run([*warm_relayscope(), command], environment)
        assert (shown.returncode, shown.stderr) == (0, "")
