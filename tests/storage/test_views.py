"""The views: what was written, as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from relayscope.conventions.attributes import (
    DELIVERY_ACKNOWLEDGED,
    DELIVERY_EMITTED,
    DELIVERY_SEQUENCE,
    ERROR_TYPE,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_ODD,
    SERVER_ADDRESS,
    SERVER_PORT,
)
from relayscope.conventions.events import EVENT_DELIVERY, EVENT_MESSAGE
from relayscope.storage import Writer, rows
from tests.storage.samples import SPAN, TRACE, batch, log, point, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START: Final = 1_795_424_848_123_456_789
ATTRIBUTES: Final = {
    "ä": [1, None, {"$bytes": "AA=="}],
    MCP_METHOD_NAME: "tools/list",
    SERVER_ADDRESS: "::1",
    SERVER_PORT: 9051,
    ERROR_TYPE: "-32601",
}
CALLED: Final = rows.jsonb({JSONRPC_REQUEST_ID: "1"})
TIME: Final = datetime(2026, 11, 23, 9, 7, 28, 123456, tzinfo=UTC)


@pytest.fixture
def write(engine: Engine) -> Iterator[Callable[..., None]]:
    """Write the records given by name, as one request."""
    writer = Writer(engine)

    def write(**records: Any) -> None:
        writer.write([batch(**records)])

    yield write
    writer.close()


def read(engine: Engine, view: str) -> list[dict[str, Any]]:
    """Return all rows of a view."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(f"table {view}")).mappings()]


def test_a_span_is_read_as_it_was_written(engine: Engine, write: Callable[..., None]) -> None:
    """Every column, with times to the nanosecond."""
    events = [{"time": START + 1, "name": "e", "attributes": {"n": 2**63 - 1}}]
    links = [{"trace_id": TRACE.hex, "span_id": SPAN.hex(), "attributes": {}}]
    write(
        spans=[
            span(
                start=START,
                end=START + 2_000_001_500,
                parent_span_id=b"\xff" * 8,
                trace_state="k=v",
                flags=2**32 - 1,
                kind=3,
                status_code=2,
                status_message="boom",
                attributes=rows.jsonb(ATTRIBUTES),
                events=rows.jsonb(events),
                links=rows.jsonb(links),
            )
        ]
    )
    assert read(engine, "spans") == [
        {
            "trace_id": TRACE,
            "span_id": "00f067aa0ba902b7",
            "parent_span_id": "f" * 16,
            "component": "relay",
            "name": "tools/call",
            "kind": "client",
            "start_time": TIME,
            "end_time": TIME + timedelta(seconds=2, microseconds=2),
            "start_unix_nano": START,
            "end_unix_nano": START + 2_000_001_500,
            "duration": timedelta(seconds=2, microseconds=2),
            "status": "error",
            "status_message": "boom",
            "attributes": ATTRIBUTES,
            "events": events,
            "links": links,
            "trace_state": "k=v",
            "flags": 2**32 - 1,
            "scope_name": "tests",
            "scope_version": "1.0",
            "resource": {"service.name": "relay", "service.instance.id": "relay", "host.name": "h"},
            "method": "tools/list",
            "tool": None,
            "peer": "[::1]:9051",
            "error_type": "-32601",
        }
    ]


def test_a_log_record_is_read_as_it_was_written(engine: Engine, write: Callable[..., None]) -> None:
    """Every column, with times to the nanosecond and the exact text."""
    observed_time, observed_nano = rows.time(START + 7)
    body = '{"jsonrpc": "2.0",\t"id" : 1, "id": 2, "x": "\\u00e4"}\r\n'
    write(
        logs=[
            log(
                body,
                at=START,
                observed_time=observed_time,
                observed_nano=observed_nano,
                severity_text="TRACE",
            )
        ]
    )
    assert read(engine, "logs") == [
        {
            "trace_id": TRACE,
            "span_id": "00f067aa0ba902b7",
            "time": TIME,
            "time_unix_nano": START,
            "observed_time": TIME,
            "observed_time_unix_nano": START + 7,
            "severity_number": 1,
            "severity_text": "TRACE",
            "event_name": EVENT_MESSAGE,
            "body": body,
            "attributes": {MCP_METHOD_NAME: "tools/call"},
            "component": "relay",
            "flags": 1,
            "scope_name": "tests",
            "scope_version": "1.0",
            "resource": {"service.name": "relay", "service.instance.id": "relay", "host.name": "h"},
        }
    ]


