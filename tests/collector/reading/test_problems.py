"""Problems of calls, of odd messages, and of what could not be sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from relayscope.conventions.attributes import (
    DELIVERY_SEQUENCE,
    ERROR_ANSWERED_ABOVE,
    ERROR_CANCELLED,
    ERROR_OTHER_CONTENT,
    ERROR_STOPPED_READING,
    ERROR_TYPE,
    ERROR_UNANSWERED,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_ODD,
    PEER,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.conventions.events import EVENT_SEND_FAILED
from relayscope.storage import Row, Writer, rows
from tests.collector.reading.problems import asked, call, problems, told
from tests.storage.samples import NOW, SPAN, batch, log, span

if TYPE_CHECKING:
    from sqlalchemy import Engine


def test_a_backend_that_died_in_a_call_is_one_problem(database_url: str, engine: Engine) -> None:
    """It is the backend's, which received what the relay sent, and has no span to say so."""
    writer = Writer(engine)
    failed = call({ERROR_TYPE: "connection_closed"}, by=b"relay..1", kind=3)
    writer.write(
        [
            batch(spans=[failed], logs=[asked(seconds_ago=60, by=b"relay..1", direction="sent")]),
            batch(
                service="backend",
                logs=[asked(seconds_ago=60, by=b"backend1", direction="received")],
            ),
        ]
    )
    writer.close()
    assert told(database_url) == [("backend", "unanswered")]


def test_a_call_that_was_only_just_made_is_no_problem(database_url: str, engine: Engine) -> None:
    """It is open because it takes some time; what has been open for longer is one, and once."""
    writer = Writer(engine)
    fresh = asked(seconds_ago=1, by=b"relay..1", direction="sent", trace_id=bytes(15) + b"1")
    writer.write([batch(service="fresh", logs=[fresh])])
    assert told(database_url) == []
    chain = [("client", "sent"), ("relay", "received"), ("relay", "sent")]
    for number, (service, direction) in enumerate(chain):
        # As a relay that passes requests on as they are: all of them have one text.
        by = f"{service}{direction}"[-8:].encode()
        records = [asked(seconds_ago=30 - number / 100, by=by, direction=direction)]
        writer.write([batch(service=service, logs=records)])
    # On a busy machine the first one is no longer fresh by now.
    assert {("fresh", "unanswered"), *told(database_url)} == {
        ("fresh", "unanswered"),
        ("relay", "unanswered"),
    }
    for number, (service, direction) in enumerate([("second", "received"), ("second", "sent")]):
        by = f"{service}{direction}"[-8:].encode()
        records = [asked(seconds_ago=29 - number / 100, by=by, direction=direction)]
        writer.write([batch(service=service, logs=records)])
    writer.close()
    assert {("fresh", "unanswered"), *told(database_url)} == {
        ("fresh", "unanswered"),
        ("second", "unanswered"),
    }


def test_an_error_that_is_the_askers_fault_is_told_where_it_began(
    database_url: str, engine: Engine
) -> None:
    """The server's span is no failure for OpenTelemetry, and it is the one that refused."""
    code = {RPC_RESPONSE_STATUS_CODE: "-32601"}
    writer = Writer(engine)
    writer.write(
        [
            batch(spans=[call({ERROR_TYPE: "-32601", **code}, by=b"relay..1", kind=3)]),
            batch(
                service="backend", spans=[call(code, by=b"backend1", kind=2, parent=b"relay..1")]
            ),
        ]
    )
    writer.close()
    assert told(database_url) == [("backend", "failed")]


def test_who_asks_for_levels_is_not_silent(database_url: str, engine: Engine) -> None:
    """A relay that nobody calls has nothing to say; one that is gone does not ask either."""
    writer = Writer(engine)
    numbered = {DELIVERY_SEQUENCE: 1}
    old = log(at=time.time_ns() - 600 * 10**9, attributes=rows.jsonb(numbered))
    writer.write([batch(logs=[old])])
    writer.close()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "insert into relayscope_store.level_agent"
            " (uid, component, process, version, hash, status, message, ended)"
            " values ('u', 'relay', 'relay', '1', '', 0, '', false)"
        )
        assert "silent" not in problems(database_url)
        connection.execute(
            "update relayscope_store.level_agent set last_seen = now() - interval '5 minutes'"
        )
        assert "silent" in problems(database_url)


