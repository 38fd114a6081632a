"""The views and functions on calls that real programs made, through the real collector."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.sql import SQL

from tests.fix_programs import (
    Background,
    eventually,
    host_environment,
    instrumented,
    python,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.rows import DictRow

    from tests.fix_collector import Collector

TOOL = "correct_tool"
CALLS = [(TOOL, {"needle": "100%_\\x"}), (TOOL, {"fail": "1"}), ("missing_tool", {})]

Read = psycopg.Connection["DictRow"]


@pytest.fixture(scope="module")
def evidence(shared_collector: Collector, shared_database_url: str) -> Iterator[Read]:
    """A connection to what was recorded of three calls through a relay with two backends."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{shared_collector.grpc}")
    with (
        ExitStack() as stack,
        psycopg.connect(shared_database_url, autocommit=True, row_factory=dict_row) as connection,
    ):
        connection.execute("set search_path = relayscope")
        background = Background(stack)
        ports = {
            name: background.websocket_backend(name, environment, wrap=instrumented(name, []))
            for name in ("correct", "dewey")
        }
        backends = [f"{name}=ws://127.0.0.1:{port}" for name, port in ports.items()]
        relay = instrumented("relay", python("websocket_relay.py", *backends))
        client = python("client.py", json.dumps(CALLS), "--stdio", *relay)
        finished = run(instrumented("client", client), environment)
        assert finished.returncode == 0, finished.stderr
        # The backends run on, and send when a second has passed.
        eventually(
            lambda: (
                rows(connection, "select from calls where component = 'correct'").__len__() >= 4
                and rows(connection, "select from messages where method = 'tools/call'").__len__()
                == 20
            )
        )
        yield connection


def rows(connection: Read, statement: LiteralString, *values: object) -> list[DictRow]:
    """All rows of a statement."""
    return connection.execute(SQL(statement), values).fetchall()


def call_trace(connection: Read, needle: str = '"needle"') -> UUID:
    """The trace of the call whose request holds this."""
    (found,) = rows(
        connection,
        "select trace_id from messages where component = 'client' and kind = 'request'"
        " and strpos(body, %s) > 0",
        needle,
    )
    trace_id: UUID = found["trace_id"]
    return trace_id


def test_each_message_is_there_once_for_each_end(evidence: Read) -> None:
    """Four crossings of a relayed call, eight records, typed, with the exact text."""
    found = rows(
        evidence,
        "select * from messages where trace_id = %s and method = 'tools/call' order by time",
        call_trace(evidence),
    )
    told = [(row["component"], row["direction"], row["kind"]) for row in found]
    assert sorted(told) == sorted(
        (component, direction, kind)
        for component, first in (
            ("client", "sent"),
            ("relay", "received"),
            ("relay", "sent"),
            ("correct", "received"),
        )
        for direction, kind in (
            (first, "request"),
            ("received" if first == "sent" else "sent", "result"),
        )
    )
    for row in found:
        assert row["tool"] == TOOL
        assert row["size"] == len(row["body"].encode())
        assert row["message_id"] == f"{row['channel']}/{row['sequence']}"
        assert (row["odd"], row["error_code"], row["truncated"]) == (None, None, False)
        assert row["request_id"] == str(json.loads(row["body"])["id"])


def test_a_call_has_its_request_its_answer_and_its_outcome(evidence: Read) -> None:
    """Side by side, for both ends."""
    found = rows(
        evidence,
        "select side, tool, outcome, error_code, request, answer, duration > interval '0' as took"
        " from calls where component = 'client' and method = 'tools/call' order by time",
    )
    assert [(row["tool"], row["outcome"], row["error_code"]) for row in found] == [
        (TOOL, "ok", None),
        (TOOL, "tool_error", None),
        ("missing_tool", "protocol_error", -32603),
    ]
    for row, (tool, arguments) in zip(found, CALLS, strict=True):
        assert (row["side"], row["took"]) == ("client", True)
        assert json.loads(row["request"])["params"]["name"] == tool
        assert json.loads(row["request"])["params"]["arguments"] == arguments
        assert json.loads(row["answer"])["id"] == json.loads(row["request"])["id"]


def test_the_legs_of_a_relayed_call_are_one_row(evidence: Read) -> None:
    """The row shows that the relay changed the id, and nothing else."""
    (leg,) = rows(evidence, "select * from legs where trace_id = %s", call_trace(evidence))
    assert (leg["component"], leg["method"], leg["tool"], leg["outcome"]) == (
        "relay",
        "tools/call",
        TOOL,
        "ok",
    )
    texts = [json.loads(leg[name]) for name in ("request_in", "request_out")]
    assert [text["params"]["arguments"] for text in texts] == [CALLS[0][1]] * 2
    assert [str(text["id"]) for text in texts] == [leg["id_in"], leg["id_out"]]
    assert json.loads(leg["answer_in"])["result"] == json.loads(leg["answer_out"])["result"]
    assert (leg["id_changed"], leg["name_changed"]) == (True, False)
    assert (leg["params_changed"], leg["answer_changed"]) == (False, False)
    assert leg["overhead"] > leg["duration"] * 0
    assert leg["peer"].startswith("127.0.0.1:")
    assert leg["client"] == "stdio"