@pytest.mark.parametrize(
    ("value", "body"), [({"a": 1}, '{"a": 1}'), ("x", '"x"'), (5, "5"), (None, "null")]
)
def test_a_body_that_is_not_text_is_read_as_json(
    engine: Engine, write: Callable[..., None], value: object, body: str
) -> None:
    """Of whatever kind it is."""
    write(logs=[log(None, body_json=rows.jsonb(value))])
    assert read(engine, "logs")[0]["body"] == body


def test_a_log_record_needs_no_trace(engine: Engine, write: Callable[..., None]) -> None:
    """Fields that were not given are null."""
    write(logs=[log(None, trace_id=None, span_id=None, event_name=None)])
    record = read(engine, "logs")[0]
    assert {name for name, value in record.items() if value is None} == {
        "trace_id",
        "span_id",
        "observed_time",
        "observed_time_unix_nano",
        "severity_text",
        "event_name",
        "body",
    }


def test_a_metric_point_is_read_as_it_was_written(
    engine: Engine, write: Callable[..., None]
) -> None:
    """Also a count beyond int64, which OTLP allows."""
    start_time, start_nano = rows.time(START - 1)
    write(
        points=[
            point(
                at=START,
                start_time=start_time,
                start_nano=start_nano,
                description="d",
                kind=3,
                temporality=2,
                monotonic=None,
                value=None,
                count=2**64 - 1,
                sum=1.5,
                min=0.5,
                max=1.0,
                detail=rows.jsonb({"bounds": [1.0], "buckets": [1, 2**63 - 1]}),
                metadata=rows.jsonb({}),
            ),
            point(at=START, value=None, value_int=-5, kind=2, monotonic=True, temporality=1),
        ]
    )
    histogram, total = sorted(read(engine, "metrics"), key=lambda row: row["kind"])
    assert histogram == {
        "name": "mcp.client.operation.duration",
        "kind": "histogram",
        "component": "relay",
        "time": TIME,
        "time_unix_nano": START,
        "start_time": TIME,
        "start_unix_nano": START - 1,
        "value": None,
        "value_int": None,
        "count": 2**64 - 1,
        "sum": 1.5,
        "min": 0.5,
        "max": 1.0,
        "detail": {"bounds": [1.0], "buckets": [1, 2**63 - 1]},
        "attributes": {},
        "unit": "s",
        "description": "d",
        "temporality": "cumulative",
        "monotonic": None,
        "flags": 0,
        "metadata": {},
        "scope_name": "tests",
        "scope_version": "1.0",
        "resource": {"service.name": "relay", "service.instance.id": "relay", "host.name": "h"},
    }
    assert (total["kind"], total["value"], total["value_int"]) == ("sum", -5.0, -5)
    assert (total["temporality"], total["monotonic"]) == ("delta", True)


def test_a_span_id_in_two_traces_is_two_spans(engine: Engine, write: Callable[..., None]) -> None:
    """And the same ids with other content are two spans as well: nothing is ever dropped (R9)."""
    other = UUID(int=1)
    write(spans=[span(), span(trace_id=other.bytes), span(name="again")])
    found = {(row["trace_id"], row["name"]) for row in read(engine, "spans")}
    assert found == {(TRACE, "tools/call"), (other, "tools/call"), (TRACE, "again")}


def test_a_trace_is_found_by_its_id_as_pasted(engine: Engine, write: Callable[..., None]) -> None:
    """32 hex digits, as in a traceparent."""
    write(spans=[span(), span(trace_id=bytes(15) + b"\x01")])
    with engine.connect() as connection:
        found = connection.execute(
            text("select name from spans where trace_id = '4bf92f3577b34da6a3ce929d0e0e4736'")
        )
        assert len(found.all()) == 1


def test_a_call_has_its_first_request_and_its_answer_among_all_that_its_span_holds(
    engine: Engine, write: Callable[..., None]
) -> None:
    """Neither what was said meanwhile nor an answer by its form alone stands for them."""

    def message(number: int, kind: str, body: str, **others: str) -> Any:
        attributes = {MESSAGE_DIRECTION: "sent", MESSAGE_KIND: kind, **others}
        return log(
            body, at=START + number, event_name=EVENT_MESSAGE, attributes=rows.jsonb(attributes)
        )

    notes = [message(number, "notification", f"note {number}") for number in range(3, 40)]
    write(
        spans=[
            span(
                start=START,
                end=START + 99,
                kind=3,
                attributes=rows.jsonb({JSONRPC_REQUEST_ID: "1", MCP_METHOD_NAME: "tools/call"}),
            )
        ],
        logs=[
            message(0, "notification", "before"),
            message(1, "request", "the request"),
            message(2, "result", "by its form", **{MESSAGE_ODD: "id_type"}),
            *notes,
            message(50, "result", "the answer"),
            message(51, "result", "a second answer", **{MESSAGE_ODD: "late_answer"}),
        ],
    )
    (call,) = read(engine, "calls")
    assert (call["request"], call["answer"], call["odd"]) == (
        "the request",
        "the answer",
        "id_type",
    )


