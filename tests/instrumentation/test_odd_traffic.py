"""Promises about what healthy peers would not send: all of it is marked, and found with a query."""

import json
from typing import Any

import pytest
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode, use_span

from relayscope.conventions.attributes import (
    CHANNEL_CLOSE_CODE,
    CHANNEL_RECEIVED,
    CHANNEL_SENT,
    CHANNEL_UNANSWERED,
    ERROR_CROWDED_OUT,
    ERROR_TYPE,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_KIND,
    MESSAGE_ODD,
    RPC_SYSTEM_NAME,
)
from relayscope.conventions.events import EVENT_CHANNEL_CLOSED, EVENT_CHANNEL_OPENED
from relayscope.instrumentation import Exchange
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.calls import MOST_OPEN
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.channel_close import ChannelClose
from tests.fix_telemetry import Telemetry

CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}}'
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'
INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}'


def send(text_exchange: TextExchange, channel: Channel, text: str) -> None:
    """Send a message as a hook does."""
    outgoing = text_exchange.sending(channel, text)
    assert outgoing is not None


def marks(telemetry: Telemetry) -> list[Any]:
    """The marks of all records."""
    return [(record.log_record.attributes or {}).get(MESSAGE_ODD) for record in telemetry.records]


@pytest.mark.parametrize(
    "reply",
    [
        # Gates: -32603 without an id. Dewey: -32601 and null. Fiedler and Playfair: likewise.
        '{"jsonrpc":"2.0","error":{"code":-32603,"message":"Unknown method"}}',
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"Method not found"}}',
        '{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"}}',
    ],
)
def test_an_answer_to_a_notification_is_marked(telemetry: Telemetry, reply: str) -> None:
    """An error without an id after a notification answers it, and leaves open calls open."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    send(text_exchange, channel, INITIALIZED)
    send(text_exchange, channel, CALL)
    text_exchange.received(channel, reply)
    text_exchange.received(channel, ANSWER)

    assert marks(telemetry) == [None, None, "answer_to_notification", None]
    assert telemetry.span("tools/call slow").status.status_code is StatusCode.UNSET


def test_a_second_answer_without_an_id_is_an_orphan(telemetry: Telemetry) -> None:
    """One notification explains one wrong answer, not two; a parse error none at all."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    reply = '{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":"no"}}'
    send(text_exchange, channel, INITIALIZED)
    text_exchange.received(channel, reply % -32700)
    text_exchange.received(channel, reply % -32601)
    text_exchange.received(channel, reply % -32601)

    assert marks(telemetry)[1:] == ["orphan_answer", "answer_to_notification", "orphan_answer"]


def test_an_answer_after_its_call_was_cancelled_is_late(telemetry: Telemetry) -> None:
    """The cancelled call has failed; what comes later is marked, and still in the call's span."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    send(text_exchange, channel, CALL)
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    send(text_exchange, channel, json.dumps(cancel))
    text_exchange.received(channel, ANSWER)

    span = telemetry.span("tools/call slow")
    assert span.attributes is not None
    assert span.attributes[ERROR_TYPE] == "cancelled"
    assert marks(telemetry) == [None, None, "late_answer"]
    assert span.context is not None
    assert telemetry.records[-1].log_record.span_id == span.context.span_id


def test_a_call_that_waits_for_ever_ends_with_a_timeout(telemetry: Telemetry) -> None:
    """After its time a call has failed, and an answer that comes after all is late."""
    exchange = Exchange(
        telemetry.exchange.spans,
        telemetry.exchange.log,
        telemetry.exchange.channel_log,
        telemetry.exchange.levels,
        call_seconds=0,
    )
    text_exchange, channel = TextExchange(exchange), Channel.of_pipes("peer")
    send(text_exchange, channel, CALL)
    exchange.sweep()
    text_exchange.received(channel, ANSWER)

    span = telemetry.span("tools/call slow")
    assert span.attributes is not None
    assert span.attributes[ERROR_TYPE] == "timeout"
    assert marks(telemetry) == [None, "late_answer"]


def test_an_answer_on_a_channel_that_was_closed_before_is_late(telemetry: Telemetry) -> None:
    """A gateway works on for a client that has ended its session: the answer is its call's."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    text_exchange.received(channel, CALL)
    text_exchange.closed(channel)
    send(text_exchange, channel, ANSWER)
    send(text_exchange, channel, ANSWER)

    span = telemetry.span("tools/call slow")
    assert span.context is not None
    assert marks(telemetry) == [None, "late_answer", "orphan_answer"]
    assert telemetry.records[-2].log_record.span_id == span.context.span_id


