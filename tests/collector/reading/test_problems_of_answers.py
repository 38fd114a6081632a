"""Answers that a relay had been given before it failed by itself."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from relayscope.conventions.attributes import (
    ERROR_TYPE,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_KIND,
    PEER,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.storage import Batch, Row, Writer, rows
from tests.collector.reading.problems import call, problems
from tests.storage.samples import NOW, batch, log, span

if TYPE_CHECKING:
    from sqlalchemy import Engine

FAILED = {ERROR_TYPE: "-32603", RPC_RESPONSE_STATUS_CODE: "-32603"}


def answered(result: Any, made: dict[str, str] | None = None) -> Batch:
    """The records of a relay that failed after it had called `dye` of a backend."""
    said = {GEN_AI_TOOL_NAME: "dye", PEER: "127.0.0.1:9", **(made or {})}
    served = call(FAILED, by=b"relay..1", kind=2)
    below = call(said, by=b"relay..2", kind=3, parent=b"relay..1")
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "result": result})
    message = log(
        body, at=NOW, span_id=b"relay..2", attributes=rows.jsonb({MESSAGE_KIND: "result"})
    )
    return batch(spans=[served, below], logs=[message])


def test_the_answer_that_a_relay_could_not_use_is_told(database_url: str, engine: Engine) -> None:
    """With who sent it, by the address where no component of it is recorded, and by name else."""
    writer = Writer(engine)
    writer.write([answered({"content": "3 rows"})])
    assert 'before, 127.0.0.1:9 answered dye: {"content": "3 rows"}' in problems(database_url)
    backend = call({}, by=b"backend1", kind=2, parent=b"relay..2")
    writer.write([batch(service="alpha", spans=[backend])])
    writer.close()
    assert 'before, alpha answered dye: {"content": "3 rows"}' in problems(database_url)


def test_a_call_that_failed_below_is_told_without_an_answer(
    database_url: str, engine: Engine
) -> None:
    """It began there, and the relay has passed it on."""
    writer = Writer(engine)
    writer.write([answered({"isError": True}, {ERROR_TYPE: "tool_error"})])
    writer.close()
    shown = problems(database_url)
    assert "tool dye" in shown
    assert "before" not in shown


def unconnected(transport: str, *, at: int = NOW, **columns: Any) -> Row:
    """The span of a connection that the relay tried to make for the call, and did not get."""
    said = {ERROR_TYPE: "OSError", PEER: "127.0.0.1:9", "network.transport": transport}
    return span(
        start=at, end=at, kind=3, status_code=2, attributes=rows.jsonb(said),
        **{"span_id": b"relay..3", "parent_span_id": b"relay..1"} | columns,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("transport", "could_not"), [("tcp", "could not connect to"), ("pipe", "could not start")]
)
def test_a_call_that_failed_for_want_of_a_connection_says_so(
    database_url: str, engine: Engine, transport: str, could_not: str
) -> None:
    """The client reads that the tool failed, and the connection is told elsewhere."""
    served = call(FAILED, by=b"relay..1", kind=2)
    writer = Writer(engine)
    writer.write([batch(spans=[served, unconnected(transport)])])
    writer.close()
    assert f"before, it {could_not} 127.0.0.1:9: OSError" in problems(database_url)


def test_a_connection_that_is_in_no_trace_is_told_with_the_call_at_the_time(
    database_url: str, engine: Engine
) -> None:
    """A relay that reads in one thread and connects in another does not say what for."""
    at = time.time_ns() - 60 * 10**9
    said = {MCP_METHOD_NAME: "tools/call", JSONRPC_REQUEST_ID: "7", **FAILED}
    long = span(
        start=at, end=at + 10**9, span_id=b"relay..1", status_code=2, attributes=rows.jsonb(said)
    )  # fmt: skip
    alone = unconnected("tcp", at=at + 10**6, trace_id=bytes(15) + b"7", parent_span_id=None)
    writer = Writer(engine)
    writer.write([batch(spans=[long, alone])])
    writer.close()
    assert "meanwhile, it could not connect to 127.0.0.1:9: OSError" in problems(database_url)


def test_an_address_that_was_tried_before_the_right_one_is_no_reason(
    database_url: str, engine: Engine
) -> None:
    """The answer that came then is."""
    writer = Writer(engine)
    writer.write([answered({"content": "3 rows"})])
    writer.write([batch(spans=[unconnected("tcp", at=NOW - 100 * 10**9)])])
    writer.close()
    said = problems(database_url)
    assert "before, it could not" not in said
    assert "before, 127.0.0.1:9 answered dye" in said