@pytest.mark.parametrize("odd", ["id_type", "late_answer", "orphan_answer"])
def test_a_call_without_a_span_has_no_answer_in_what_does_not_answer_it(
    engine: Engine, write: Callable[..., None], odd: str
) -> None:
    """Its process did not end well; what answers it, if it comes, counts."""

    def message(number: int, kind: str, **others: str) -> Any:
        attributes = {MESSAGE_DIRECTION: "sent", MESSAGE_KIND: kind, **others}
        return log(kind, at=START + number, attributes=rows.jsonb(attributes))

    write(logs=[message(1, "request"), message(2, "result", **{MESSAGE_ODD: odd})])
    (call,) = read(engine, "calls")
    assert (call["outcome"], call["odd"], call["answer"]) == ("unanswered", odd, "result")
    write(logs=[message(3, "error")])
    (call,) = read(engine, "calls")
    assert (call["outcome"], call["answer"]) == ("protocol_error", "error")


@pytest.mark.parametrize("ended", [[span(start=START, attributes=CALLED)], []])
def test_what_is_wrong_with_an_answer_comes_before_what_is_odd_about_the_request(
    engine: Engine, write: Callable[..., None], ended: list[Any]
) -> None:
    """It is why there is no answer; what cannot be read may have been meant as one."""

    def message(number: int, kind: str, odd: str) -> Any:
        attributes = {MESSAGE_DIRECTION: "sent", MESSAGE_KIND: kind, MESSAGE_ODD: odd}
        return log(kind, at=START + number, attributes=rows.jsonb(attributes))

    write(spans=ended, logs=[message(1, "request", "not_mcp")])
    write(logs=[message(2, "unparsable", "unparsable")])
    (call,) = read(engine, "calls")
    assert (call["odd"], call["answer"]) == ("unparsable", None)
    assert call["outcome"] == ("ok" if ended else "unanswered")
    write(logs=[message(3, "result", "id_type")])
    (call,) = read(engine, "calls")
    assert (call["odd"], call["answer"]) == ("id_type", "result")


def test_a_condition_on_time_picks_the_partitions(
    engine: Engine, write: Callable[..., None]
) -> None:
    """Days outside it are not read."""
    write(spans=[span()], logs=[log()], points=[point()])
    with engine.connect() as connection:
        for statement in (
            "explain select * from spans where start_time < '2020-01-01'",
            "explain select * from logs where time < '2020-01-01'",
            "explain select * from metrics where time < '2020-01-01'",
        ):
            plan = "\n".join(connection.scalars(text(statement)))
            assert "_default" in plan
            assert "_20" not in plan


@pytest.mark.parametrize(
    ("numbers", "first", "missing"), [([3, 5], 3, 6), ([10], 10, 0), ([], 4, 7)]
)
def test_what_is_missing_after_the_last_record_is_known_from_the_process(
    engine: Engine, write: Callable[..., None], numbers: list[int], first: int, missing: int
) -> None:
    """It says how many it has emitted; of a time of which nothing has come, from which on."""
    account = {DELIVERY_EMITTED: 10, DELIVERY_ACKNOWLEDGED: 3}
    numbered = [log(attributes=rows.jsonb({DELIVERY_SEQUENCE: number})) for number in numbers]
    write(logs=[*numbered, log(event_name=EVENT_DELIVERY, attributes=rows.jsonb(account))])
    (found,) = read(engine, "delivery")
    assert (found["first_sequence"], found["last_sequence"]) == (first, 10)
    assert (found["stored"], found["missing"]) == (len(numbers), missing)


def test_a_process_whose_records_were_all_taken_lacks_none(
    engine: Engine, write: Callable[..., None]
) -> None:
    """Its last word may be alone in the time that is looked at."""
    account = {DELIVERY_EMITTED: 10, DELIVERY_ACKNOWLEDGED: 10}
    write(logs=[log(event_name=EVENT_DELIVERY, attributes=rows.jsonb(account))])
    assert read(engine, "delivery") == []


def test_who_was_killed_in_a_call_has_taken_part_in_its_trace(
    engine: Engine, write: Callable[..., None]
) -> None:
    """It has records of the call, and has not lived to end a span."""
    write(service="client", spans=[span()], logs=[log()])
    write(service="relay", logs=[log()])
    (trace,) = read(engine, "trace_summary")
    assert trace["components"] == ["client", "relay"]
