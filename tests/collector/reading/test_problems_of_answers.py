"""Answers that a relay had been given before it failed by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from relayscope.conventions.attributes import (
    ERROR_TYPE,
    GEN_AI_TOOL_NAME,
    MESSAGE_KIND,
    PEER,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.storage import Batch, Writer, rows
from tests.collector.reading.problems import call, problems
from tests.storage.samples import NOW, batch, log

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