def test_methods_that_mcp_does_not_know_are_marked(telemetry: Telemetry) -> None:
    """JSON-RPC that is not MCP has the names of JSON-RPC's conventions, and a mark."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    text_exchange.received(channel, '{"jsonrpc":"2.0","id":1,"method":"dewey_search","params":{}}')
    text_exchange.received(channel, '{"jsonrpc":"2.0","id":2,"method":"ping"}')
    text_exchange.closed(channel)

    assert marks(telemetry) == ["not_mcp", None]
    span = telemetry.span("dewey_search")
    assert span.kind is SpanKind.SERVER
    assert span.attributes is not None
    assert span.attributes[RPC_SYSTEM_NAME] == "jsonrpc"
    assert MCP_METHOD_NAME not in span.attributes


def test_a_request_that_is_sent_as_a_notification_is_marked(telemetry: Telemetry) -> None:
    """At either end: nobody can answer it. So is the reverse, which asks for an answer."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    unasked = CALL.replace('"id":1,', "")
    asking = INITIALIZED.replace('"method"', '"id":2,"method"')
    for text in (unasked, asking, CALL, INITIALIZED):
        send(text_exchange, channel, text)
        text_exchange.received(channel, text)

    assert marks(telemetry) == ["without_id"] * 2 + ["with_id"] * 2 + [None] * 4
    assert {record.log_record.severity_text for record in telemetry.records[:4]} == {"WARN"}


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ('{"message": "quota used up"}', "not_jsonrpc"),
        ("[1, 2]", "not_jsonrpc"),
        ('{"values": [' + "0, " * 600_000 + "0]}", "not_jsonrpc"),
        ("quota used up", "unparsable"),
        ("quota used up, " * 200_000, "unparsable"),
    ],
    ids=["object", "list", "large object", "text", "large text"],
)
def test_json_that_is_no_message_is_told_from_what_is_no_json(
    telemetry: Telemetry, text: str, mark: str
) -> None:
    """Each has a mark of its own, also where it is too large to be parsed as a whole."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    send(text_exchange, channel, CALL)
    text_exchange.received(channel, text)

    assert marks(telemetry) == [None, mark]


def test_an_unsolicited_notification_is_a_span_of_its_own(telemetry: Telemetry) -> None:
    """Marco sends `notifications/initialized` itself: a server's notification, new trace."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    text_exchange.received(channel, INITIALIZED)

    assert telemetry.span("notifications/initialized").parent is None


def test_every_message_of_a_batch_is_a_call(telemetry: Telemetry) -> None:
    """A batch is one record and a moment; each request has a span, which its answer ends."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    calls = [json.loads(CALL), {"jsonrpc": "2.0", "id": 2, "method": "ping"}]
    send(text_exchange, channel, json.dumps(calls))
    text_exchange.received(channel, json.dumps([{"jsonrpc": "2.0", "id": 2, "result": {}}]))
    text_exchange.received(channel, ANSWER)

    assert [span.name for span in telemetry.spans] == ["batch", "ping", "tools/call slow"]
    kinds = [(record.log_record.attributes or {})[MESSAGE_KIND] for record in telemetry.records]
    assert kinds == ["batch", "batch", "result"]


def test_a_peer_that_rejects_context_gets_none_any_more(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that names `_meta` stops it there, with a warning, and nowhere else."""
    text_exchange, strict, other = (
        TextExchange(telemetry.exchange),
        Channel.of_pipes("strict"),
        Channel.of_pipes("o"),
    )

    def sent(channel: Channel, identifier: int) -> str:
        request = {"jsonrpc": "2.0", "id": identifier, "method": "tools/list"}
        outgoing = text_exchange.sending(channel, json.dumps(request))
        assert outgoing is not None
        return outgoing.data

    assert "traceparent" in sent(strict, 1)
    text_exchange.received(
        strict, '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"_meta?"}}'
    )
    assert "traceparent" not in sent(strict, 2)
    assert "traceparent" in sent(other, 3)
    assert "strict answered what had trace context with error -32602" in caplog.text


