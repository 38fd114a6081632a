"""Promises about errors without an id in an HTTP response: they refuse what was posted."""

import json

import pytest

from relayscope.conventions.attributes import RPC_RESPONSE_STATUS_CODE
from relayscope.instrumentation.hooks.http.httpx import HttpxInstrumentor
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry
from tests.instrumentation.hooks.http.http_clients import CALL
from tests.instrumentation.hooks.http.test_unanswered_requests import (
    INITIALIZED,
    Responding,
    with_httpx,
)
from tests.instrumentation.jsonrpc import odd, request

NO_SESSION = (
    b'{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session"},"id":null}'
)
"""The answer of the TypeScript SDK's servers to each message of a session that they do not know."""
BAD_REQUEST = "400 Bad Request\r\ncontent-type: application/json"
BATCH = f"[{request(1, name='first')},{request(2, name='second')}]".encode()


@pytest.mark.parametrize("body", [CALL, BATCH, INITIALIZED], ids=["call", "batch", "notification"])
def test_what_a_response_refuses_is_what_was_posted(telemetry: Telemetry, body: bytes) -> None:
    """It is no answer to nothing, nor to a notification, whatever its code; a call ends with it."""
    instrumentor = HttpxInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    try:
        with Responding(BAD_REQUEST, NO_SESSION) as server:
            with_httpx(server.url, body)
    finally:
        instrumentor.uninstrument()

    assert odd(telemetry) == [None, None]
    codes = [(span.attributes or {}).get(RPC_RESPONSE_STATUS_CODE) for span in telemetry.spans]
    # The batch has a span itself.
    expected = {CALL: ["-32000"], BATCH: [None, "-32000", None], INITIALIZED: [None]}
    assert codes == expected[body]


def test_a_refusal_of_what_was_answered_is_late(telemetry: Telemetry) -> None:
    """Whoever ends a session refuses the requests that it leaves open, whose calls are over."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")
    text_exchange.received(channel, request(1, name="find"))
    text_exchange.closed(channel)
    for _ in range(2):
        channel.responding_to = (1,)
        text_exchange.sending_last_part(channel, NO_SESSION)

    assert odd(telemetry) == [None, "late_answer", "orphan_answer"]
    assert json.loads(telemetry.bodies[1]) == json.loads(NO_SESSION)