@pytest.mark.parametrize(
    ("odd", "kind", "why"),
    [
        ("id_type", "result", "what was sent has an id of another type than the request's"),
        ("orphan_answer", "result", "what was sent has the id of no open request"),
        ("answer_to_notification", "result", "what was sent has no id"),
        ("unparsable", "unparsable", "what was sent back cannot be read"),
        ("not_jsonrpc", "unparsable", "what was sent back is no JSON-RPC message"),
    ],
)
def test_what_was_sent_in_place_of_an_answer_is_why_there_is_none(
    database_url: str, engine: Engine, odd: str, kind: str, why: str
) -> None:
    """And it is told once, with the call; what else is odd about that call is told beside it."""

    def sent(odd: str, kind: str) -> Row:
        attributes = {
            MESSAGE_ODD: odd,
            MESSAGE_KIND: kind,
            MESSAGE_DIRECTION: "sent",
            MCP_METHOD_NAME: "tools/call",
            GEN_AI_TOOL_NAME: "die",
        }
        if kind == "unparsable":
            attributes = {name: attributes[name] for name in list(attributes)[:3]}
        columns = {"severity_number": 13, "span_id": b"backend1"}
        return log(
            odd, at=time.time_ns() - 59 * 10**9, attributes=rows.jsonb(attributes), **columns
        )

    writer = Writer(engine)
    request = asked(seconds_ago=60, by=b"backend1", direction="received")
    writer.write([batch(service="backend", logs=[request, sent(odd, kind)])])
    assert told(database_url) == [("backend", "unanswered")]
    assert f"did not answer tool die: {why}" in problems(database_url)
    writer.write([batch(service="backend", logs=[sent("wrong_side", "notification")])])
    writer.close()
    assert ("backend", "odd") in told(database_url)


def unsent(error_type: str, attributes: dict[str, str], *, by: bytes = SPAN) -> Row:
    """The record of a message that could not be sent."""
    said = {
        MESSAGE_DIRECTION: "sent",
        MCP_METHOD_NAME: "tools/call",
        GEN_AI_TOOL_NAME: "look",
        PEER: "stdio",
        ERROR_TYPE: error_type,
    }
    return log(
        f"not sent: pipe stdio; {error_type}: nobody reads",
        at=time.time_ns() - 10**9,
        severity_number=13,
        event_name=EVENT_SEND_FAILED,
        span_id=by,
        attributes=rows.jsonb(said | attributes),
    )


def test_what_could_not_be_sent_is_a_problem_of_who_wanted_to_send_it(
    database_url: str, engine: Engine
) -> None:
    """An answer that is lost where it was to be sent is told; a request is so as a failed call."""
    kinds = ("result", "result", "request")
    records = [unsent("BrokenPipeError", {MESSAGE_KIND: kind}) for kind in kinds]
    writer = Writer(engine)
    writer.write([batch(logs=records)])
    writer.close()
    [(_, kind)] = told(database_url)
    assert kind == "unsent"
    shown = problems(database_url)
    assert "could not send an answer (look) to stdio: BrokenPipeError" in shown
    assert "nobody reads" in shown


def test_a_request_that_could_not_be_sent_is_one_problem(database_url: str, engine: Engine) -> None:
    """The call that failed for it has the reason, also where its record does not say its kind."""
    failed = call({ERROR_TYPE: "ClosedResourceError"}, by=b"relay..1", kind=3)
    writer = Writer(engine)
    writer.write([batch(spans=[failed], logs=[unsent("ClosedResourceError", {}, by=b"relay..1")])])
    writer.close()
    assert told(database_url) == [("relay", "failed")]
    assert "ClosedResourceError: nobody reads" in problems(database_url)


