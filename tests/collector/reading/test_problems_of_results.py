"""Results that are unlike what the lists of their tools say of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from relayscope.conventions.attributes import (
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_KIND,
    PEER,
)
from relayscope.storage import Batch, Writer, rows
from tests.collector.reading.problems import problems
from tests.storage.samples import batch, log, span

if TYPE_CHECKING:
    from sqlalchemy import Engine

CLIENT, SERVER = 3, 2

SCHEMA: Final = {
    "type": "object",
    "required": ["days", "unit"],
    "properties": {
        "days": {"type": "array"},
        "unit": {"type": ["string", "null"]},
        "count": {"type": "integer"},
        "place": {"$ref": "#/$defs/place"},
    },
}

LIKE: Final[dict[str, dict[str, Any]]] = {
    "plain": {"structuredContent": {"days": [], "unit": None, "count": 3.0, "place": 7}},
    "secret": {"structuredContent": {"days": "[REDACTED:api-key]", "unit": "C"}},
    "failed": {"isError": True},
    "later": {"content": None, "task": {"taskId": "1"}},
}
"""Results by their tools, which fit or need not fit."""

UNLIKE: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "silent": ({}, "without structuredContent"),
    "null": ({"structuredContent": None}, "without structuredContent"),
    "bare": ({"structuredContent": {"unit": "C"}}, "without days"),
    "list": ({"structuredContent": []}, "without days, unit"),
    "mixed": (
        {"structuredContent": {"days": [], "unit": 1, "count": 1.5}},
        "with count as number and not integer, unit as number and not string or null",
    ),
}
"""Results that do not, and what is said of them."""


def listed(*tools: str, schema: dict[str, Any] = SCHEMA, seconds_ago: float = 90) -> Batch:
    """A list of tools, as the relay got it."""
    result = {"tools": [{"name": tool, "outputSchema": schema} for tool in tools]}
    return said(result, number=9000 + round(seconds_ago), seconds_ago=seconds_ago)


def said(
    result: dict[str, Any],
    *,
    number: int,
    tool: str = "",
    seconds_ago: float = 60,
    kinds: tuple[int, ...] = (CLIENT,),
) -> Batch:
    """The spans of a call and its result, each below the one before; for a list without a tool."""
    at = time.time_ns() - round(seconds_ago * 1e9)
    about = {MCP_METHOD_NAME: "tools/list", JSONRPC_REQUEST_ID: "1", PEER: "127.0.0.1:9"}
    if tool:
        about |= {MCP_METHOD_NAME: "tools/call", GEN_AI_TOOL_NAME: tool}
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})
    call, answer = rows.jsonb(about), rows.jsonb(about | {MESSAGE_KIND: "result"})
    spans, logs, above = [], [], None
    for place, kind in enumerate(kinds):
        own = {"trace_id": number.to_bytes(16, "big")}
        own["span_id"] = (number * 10 + place).to_bytes(8, "big")
        spans.append(
            span(start=at, end=at, kind=kind, parent_span_id=above, attributes=call, **own)
        )
        logs.append(log(text, at=at, attributes=answer, **own))
        above = own["span_id"]
    return batch(service="relay", spans=spans, logs=logs)


def told(engine: Engine, database_url: str, *batches: Batch) -> str:
    """Write records, and return all that `relayscope problems` says."""
    writer = Writer(engine)
    writer.write(list(batches))
    writer.close()
    return problems(database_url)


def answered(tool: str, number: int, result: dict[str, Any]) -> Batch:
    """A result that the relay got."""
    return said({"content": []} | result, number=number, tool=tool)


def test_a_result_that_is_unlike_its_schema_is_told_with_what_is_wrong(
    database_url: str, engine: Engine
) -> None:
    """Only what is certain: what is redacted, failed or not there yet may be anything."""
    given = LIKE | {tool: result for tool, (result, _) in UNLIKE.items()}
    answers = [
        answered(tool, number, result) for number, (tool, result) in enumerate(given.items(), 1)
    ]
    shown = told(engine, database_url, listed(*given), *answers).splitlines()
    for tool, (_, wrong) in UNLIKE.items():
        words = f"outputSchema: {wrong}, by 127.0.0.1:9 for tool {tool} "
        assert [line for line in shown if words in line], tool
    assert len([line for line in shown if "outputSchema" in line]) == len(UNLIKE)


def test_a_schema_that_has_changed_or_is_of_another_says_nothing(
    database_url: str, engine: Engine
) -> None:
    """Nobody knows by which of two a result was made."""
    lists = [listed("bare"), listed("bare", schema={"type": "object"}, seconds_ago=80)]
    shown = told(engine, database_url, *lists, answered("bare", 1, {}), answered("other", 2, {}))
    assert "outputSchema" not in shown


def test_who_passes_on_such_a_result_is_not_told(database_url: str, engine: Engine) -> None:
    """It began below; the server is told where no client is recorded."""
    kinds = (CLIENT, SERVER, CLIENT, SERVER)
    whole = said({"content": []}, number=1, tool="bare", kinds=kinds)
    result = {"tools": [{"name": "bare", "outputSchema": SCHEMA}]}
    lists = [said(result, number=8000 + kind, kinds=(kind,)) for kind in (CLIENT, SERVER)]
    shown = told(engine, database_url, *lists, whole)
    assert shown.count("outputSchema") == 1
    assert "was given a result that is unlike its outputSchema" in shown
    alone = said({"content": []}, number=2, tool="bare", kinds=(SERVER,))
    shown = told(engine, database_url, alone)
    assert "answered tool bare with a result that is unlike its outputSchema" in shown
