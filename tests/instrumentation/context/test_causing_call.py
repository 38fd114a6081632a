"""Promises about the trace of what a server asks and tells that carries no context."""

import json
from typing import Any

import pytest

from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry
from tests.instrumentation.jsonrpc import pipes, request, result, send

TOKEN = "a client's own token"


def progress(token: object) -> str:
    """Return a notification of progress."""
    params = {"progressToken": token, "progress": 1}
    return json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})


def call(identifier: int, **params: Any) -> str:
    """Return a call of a tool that is named after its id."""
    return request(identifier, name=f"t{identifier}", **params)


def parent_of(telemetry: Telemetry, name: str) -> int | None:
    """Return the id of the parent of the one span with this name."""
    telemetry.exchange.close_all()
    parent = telemetry.span(name).parent
    return None if parent is None else parent.span_id


def id_of(telemetry: Telemetry, name: str) -> int:
    """Return the id of the one span with this name."""
    context = telemetry.span(name).get_span_context()
    assert context is not None
    return context.span_id


@pytest.mark.parametrize("method", ["sampling/createMessage", "elicitation/create"])
def test_what_is_asked_for_the_only_call_is_in_its_trace(telemetry: Telemetry, method: str) -> None:
    """A server asks a model or a user only while it works; a ping that is open asks nothing."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, call(1))
    send(text_exchange, server, request(2, "ping"))
    text_exchange.received(server, request(1, method))

    assert parent_of(telemetry, method) == id_of(telemetry, "tools/call t1")


def test_what_may_be_asked_for_either_of_two_calls_is_in_the_trace_of_none(
    telemetry: Telemetry,
) -> None:
    """A guess would be false evidence."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, call(1))
    send(text_exchange, server, call(2))
    text_exchange.received(server, request(1, "sampling/createMessage"))

    assert parent_of(telemetry, "sampling/createMessage") is None


def test_what_is_asked_when_a_session_begins_is_no_part_of_a_call(telemetry: Telemetry) -> None:
    """Servers ask for roots unprompted, too."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, call(1))
    text_exchange.received(server, request(1, "roots/list"))

    assert parent_of(telemetry, "roots/list") is None


def test_what_is_asked_after_the_answer_is_no_part_of_the_call(telemetry: Telemetry) -> None:
    """A call that is over has no parts any more."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, call(1))
    text_exchange.received(server, result(1))
    text_exchange.received(server, request(1, "sampling/createMessage"))

    assert parent_of(telemetry, "sampling/createMessage") is None


@pytest.mark.parametrize("token", [2, TOKEN])
@pytest.mark.parametrize("length", [1, 5000], ids=["short", "long"])
def test_progress_is_in_the_trace_of_the_call_that_it_names(
    telemetry: Telemetry, token: object, length: int
) -> None:
    """Of several, and whatever the client's token is; also of a call that is not kept whole."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    for identifier, its in ((1, 1), (2, token), (3, 3)):
        meta = {"progressToken": its}
        send(text_exchange, server, call(identifier, _meta=meta, arguments={"a": "a" * length}))
    text_exchange.received(server, progress(token))

    assert parent_of(telemetry, "notifications/progress") == id_of(telemetry, "tools/call t2")


@pytest.mark.parametrize("token", [1, "2", None, ["2"], TOKEN])
def test_progress_that_names_no_call_is_in_the_trace_of_none(
    telemetry: Telemetry, token: object
) -> None:
    """An id is no token, a string no number, and a peer may send anything."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, call(1))
    send(text_exchange, server, call(2, _meta={"progressToken": 2}))
    text_exchange.received(server, progress(token))

    assert parent_of(telemetry, "notifications/progress") is None


def test_a_context_that_is_carried_counts_for_more(telemetry: Telemetry) -> None:
    """A server that is traced knows better."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, call(1))
    carried = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    text_exchange.received(server, request(1, "sampling/createMessage", _meta=carried))

    assert parent_of(telemetry, "sampling/createMessage") == 0xB7AD6B7169203331


@pytest.mark.parametrize("method", ["roots/list", "sampling/createMessage"])
def test_what_comes_in_a_response_is_in_the_trace_of_its_request(
    telemetry: Telemetry, method: str
) -> None:
    """Over HTTP the response says to which of several calls it belongs."""
    text_exchange, server = (
        TextExchange(telemetry.exchange),
        Channel.of_socket("http", ("127.0.0.1", 9)),
    )
    send(text_exchange, server, call(1))
    send(text_exchange, server, call(2))
    server.responding_to = (2,)
    text_exchange.received(server, request(1, method))
    server.responding_to = None

    assert parent_of(telemetry, method) == id_of(telemetry, "tools/call t2")
