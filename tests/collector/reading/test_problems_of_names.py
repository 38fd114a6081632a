"""Calls of tools that nobody has listed."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from relayscope.conventions.attributes import (
    ERROR_TYPE,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    LONGEST_TARGET,
    MCP_METHOD_NAME,
    MESSAGE_KIND,
    PEER,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.storage import Batch, Row, Writer, rows
from tests.collector.reading.problems import call, problems
from tests.storage.samples import batch, log, span

if TYPE_CHECKING:
    from sqlalchemy import Engine

HINT = "did not list a tool of this name (it lists: "


def listed(
    *names: str,
    kind: int,
    service: str = "relay",
    seconds_ago: float = 90,
    cursor: str = "",
    peer: str = "127.0.0.1:9",
) -> Batch:
    """The span of a call for a list of tools, at the client's end (3) or the server's (2)."""
    said = {MCP_METHOD_NAME: "tools/list", JSONRPC_REQUEST_ID: "1", PEER: peer}
    result = {"tools": [{"name": name} for name in names]}
    body = json.dumps({"id": 1, "result": result | ({"nextCursor": cursor} if cursor else {})})
    at = time.time_ns() - round(seconds_ago * 1e9)
    ids = {"trace_id": os.urandom(16), "span_id": os.urandom(8)}
    answer = rows.jsonb(said | {MESSAGE_KIND: "result"})
    return batch(
        service=service,
        spans=[span(start=at, end=at, kind=kind, attributes=rows.jsonb(said), **ids)],
        logs=[log(body, at=at, attributes=answer, **ids)],
    )


def refused(code: str) -> Row:
    """The span of a call that the relay made for the tool `die`, and that was refused."""
    said = {ERROR_TYPE: code, RPC_RESPONSE_STATUS_CODE: code, PEER: "127.0.0.1:9"}
    return call(said, by=b"relay..1", kind=3)


def test_a_tool_that_was_not_listed_is_told_with_those_that_were(
    database_url: str, engine: Engine
) -> None:
    """The nearest first; by the newest list of who was asked, as the relay got it or as it went."""
    writer = Writer(engine)
    lists = [
        listed("die", kind=3, seconds_ago=200),
        listed("search", "dye", kind=3),
    ]
    writer.write([batch(spans=[refused("-32602")]), *lists])
    assert f"127.0.0.1:9 {HINT}dye, search)" in problems(database_url)
    code = {RPC_RESPONSE_STATUS_CODE: "-32602"}
    served = call(code, by=b"backend1", kind=2, parent=b"relay..1")
    of_its_own = listed("look", kind=2, service="alpha")
    writer.write([batch(service="alpha", spans=[served]), of_its_own])
    writer.close()
    assert f"alpha {HINT}look)" in problems(database_url)


def test_what_another_server_in_the_same_process_lists_is_not_told(
    database_url: str, engine: Engine
) -> None:
    """A server that is composed of others asks them in memory, where tools have other names."""
    writer = Writer(engine)
    code = {ERROR_TYPE: "-32602", RPC_RESPONSE_STATUS_CODE: "-32602", PEER: "127.0.0.1:50123"}
    writer.write(
        [
            batch(service="alpha", spans=[call(code, by=b"backend1", kind=2)]),
            listed("die", kind=2, service="alpha", peer="127.0.0.1:50124"),
            listed("dye", kind=2, service="alpha", peer="memory", seconds_ago=80),
        ]
    )
    writer.close()
    shown = problems(database_url)
    assert "alpha answered tool die" in shown
    assert HINT not in shown


def test_a_list_without_an_end_does_not_hide_what_another_lists(
    database_url: str, engine: Engine
) -> None:
    """The names that a backend has listed are told, however often others were asked since."""
    writer = Writer(engine)
    endless = [
        listed("more", kind=3, peer="127.0.0.1:8", cursor="same", seconds_ago=80 - number / 10)
        for number in range(250)
    ]
    writer.write([batch(spans=[refused("-32602")]), listed("dye", kind=3), *endless])
    writer.close()
    assert f"127.0.0.1:9 {HINT}dye)" in problems(database_url)


def test_of_a_list_too_long_to_read_nothing_is_told(database_url: str, engine: Engine) -> None:
    """The name may be on a page that was not looked at."""
    writer = Writer(engine)
    pages = [
        listed("more", kind=3, cursor="same", seconds_ago=80 - number / 10) for number in range(150)
    ]
    writer.write([batch(spans=[refused("-32602")]), listed("die", kind=3), *pages])
    writer.close()
    assert HINT not in problems(database_url)


@pytest.mark.parametrize(
    ("code", "lists"),
    [
        ("-32602", [listed("die", kind=3)]),
        ("-32603", [listed("search", kind=3)]),
        ("-32602", [listed("search", kind=2)]),
        # The second page is the newest.
        (
            "-32602",
            [
                listed("die", kind=3, cursor="2", seconds_ago=91),
                listed("search", kind=3),
            ],
        ),
    ],
)
def test_a_tool_that_was_listed_or_of_which_nothing_is_known_is_told_without_names(
    database_url: str, engine: Engine, code: str, lists: list[Batch]
) -> None:
    """A fault of its arguments is no matter of its name."""
    writer = Writer(engine)
    writer.write([batch(spans=[refused(code)]), *lists])
    writer.close()
    shown = problems(database_url)
    assert "tool die" in shown
    assert HINT not in shown


def answered(text: str) -> Row:
    """The error that the relay was given for `refused`."""
    error = json.dumps({"id": 7, "error": {"code": -32602, "message": text}})
    said = {MESSAGE_KIND: "error", MCP_METHOD_NAME: "tools/call", PEER: "127.0.0.1:9"}
    return log(error, span_id=b"relay..1", attributes=rows.jsonb(said))


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ("Unknown tool", True),
        ("Tool 'die' not found", True),
        ("Tool die: the page was not found", False),
        ("a name is missing", False),
    ],
)
def test_a_tool_that_is_listed_and_not_known_is_told_as_such(
    database_url: str, engine: Engine, said: str, *, is_told: bool
) -> None:
    """The same one lists it and does not know it; what a tool looks for is another matter."""
    writer = Writer(engine)
    failed = batch(spans=[refused("-32602")], logs=[answered(said)])
    writer.write([failed, listed("die", "dye", kind=3)])
    writer.close()
    shown = problems(database_url)
    assert said in shown
    assert ("127.0.0.1:9 itself lists a tool of this name" in shown) == is_told
    assert HINT not in shown


def test_a_name_that_is_longer_than_is_kept_of_it_is_a_listed_one(
    database_url: str, engine: Engine
) -> None:
    """A call has the beginning of it, and its list has all of it."""
    writer = Writer(engine)
    name = "x" * (LONGEST_TARGET + 30)
    code = {RPC_RESPONSE_STATUS_CODE: "-32602", ERROR_TYPE: "-32602"}
    code[GEN_AI_TOOL_NAME] = name[:LONGEST_TARGET]
    failed = call(code, by=b"relay..1", kind=2)
    writer.write([batch(spans=[failed]), listed(name, kind=2)])
    writer.close()
    shown = problems(database_url)
    assert "answered tool xxx" in shown
    assert HINT not in shown