def test_a_connection_that_was_refused_is_one_problem(database_url: str, engine: Engine) -> None:
    """And not one more for the call that it was to be made for, unless other calls failed so."""

    def refused(*, by: bytes, **attributes: str) -> Row:
        said = {ERROR_TYPE: "ConnectError", PEER: "127.0.0.1:9", **attributes}
        return span(
            span_id=by, trace_id=by * 2, start=NOW - 10**9, kind=3, status_code=2,
            attributes=rows.jsonb(said),
        )  # fmt: skip

    request = {JSONRPC_REQUEST_ID: "1", MCP_METHOD_NAME: "initialize"}
    writer = Writer(engine)
    writer.write([batch(spans=[refused(by=b"connect1"), refused(by=b"relay..1", **request)])])
    assert told(database_url) == [("relay", "connection")]
    writer.write([batch(spans=[refused(by=b"relay..2", **request)])])
    writer.close()
    assert told(database_url) == [("relay", "connection"), ("relay", "failed")]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ("not_jsonrpc", "sends JSON that is no JSON-RPC message"),
        ("without_id", "asks without an id, so that nobody can answer"),
        ("with_id", "sends a notification with an id, which asks for an answer"),
    ],
)
def test_an_odd_message_is_told_in_words(
    database_url: str, engine: Engine, odd: str, said: str
) -> None:
    """Of who sent it, in whose record it is."""
    attributes = {MESSAGE_ODD: odd, MESSAGE_KIND: "notification", MESSAGE_DIRECTION: "sent"}
    columns = {"trace_id": None, "span_id": None, "severity_number": 13}
    writer = Writer(engine)
    record = log("{}", at=time.time_ns() - 10**9, attributes=rows.jsonb(attributes), **columns)
    writer.write([batch(service="relay", logs=[record])])
    writer.close()
    assert f"relay {said}" in problems(database_url)


def rubbish(*, seconds_ago: float, direction: str, peer: str) -> Row:
    """The record of a text that is no JSON, at either end."""
    attributes = {
        MESSAGE_KIND: "unparsable",
        MESSAGE_DIRECTION: direction,
        MESSAGE_ODD: "unparsable",
        PEER: peer,
    }
    at = time.time_ns() - round(seconds_ago * 1e9)
    return log(
        "DEBUG: connecting", at=at, severity_number=13, trace_id=None, span_id=None,
        attributes=rows.jsonb(attributes),
    )  # fmt: skip


@pytest.mark.parametrize("untraced", ["other.py", "one.py"])
def test_what_an_untraced_backend_says_is_told_though_a_traced_one_says_the_same(
    database_url: str, engine: Engine, untraced: str
) -> None:
    """Once for each of them, whether the relay knows them by two names or by one."""
    served = call({}, by=b"backend1", kind=2, parent=b"relay..1")
    writer = Writer(engine)
    writer.write(
        [
            batch(
                spans=[call({PEER: "one.py"}, by=b"relay..1", kind=3)],
                logs=[
                    rubbish(seconds_ago=60.0, direction="received", peer=untraced),
                    rubbish(seconds_ago=59.9, direction="received", peer="one.py"),
                ],
            ),
            batch(
                service="one",
                spans=[served],
                logs=[rubbish(seconds_ago=60.1, direction="sent", peer="stdio")],
            ),
        ]
    )
    writer.close()
    assert sorted(told(database_url)) == [("one", "odd"), ("relay", "odd")]
    assert f"relay has a peer, {untraced}, that sends what is not JSON" in problems(database_url)


def test_what_is_recorded_at_both_ends_is_told_by_who_sent_it(
    database_url: str, engine: Engine
) -> None:
    """Also where no call between the two is known."""
    writer = Writer(engine)
    for service, direction, later in (("one", "sent", 0.1), ("relay", "received", 0)):
        said = [
            rubbish(seconds_ago=60 + number + later, direction=direction, peer="stdio")
            for number in range(5)
        ]
        writer.write([batch(service=service, logs=said)])
    writer.close()
    assert told(database_url) == [("one", "odd")]


