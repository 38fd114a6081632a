"""Promises about HTTP servers whose client leaves before it has its answer."""

import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from relayscope.conventions.attributes import ERROR_TYPE, ERROR_UNANSWERED, MESSAGE_KIND
from relayscope.conventions.events import EVENT_SEND_FAILED
from tests.fix_programs import SCRIPTS, Background, eventually
from tests.fix_telemetry import OtlpSink, Telemetry
from tests.instrumentation.hooks.http.test_asgi import ANSWER, REQUEST, serving
from tests.instrumentation.hooks.http.test_servers import MCP2, dropped
from tests.instrumentation.hooks.http.test_servers import serving as sdk_server

WAYS = ["answers", "fails"]


class Slow:
    """An application that goes on when its client has left."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def application(self) -> Starlette:
        """Return it."""
        return Starlette(routes=[Route(f"/{way}", self.serve, methods=["POST"]) for way in WAYS])

    async def serve(self, request: Request) -> Response:
        """Answer, or fail, once the client is gone."""
        await request.body()
        self.asked.set()
        await request.receive()
        if request.url.path == "/fails":
            return Response("gone wrong", status_code=500)
        return Response(ANSWER, media_type="application/json")


def leave(telemetry: Telemetry, way: str) -> None:
    """Post a request, and leave as soon as it is worked for."""
    slow = Slow()
    with serving(telemetry, slow.application) as address:
        host, port = address.split(":")
        head = f"POST /{way} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(REQUEST)}\r\n\r\n"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + REQUEST.encode())
            assert slow.asked.wait(60)
        eventually(lambda: telemetry.spans)


def attributes_of(record: Any) -> dict[str, Any]:
    """Return a record's attributes."""
    return dict(record.attributes or {})


def test_an_answer_to_who_has_left_is_said_not_to_be_sent(telemetry: Telemetry) -> None:
    """The server drops it without a word; the record of it stays, and a warning follows it."""
    leave(telemetry, "answers")

    assert telemetry.bodies == [REQUEST, ANSWER]
    eventually(lambda: telemetry.events)
    [dropped] = telemetry.events
    assert dropped.event_name == EVENT_SEND_FAILED
    assert attributes_of(dropped)[MESSAGE_KIND] == "result"
    assert attributes_of(dropped)[ERROR_TYPE] == "ClientDisconnect"


def test_a_status_for_who_has_left_is_no_answer(telemetry: Telemetry) -> None:
    """Nobody was told that the server failed: the call is over because its client left."""
    leave(telemetry, "fails")

    span = telemetry.span("tools/call add")
    assert attributes_of(span)[ERROR_TYPE] == ERROR_UNANSWERED
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "the client left before the response"


@pytest.mark.parametrize("binaries", [SCRIPTS, MCP2], ids=["mcp1", "mcp2"])
def test_what_the_sdk_answers_to_who_has_left_is_said_not_to_be_sent(
    otlp_sink: OtlpSink, background: Background, binaries: Path
) -> None:
    """It drops the answer, because the stream of the request has ended with its connection."""
    with sdk_server(otlp_sink, background, binaries, "none") as client:
        client.shake_hands()
        client.say(2, "tools/call", name="add", arguments={"a": 1, "b": 2})
        with pytest.raises(httpx.ReadTimeout):
            client.leave_after(0.5, 3, "tools/call", name="wait", arguments={"seconds": 2})

    eventually(lambda: dropped(otlp_sink))
    assert dropped(otlp_sink) == ["tools/call"]
