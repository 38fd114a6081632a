"""Changes that a relay makes to a call of a tool on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from relayscope.conventions.attributes import (
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    PEER,
)
from relayscope.storage import Batch, Writer, rows
from tests.collector.reading.problems import problems, told
from tests.storage.samples import NOW, batch, log, span

if TYPE_CHECKING:
    from sqlalchemy import Engine

ASKED = {"query": "x", "limit": 3, "cursor": None}
SAID = {"content": [{"type": "text", "text": '{"found": 1}'}], "isError": False}


def relayed(
    arguments: dict[str, Any],
    answer: dict[str, Any],
    *,
    trace: bytes = b"1",
    tool: str = "search",
    below: dict[str, Any] = SAID,
) -> Batch:
    """The records of a relay that was asked for `alpha_search`, and asked for `tool` itself.

    It was answered `below`, and has passed on `answer`.
    """
    legs = (("alpha_search", ASKED, answer), (tool, arguments, below))
    spans, logs = [], []
    for place, (name, given, result) in enumerate(legs):
        said = {MCP_METHOD_NAME: "tools/call", GEN_AI_TOOL_NAME: name, JSONRPC_REQUEST_ID: "1"}
        of_it = {"trace_id": trace * 16, "span_id": b"%08d" % place}
        peer = {PEER: "127.0.0.1:9"} if place else {}
        spans.append(
            span(
                start=NOW - 10**9, end=NOW, kind=2 + place, attributes=rows.jsonb(said | peer),
                parent_span_id=b"%08d" % 0 if place else None, **of_it,
            )
        )  # fmt: skip
        request = {"method": "tools/call", "params": {"name": name, "arguments": given}}
        for kind, text in (("request", request), ("result", {"result": result})):
            sent = {MESSAGE_DIRECTION: "sent" if (kind == "request") == bool(place) else "received"}
            logs.append(
                log(
                    json.dumps({"jsonrpc": "2.0", "id": place, **text}), at=NOW - 10**9,
                    attributes=rows.jsonb(said | sent | {MESSAGE_KIND: kind}), **of_it,
                )
            )  # fmt: skip
    return batch(spans=spans, logs=logs)


def test_an_argument_that_a_relay_leaves_out_is_told_once(
    database_url: str, engine: Engine
) -> None:
    """However often it does, and by the name of the backend, where that recorded the call."""
    writer = Writer(engine)
    for trace in (b"1", b"2", b"3"):
        writer.write([relayed({"query": "x"}, SAID, trace=trace)])
    served = {MCP_METHOD_NAME: "tools/call", JSONRPC_REQUEST_ID: "1"}
    writer.write(
        [
            batch(
                service="alpha",
                spans=[
                    span(
                        trace_id=trace * 16, span_id=b"alpha..1", parent_span_id=b"%08d" % 1,
                        attributes=rows.jsonb(served),
                    )
                    for trace in (b"1", b"2", b"3")
                ],
            )
        ]
    )  # fmt: skip
    writer.close()
    assert told(database_url) == [("relay", "changed")]
    shown = problems(database_url)
    assert "leaves out arguments of tool search on the way to alpha: limit  3 times" in shown
    assert '"limit": 3' in shown
    assert 'passed on: {"name": "search", "arguments": {"query": "x"}}' in shown


def test_another_text_than_the_backend_answered_is_told(database_url: str, engine: Engine) -> None:
    """With both of them."""
    other = {"content": [{"type": "text", "text": "that of another call"}]}
    writer = Writer(engine)
    writer.write([relayed(ASKED, other)])
    writer.close()
    assert told(database_url) == [("relay", "changed")]
    shown = problems(database_url)
    assert "passes on another result than 127.0.0.1:9 answered for tool search" in shown
    assert "passed on: text that of another call" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({**ASKED, "limit": "3"}, "limit (number to string)"),
        ({**ASKED, "limit": 4, "query": "X"}, "limit, query"),
    ],
)
def test_other_values_of_arguments_are_told(
    database_url: str, engine: Engine, arguments: dict[str, Any], words: str
) -> None:
    """With their types, where these are others."""
    writer = Writer(engine)
    writer.write([relayed(arguments, SAID)])
    writer.close()
    assert told(database_url) == [("relay", "changed")]
    said = f"relay changes arguments of tool search on the way to 127.0.0.1:9: {words}  "
    assert said in problems(database_url)


TEXT = {"content": [{"type": "text", "text": "disk is full"}]}
LARGE = {"structuredContent": {"id": 9007199254740993}}


@pytest.mark.parametrize(
    ("given", "answer", "words"),
    [
        (
            TEXT,
            {"content": [{"type": "text", "text": "disk"}]},
            "cuts the text of the result that 127.0.0.1:9 answered for tool search",
        ),
        (
            TEXT | {"isError": True},
            TEXT,
            "passes on the error that 127.0.0.1:9 answered for tool search without its `isError`",
        ),
        (
            TEXT | LARGE,
            TEXT,
            "leaves out the structuredContent that 127.0.0.1:9 answered for tool search",
        ),
        (
            TEXT | LARGE,
            TEXT | {"structuredContent": {"id": 9007199254740992}},
            "passes on another structuredContent than 127.0.0.1:9 answered for tool search",
        ),
    ],
    ids=["cut", "no error", "no data", "other data"],
)
def test_what_a_relay_does_to_a_result_is_named(
    database_url: str,
    engine: Engine,
    given: dict[str, Any],
    answer: dict[str, Any],
    words: str,
) -> None:
    """A large integer that went through a float, say."""
    writer = Writer(engine)
    writer.write([relayed(ASKED, answer, below=given)])
    writer.close()
    assert told(database_url) == [("relay", "changed")]
    assert f"relay {words}" in problems(database_url)


def served_by(service: str) -> Batch:
    """The records of a component that was asked by the relay, as another's."""
    said = {MCP_METHOD_NAME: "tools/call", GEN_AI_TOOL_NAME: "search", JSONRPC_REQUEST_ID: "1"}
    one = span(
        trace_id=b"1" * 16, span_id=service.ljust(8)[:8].encode(), parent_span_id=b"%08d" % 1,
        attributes=rows.jsonb(said),
    )  # fmt: skip
    return batch(service=service, spans=[one])