def test_what_a_user_cancelled_comes_last_and_is_named_so(
    database_url: str, engine: Engine
) -> None:
    """With what was called for it: the backend does not know, and is told below what is wrong."""
    at = time.time_ns() - 60 * 10**9
    said = {MCP_METHOD_NAME: "tools/call", GEN_AI_TOOL_NAME: "die", JSONRPC_REQUEST_ID: "7"}
    cancelled = span(
        start=at - 10**9, end=at + 10**9, span_id=b"client.1", kind=3, status_code=2,
        attributes=rows.jsonb(said | {ERROR_TYPE: ERROR_CANCELLED}),
    )  # fmt: skip
    below = asked(seconds_ago=60, by=b"backend1", direction="received")
    writer = Writer(engine)
    writer.write([batch(service="client", spans=[cancelled], logs=[])])
    writer.write([batch(service="backend", logs=[below])])
    writer.write([batch(logs=[rubbish(seconds_ago=50, direction="sent", peer="stdio")])])
    writer.close()
    found = told(database_url)
    assert found[0] == ("relay", "odd")
    assert {kind for _, kind in found[1:]} == {"cancelled"}
    assert "backend did not answer tool die: it was cancelled" in problems(database_url)


def test_a_call_that_its_maker_did_not_wait_for_is_told_with_what_was_answered_instead(
    database_url: str, engine: Engine
) -> None:
    """There the relay may say why: a timeout, as a rule."""
    answer = {MESSAGE_KIND: "error", MESSAGE_DIRECTION: "sent", MCP_METHOD_NAME: "tools/call"}
    answered = log(
        '{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"relay: TimeoutError"}}',
        at=NOW - 59 * 10**9, span_id=b"served.1", attributes=rows.jsonb(answer),
    )  # fmt: skip
    made = call({ERROR_TYPE: ERROR_ANSWERED_ABOVE}, by=b"relay..1", kind=3, parent=b"served.1")
    writer = Writer(engine)
    writer.write(
        [
            batch(
                spans=[made],
                logs=[asked(seconds_ago=60, by=b"relay..1", direction="sent"), answered],
            )
        ]
    )
    writer.close()
    assert told(database_url) == [("relay", "unanswered")]
    shown = problems(database_url)
    assert "the request it was made for was answered without it" in shown
    assert "relay: TimeoutError" in shown


def test_a_message_that_was_refused_has_failed_and_was_sent(
    database_url: str, engine: Engine
) -> None:
    """A notification has no call that could say so."""
    writer = Writer(engine)
    attributes = {MESSAGE_KIND: "notification", MCP_METHOD_NAME: "notifications/initialized"}
    writer.write([batch(logs=[unsent("401", attributes)])])
    writer.close()
    assert told(database_url) == [("relay", "failed")]
    assert "got the error 401 from stdio for a notification (look)" in problems(database_url)


@pytest.mark.parametrize(
    ("error_type", "words"),
    [
        (ERROR_STOPPED_READING, "the wait for it was given up after 1.50 s"),
        (ERROR_UNANSWERED, "the connection closed without one"),
        (ERROR_OTHER_CONTENT, "the response was no message"),
    ],
)
def test_a_request_that_was_sent_is_not_said_to_be_unsent(
    database_url: str, engine: Engine, error_type: str, words: str
) -> None:
    """It has no answer; what the transport says of that is the evidence, and not what was asked."""
    at = time.time_ns() - 60 * 10**9
    said = {MCP_METHOD_NAME: "tools/call", GEN_AI_TOOL_NAME: "die", JSONRPC_REQUEST_ID: "7"}
    given_up = span(
        start=at, end=at + 1_500_000_000, span_id=b"relay..1", kind=3, status_code=2,
        status_message="ReadTimeout: nothing came",
        attributes=rows.jsonb(said | {ERROR_TYPE: error_type, PEER: "backend:1"}),
    )  # fmt: skip
    request = asked(seconds_ago=60, by=b"relay..1", direction="sent")
    writer = Writer(engine)
    writer.write([batch(spans=[given_up], logs=[request])])
    writer.close()
    assert told(database_url) == [("relay", "unanswered")]
    shown = problems(database_url, COLUMNS="200")
    assert f"got no answer from backend:1 for tool die: {words}" in shown
    assert "ReadTimeout: nothing came" in shown