def test_a_peer_that_is_older_than_its_client_gets_context(telemetry: Telemetry) -> None:
    """A client of the SDK 2.x asks `server/discover` first, which 1.x refuses whatever it has."""
    text_exchange, peer = TextExchange(telemetry.exchange), Channel.of_pipes("older")
    send(text_exchange, peer, '{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}')
    text_exchange.received(
        peer, '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid request"}}'
    )

    outgoing = text_exchange.sending(peer, CALL)

    assert outgoing is not None
    assert "traceparent" in outgoing.data


def test_one_rejection_after_an_accepted_request_means_nothing(telemetry: Telemetry) -> None:
    """A peer that has taken context once rejects something else."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    send(text_exchange, channel, CALL)
    text_exchange.received(channel, ANSWER)
    send(text_exchange, channel, CALL)
    text_exchange.received(
        channel, '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}'
    )
    outgoing = text_exchange.sending(channel, CALL)

    assert outgoing is not None
    assert "traceparent" in outgoing.data


def test_a_peer_that_never_answers_costs_bounded_memory(telemetry: Telemetry) -> None:
    """The oldest of very many open calls ends, and its span says why; the others stay open."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")

    for identifier in range(MOST_OPEN + 2):
        send(text_exchange, channel, f'{{"jsonrpc":"2.0","id":{identifier},"method":"ping"}}')

    ended = [span.attributes or {} for span in telemetry.spans]
    assert [span[JSONRPC_REQUEST_ID] for span in ended] == ["0", "1"]
    assert {span[ERROR_TYPE] for span in ended} == {ERROR_CROWDED_OUT}
    text_exchange.closed(channel)
    assert len(telemetry.spans) == MOST_OPEN + 2


def test_a_channel_says_when_it_opens_and_how_it_closed(telemetry: Telemetry) -> None:
    """Two events, of which the second is a warning if a WebSocket closed without a word."""
    text_exchange, channel = (
        TextExchange(telemetry.exchange),
        Channel.of_socket("websocket", ("127.0.0.1", 9050)),
    )
    send(text_exchange, channel, CALL)

    text_exchange.closed(
        channel, ChannelClose(close_code=1006, close_reason="password=hunter2 " * 100)
    )

    opened, closed = telemetry.events
    assert (opened.event_name, opened.severity_text) == (EVENT_CHANNEL_OPENED, "INFO")
    assert (closed.event_name, closed.severity_text) == (EVENT_CHANNEL_CLOSED, "WARN")
    attributes = closed.attributes or {}
    assert attributes[CHANNEL_CLOSE_CODE] == 1006
    assert attributes[CHANNEL_SENT] == 1
    assert attributes[CHANNEL_RECEIVED] == 0
    assert attributes[CHANNEL_UNANSWERED] == 1
    assert "hunter2" not in str(closed.body) + str(attributes)
    assert len(str(closed.body)) < 300


def test_what_belongs_to_no_call_is_filed_under_none(telemetry: Telemetry) -> None:
    """Nor under the trace of what the task has worked for that happens to notice it."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    span = text_exchange.arrived(channel, CALL)
    assert span is not None

    with use_span(span):
        text_exchange.received(channel, "{broken")
        text_exchange.received(channel, ANSWER)
        text_exchange.closed(channel)

    records = [*telemetry.events, *(record.log_record for record in telemetry.records[1:])]
    assert len(records) == 4
    assert {(record.trace_id, record.span_id) for record in records} == {(0, 0)}


@pytest.mark.parametrize(("trace", "links"), [("a" * 32, []), ("b" * 32, ["b" * 32])])
def test_a_request_is_linked_to_other_traces_alone(
    telemetry: Telemetry, trace: str, links: list[str]
) -> None:
    """Its parent is what it carries; what its transport says of the same trace adds nothing."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    around = propagate.extract({"traceparent": f"00-{trace}-{'1' * 16}-01"}, Context())
    carried = f'"params":{{"_meta":{{"traceparent":"00-{"a" * 32}-{"2" * 16}-01"}}}}'
    call = f'{{"jsonrpc":"2.0","id":1,"method":"ping",{carried}}}'

    text_exchange.received(channel, call, around)
    text_exchange.closed(channel)

    (span,) = telemetry.spans
    assert span.parent is not None
    assert span.parent.span_id == int("2" * 16, 16)
    assert [f"{link.context.trace_id:032x}" for link in span.links] == links