@pytest.mark.parametrize(
    ("asked", "others", "is_told"),
    [("beta", ["alpha"], True), ("alpha", ["beta"], False), ("beta", [], False)],
    ids=["another", "the right one", "nobody of that name"],
)
def test_a_relay_that_asks_another_than_the_tool_is_named_after_is_told(
    database_url: str, engine: Engine, asked: str, others: list[str], *, is_told: bool
) -> None:
    """It has sent what was for `alpha` to `beta`, which may well have a tool of that name."""
    writer = Writer(engine)
    writer.write([relayed(ASKED, SAID), served_by(asked)])
    writer.write([batch(service=other, spans=[span(trace_id=b"2" * 16)]) for other in others])
    writer.close()
    assert told(database_url) == ([("relay", "odd")] if is_told else [])
    words = "relay asks beta when it is asked for tool alpha_search, which is named after alpha"
    assert (words in problems(database_url)) is is_told


@pytest.mark.parametrize(
    ("arguments", "answer", "tool"),
    [
        # Another name, an argument more, and none for null; white space, copies, what is absent.
        (
            {"query": "x", "limit": 3, "user": "me"},
            {
                "content": [
                    {"type": "text", "text": '{"found":', "annotations": None},
                    {"type": "text", "text": "\n 1}"},
                ],
                "structuredContent": {"found": 1},
                "_meta": {"took": 3},
            },
            "search",
        ),
        # What a tool that runs others is given, is for it.
        ({}, SAID, "look_up"),
    ],
)
def test_what_gateways_change_for_good_reasons_is_not_told(
    database_url: str, engine: Engine, arguments: dict[str, Any], answer: dict[str, Any], tool: str
) -> None:
    """A hint that is always there is not read."""
    writer = Writer(engine)
    writer.write([relayed(arguments, answer, tool=tool)])
    writer.close()
    assert told(database_url) == []


def test_a_leg_says_whether_its_arguments_were_changed(database_url: str, engine: Engine) -> None:
    """A relay that leaves the prefix of a tool's name out changes parameters, not arguments."""
    writer = Writer(engine)
    writer.write([relayed(ASKED, SAID)])
    writer.write([relayed({"query": "y"}, SAID, trace=b"2")])
    writer.close()
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "select params_changed, arguments_changed, answer_changed from relayscope.legs"
            " order by trace_id"
        ).fetchall()
    assert found == [(True, False, False), (True, True, False)]
