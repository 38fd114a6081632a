"""R10: one bad item never takes its neighbours down, and is never sent for ever."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from sqlalchemy import Engine, text

from relayscope.collector.signals import LOGS, TRACES
from tests.fix_collector import JSON, Collector, export
from tests.otlp_samples import SPAN_ID, START, TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDE = 2**64 - 1


def rows(engine: Engine, query: str) -> Sequence[Any]:
    """Return the rows of a query."""
    with engine.connect() as connection:
        return connection.execute(text(query)).all()


def attribute(key: str, **value: Any) -> dict[str, Any]:
    """An attribute for protobuf's constructor."""
    return {"key": key, "value": value}


POISON: dict[str, dict[str, Any]] = {
    "NUL in the body": {"body": {"string_value": "a\0b"}},
    "NUL in a value": {"attributes": [attribute("k", string_value="a\0b")]},
    "NUL in a key": {"attributes": [attribute("a\0b", string_value="v")]},
    "NUL in a name": {"event_name": "a\0b"},
    "NaN": {"attributes": [attribute("k", double_value=math.nan)]},
    "infinity in a list": {
        "body": {"array_value": {"values": [{"double_value": math.inf}]}},
    },
    "the last time": {"time_unix_nano": WIDE, "observed_time_unix_nano": WIDE},
    "no time": {"time_unix_nano": 0},
    "a long id": {"trace_id": b"x" * 1000, "span_id": b"y" * 1000},
    "a number of no severity": {"severity_number": 2**31 - 1},
    "everything dropped": {"dropped_attributes_count": 2**32 - 1, "flags": 2**32 - 1},
    "a key of 64 KiB": {"attributes": [attribute("k" * 65_536, string_value="v")]},
    "keys that other systems obey": {
        "attributes": [
            attribute("__proto__.polluted", string_value="v"),
            attribute("'; drop table log; --", string_value="v"),
            attribute("%s %(x)s :y {z}", string_value="v"),
        ]
    },
    "a value in a value in a value": {
        "body": {"kvlist_value": {"values": [attribute("k", array_value={"values": [{}]})]}}
    },
}


def test_poisonous_log_records_are_repaired_and_their_neighbours_stored(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """All are stored; what had to be changed is marked."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for name, fields in POISON.items():
        valid = {"time_unix_nano": START, "severity_text": name}
        records.add(**valid | fields)
        records.add(time_unix_nano=START, severity_text="neighbour")
    with grpc.insecure_channel(emptied_collector.grpc) as channel:
        assert export(channel, LOGS, request.SerializeToString()) == b""

    stored = {
        row.severity_text: row.attributes.get("relayscope.normalized")
        for row in rows(shared_engine, "select severity_text, attributes from relayscope.logs")
    }
    assert stored.keys() == POISON.keys() | {"neighbour"}
    assert stored["neighbour"] is None
    marks = {name: marks for name, marks in stored.items() if marks}
    assert marks == {
        "NUL in the body": ["nul"],
        "NUL in a value": ["nul"],
        "NUL in a key": ["nul"],
        "NaN": ["not-finite"],
        "infinity in a list": ["not-finite"],
        "a long id": ["trace_id", "span_id"],
        "a number of no severity": ["severity_number"],
    }
    (count,) = rows(shared_engine, "select count(*) from relayscope.logs")[0]
    assert count == 2 * len(POISON)


def test_poisonous_spans_are_repaired_or_counted_and_their_neighbours_stored(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """Impossible times are kept and marked; without ids there is nothing to keep it by."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    sent: dict[str, dict[str, Any]] = {
        "good": {},
        "ends before it starts": {"end_time_unix_nano": START - 1},
        "never started": {"start_time_unix_nano": 0, "end_time_unix_nano": 0},
        "at the end of time": {"start_time_unix_nano": WIDE, "end_time_unix_nano": WIDE},
        "bad parent": {"parent_span_id": b"x"},
        "bad kind": {"kind": 99},
        "bad link": {"links": [{"trace_id": b"x", "span_id": b""}]},
        "without id": {"span_id": b""},
    }
    for name, fields in sent.items():
        valid = {
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "start_time_unix_nano": START,
            "end_time_unix_nano": START + 1,
        }
        spans.add(name=name, **valid | fields)
    with grpc.insecure_channel(emptied_collector.grpc) as channel:
        answer = export(channel, TRACES, request.SerializeToString())

    assert ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans == 1
    stored = {
        row.name: row.attributes.get("relayscope.normalized")
        for row in rows(shared_engine, "select name, attributes from relayscope.spans")
    }
    assert stored == {
        "good": None,
        "ends before it starts": ["end_before_start"],
        "never started": ["no_start_time"],
        "at the end of time": None,
        "bad parent": ["span_id"],
        "bad kind": ["kind"],
        "bad link": None,
    }


def test_half_a_surrogate_pair_in_json_is_repaired(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """JavaScript writes it; neither protobuf nor PostgreSQL can hold it."""
    record = {"timeUnixNano": str(START), "body": {"stringValue": "a\ud83db"}}
    raw = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    assert emptied_collector.post("logs", raw, JSON)[::2] == (200, b"{}")
    assert rows(shared_engine, "select body from relayscope.logs") == [("a\ufffdb",)]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30])
def test_an_integer_that_otlp_cannot_hold_is_refused_for_good(
    shared_collector: Collector, value: int
) -> None:
    """It cannot come over protobuf; in JSON it is malformed, and not tried again."""
    record = {"body": {"intValue": value}}
    raw = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    reply = shared_collector.post("logs", raw, JSON)
    assert reply.status == 400
    assert "retry-after" not in reply.headers
