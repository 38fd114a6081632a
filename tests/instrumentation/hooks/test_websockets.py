"""Promises about the hook for the `websockets` library."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedOK

from relayscope.instrumentation.hooks.websockets import WebsocketsInstrumentor
from tests.fix_telemetry import Telemetry

REQUEST = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é"}}'
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'


@pytest.fixture
def watched(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The hook, in place for the test."""
    instrumentor = WebsocketsInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    yield telemetry
    instrumentor.uninstrument()


async def talk(*sent: str | bytes) -> list[str | bytes]:
    """Send each message to a server that answers all; return what the server received."""
    received: list[str | bytes] = []

    async def answer(connection: ServerConnection) -> None:
        async for message in connection:
            received.append(message)
            await connection.send(ANSWER)

    async with serve(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as connection:
            for message in sent:
                await connection.send(message)
                await connection.recv()
    return received


def test_both_ends_of_a_call_are_in_one_trace(watched: Telemetry) -> None:
    """The server's span is the client's child, and each message is recorded at each end."""
    received = asyncio.run(talk(REQUEST))

    server, client = watched.spans
    assert (server.kind, client.kind) == (SpanKind.SERVER, SpanKind.CLIENT)
    assert server.parent is not None
    assert client.context is not None
    assert server.parent.span_id == client.context.span_id
    assert watched.bodies == [received[0], received[0], ANSWER, ANSWER]
    assert json.loads(received[0])["params"]["name"] == "é"


def test_spans_say_who_is_at_the_other_end(watched: Telemetry) -> None:
    """Transport and address are the conventions' for a WebSocket."""
    asyncio.run(talk(REQUEST))

    server, client = watched.spans
    for span, address in ((server, "client.address"), (client, "server.address")):
        assert span.attributes is not None
        assert span.attributes["network.transport"] == "tcp"
        assert span.attributes["network.protocol.name"] == "websocket"
        assert span.attributes[address] == "127.0.0.1"


def test_binary_frames_keep_their_type(watched: Telemetry) -> None:
    """A request sent as bytes arrives as bytes, with its context, and is recorded as text."""
    received = asyncio.run(talk(REQUEST.encode()))

    assert isinstance(received[0], bytes)
    assert watched.bodies[0] == received[0].decode()
    assert b"traceparent" in received[0]


def test_what_is_not_jsonrpc_passes_unchanged(watched: Telemetry) -> None:
    """Text and bytes of other protocols arrive as they were sent, and are not recorded."""
    received = asyncio.run(talk("hello", b"\x00\xff"))

    assert received == ["hello", b"\x00\xff"]
    assert watched.spans == []
    assert "hello" not in watched.bodies


def test_a_refused_connection_is_a_failed_span(watched: Telemetry) -> None:
    """A wrong port is a CLIENT span with its address and the error's type; the error is raised."""

    async def try_to_connect() -> ClientConnection:
        return await connect("ws://127.0.0.1:1")

    with pytest.raises(ConnectionRefusedError):
        asyncio.run(try_to_connect())

    span = watched.span("connect")
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ConnectionRefusedError"
    assert span.attributes["server.port"] == 1


def test_a_connection_that_closes_ends_its_open_calls(watched: Telemetry) -> None:
    """A request whose answer never came is a failed span on both sides."""

    async def hang_up() -> None:
        async def read_and_close(connection: ServerConnection) -> None:
            await connection.recv()

        async with serve(read_and_close, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}") as connection:
                await connection.send(REQUEST)
                with pytest.raises(ConnectionClosedOK):
                    await connection.recv()

    asyncio.run(hang_up())

    assert [span.status.status_code for span in watched.spans] == [StatusCode.ERROR] * 2
    for span in watched.spans:
        assert span.attributes is not None
        assert span.attributes["error.type"] == "relayscope.unanswered"


def test_uninstrumenting_leaves_no_trace(telemetry: Telemetry) -> None:
    """After `uninstrument`, the library is as it was."""
    before = {name: vars(ServerConnection.__mro__[1])[name] for name in ("send", "recv")}
    instrumentor = WebsocketsInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    instrumentor.uninstrument()

    after = {name: vars(ServerConnection.__mro__[1])[name] for name in ("send", "recv")}
    received = asyncio.run(talk(REQUEST))

    assert after == before
    assert received == [REQUEST]
    assert telemetry.records == []
