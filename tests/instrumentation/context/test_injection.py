"""Promises about which peers are given trace context, and what they have to say to get none."""

import json

import pytest

from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry
from tests.instrumentation.jsonrpc import error, pipes, request, result, send


@pytest.mark.parametrize("method", ["roots/list", "sampling/createMessage", "elicitation/create"])
@pytest.mark.parametrize("code", [-32600, -32602])
def test_a_client_that_does_not_have_what_it_is_asked_for_gets_context(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture, method: str, code: int
) -> None:
    """The SDK 1.x says "Invalid request" to `roots/list` for want of roots, and not of context."""
    text_exchange, client = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, client, request(1, method))
    text_exchange.received(client, error(1, code))

    assert "traceparent" in send(text_exchange, client, request(2, method))
    assert not caplog.records


@pytest.mark.parametrize("code", [-32600, -32602])
def test_a_first_request_that_is_wrong_by_itself_does_not_stop_context(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    """A tool's name or arguments may be: what is said of them is not said of the context."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, request(1, name="no such tool"))
    text_exchange.received(server, error(1, code))

    assert "traceparent" in send(text_exchange, server, request(2, name="echo"))
    text_exchange.received(server, result(2))
    for identifier in range(3, 9):
        send(text_exchange, server, request(identifier, name="no such tool"))
        text_exchange.received(server, error(identifier, code))
    assert "traceparent" in send(text_exchange, server, request(9))
    assert not caplog.records


def test_a_peer_that_rejects_whatever_has_context_gets_none_any_more(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """It need not say what it rejects: the host's calls come first."""
    text_exchange, strict = TextExchange(telemetry.exchange), pipes()
    for identifier in range(3):
        assert "traceparent" in send(text_exchange, strict, request(identifier, name="echo"))
        text_exchange.received(strict, error(identifier, -32602))

    assert "traceparent" not in send(text_exchange, strict, request(3, name="echo"))
    assert len(caplog.records) == 1


@pytest.mark.parametrize("method", ["initialize", "tools/list", "ping"])
def test_a_peer_that_rejects_what_the_host_did_not_choose_gets_no_context_any_more(
    telemetry: Telemetry, method: str
) -> None:
    """There is nothing else to reject in it, and the host's next call comes first."""
    text_exchange, strict = TextExchange(telemetry.exchange), pipes()
    assert "traceparent" in send(text_exchange, strict, request(1, method))
    text_exchange.received(strict, error(1, -32602))

    assert "traceparent" not in send(text_exchange, strict, request(2, method))


def test_a_server_of_another_protocol_version_gets_context(telemetry: Telemetry) -> None:
    """It says -32602 to `initialize`, as MCP has it, and the client tries another version."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, request(1, "initialize"))
    said = {"code": -32602, "message": "Unsupported protocol version", "data": {"supported": []}}
    text_exchange.received(server, json.dumps({"jsonrpc": "2.0", "id": 1, "error": said}))

    assert "traceparent" in send(text_exchange, server, request(2, "initialize"))


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (-32602, [{"code": "unrecognized_keys", "keys": ["_meta"]}]),
        (-32603, "unexpected keyword argument '_meta'"),
        (-32600, {"field": "traceparent"}),
    ],
)
def test_an_error_that_names_the_context_stops_it_at_once(
    telemetry: Telemetry, code: int, data: object
) -> None:
    """In its data too, which is where validators say it."""
    text_exchange, strict = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, strict, request(1))
    said = {"code": code, "message": "no", "data": data}
    text_exchange.received(strict, json.dumps({"jsonrpc": "2.0", "id": 1, "error": said}))

    assert "traceparent" not in send(text_exchange, strict, request(2))


def test_a_server_that_misses_its_protocols_version_gets_context(telemetry: Telemetry) -> None:
    """A server of MCP 2026-07-28 names `_meta` to older clients, for want of what belongs there."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, request(1))
    missing = "params._meta must have io.modelcontextprotocol/protocolVersion"
    said = {"code": -32602, "message": missing}
    text_exchange.received(server, json.dumps({"jsonrpc": "2.0", "id": 1, "error": said}))

    assert "traceparent" in send(text_exchange, server, request(2))


def test_a_server_that_has_told_what_it_offers_gets_context(telemetry: Telemetry) -> None:
    """Whoever has answered `server/discover` well takes context, and may refuse a tool's name."""
    text_exchange, server = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, server, request(1, "server/discover"))
    text_exchange.received(server, result(1))
    send(text_exchange, server, request(2, name="no such tool"))
    text_exchange.received(server, error(2, -32602))

    assert "traceparent" in send(text_exchange, server, request(3))


def test_who_refuses_what_had_no_context_gets_context(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a batch is given any, nor what was sent in part before it was seen whole."""
    text_exchange, batching, signing = TextExchange(telemetry.exchange), pipes(), pipes()
    batching.peer = "batching"
    assert "traceparent" not in send(text_exchange, batching, f"[{request(1)}]")
    text_exchange.sending_last_part(signing, request(1))
    for channel in (batching, signing):
        text_exchange.received(channel, error(1, -32600))

        assert "traceparent" in send(text_exchange, channel, request(2))
    assert not caplog.records


def test_a_server_that_does_not_know_a_session_gets_context(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK 1.x says "Invalid request" to a session from before its restart."""
    text_exchange = TextExchange(telemetry.exchange)
    server = Channel.of_socket("http", ("127.0.0.1", 9))
    send(text_exchange, server, request(1))
    server.responding_to = (1,)
    text_exchange.received(server, error("server-error", -32600))
    server.responding_to = None

    assert "traceparent" in send(text_exchange, server, request(2, "initialize"))
    assert not caplog.records