def test_a_trace_is_summed_up_in_one_row(evidence: Read) -> None:
    """By where it began."""
    (found,) = rows(
        evidence, "select * from trace_summary where trace_id = %s", call_trace(evidence)
    )
    assert found["component"] == "client"
    assert found["name"] == f"tools/call {TOOL}"
    assert found["components"] == ["client", "correct", "relay"]
    assert (found["spans"], found["errors"]) == (4, 0)
    assert (found["messages"], found["odd_messages"]) == (8, 0)
    assert found["duration"] == found["end_time"] - found["start_time"]


def test_a_trace_is_read_in_its_order(evidence: Read) -> None:
    """Spans and messages by time; its log records alone in the same order."""
    trace_id = call_trace(evidence)
    found = rows(evidence, "select * from trace(%s)", trace_id)
    times = [row["time_unix_nano"] for row in found]
    assert times == sorted(times)
    assert [row["what"] for row in found].count("span") == 4
    assert (found[0]["what"], found[0]["component"]) == ("span", "client")
    assert found[1]["name"] == "sent request tools/call"
    records = rows(evidence, "select * from logs_for_trace(%s)", trace_id)
    assert [row["body"] for row in records] == [
        row["body"] for row in found if row["what"] != "span"
    ]


def test_components_are_counted(evidence: Read) -> None:
    """Each once, with what it has sent."""
    found = {row["component"]: row for row in rows(evidence, "select * from components")}
    assert set(found) == {"client", "relay", "correct", "dewey"}
    (counted,) = rows(
        evidence,
        "select count(*) as messages, (select count(*) from spans where component = 'relay')"
        " as spans from messages where component = 'relay'",
    )
    relay = found["relay"]
    assert (relay["spans"], relay["messages"]) == (counted["spans"], counted["messages"])
    assert (relay["processes"], relay["languages"]) == (1, ["python"])
    assert relay["first_time"] < relay["last_time"]
    assert rows(evidence, "select * from components(now() + interval '1 h')") == []


def test_who_calls_whom_is_counted(evidence: Read) -> None:
    """By component, where it is instrumented."""
    found = {
        (row["caller"], row["callee"]): row
        for row in rows(evidence, "select * from service_calls where method = 'tools/call'")
    }
    assert set(found) == {("client", "relay"), ("relay", "correct")}
    assert [(row["calls"], row["failed"]) for row in found.values()] == [(3, 2), (2, 1)]
    for row in found.values():
        assert row["p50"] <= row["p95"] <= row["longest"]
    assert rows(evidence, "select * from service_calls(now() + interval '1 h')") == []


def test_odd_messages_are_listed(evidence: Read) -> None:
    """The error that a backend sends in reply to a notification."""
    found = rows(evidence, "select * from odd_messages where component = 'relay'")
    assert [(row["odd"], row["kind"], row["error_code"]) for row in found] == [
        ("answer_to_notification", "error", -32601)
    ]


def test_nothing_is_missing_of_what_was_sent(evidence: Read) -> None:
    """Each channel's numbers from the first to the last."""
    found = rows(evidence, "select * from delivery")
    assert {row["component"] for row in found} == {"client", "relay", "correct", "dewey"}
    for row in found:
        assert (row["first_sequence"], row["missing"]) == (1, 0)
        assert row["stored"] == row["last_sequence"]
        assert row["process"]
        # The backends run on, so what they emit next is not known; the others have ended.
        ended = row["component"] in {"client", "relay"}
        assert row["unknown_since"] == (None if ended else row["last_time"])


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ({}, 4),
        ({"component": "relay"}, 2),
        ({"component": "relay", "method": "tools/call", "tool": TOOL}, 2),
        ({"tool": "missing_tool"}, 0),
        ({"peer": "nobody"}, 0),
        ({"most": 1}, 1),
        ({"from_time": "2999-01-01"}, 0),
        ({"to_time": "2020-01-01"}, 0),
    ],
)
def test_text_is_found_letter_by_letter(
    evidence: Read, filters: dict[str, Any], number: int
) -> None:
    """Also letters that mean something to LIKE; filters narrow it."""
    named = SQL("").join(SQL(", {} => %s").format(SQL(name)) for name in filters)
    text = '"needle": "100%_\\\\x"'
    compact = '"needle":"100%_\\\\x"'
    found = [
        row
        for spelled in (text, compact)
        for row in evidence.execute(
            SQL("select * from search(%s{})").format(named), (spelled, *filters.values())
        )
    ]
    assert len(found[: filters.get("most")]) == number
    assert rows(evidence, "select * from search(%s)", '"needle": "1007') == []


def test_two_messages_differ_in_what_the_relay_changed(evidence: Read) -> None:
    """`message_diff` of both ends of a relay: the id and the trace context."""
    (leg,) = rows(evidence, "select * from legs where trace_id = %s", call_trace(evidence))
    found = rows(
        evidence, "select * from message_diff(%s, %s)", leg["request_in"], leg["request_out"]
    )
    assert {row["path"]: row["difference"] for row in found} == {
        "$": "order",
        "$.id": "value",
        "$.params._meta.traceparent": "value",
    }
