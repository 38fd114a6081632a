"""Promises about the hook for the `websockets` library."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextvars import Context
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosedOK

from relayscope.instrumentation import Level, Levels
from relayscope.instrumentation.hooks.websockets.websockets import WebsocketsInstrumentor
from tests.fix_telemetry import Telemetry

REQUEST = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é"}}'
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'


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


def serve_one(handler: Any) -> Any:
    """A server on a free port."""
    return serve(handler, "127.0.0.1", 0)


def port_of(server: Any) -> int:
    """The port that a server listens on."""
    port: int = server.sockets[0].getsockname()[1]
    return port


def directions(telemetry: Telemetry) -> list[tuple[str, Any]]:
    """Direction and body of each record."""
    return [
        (
            str((record.log_record.attributes or {})["relayscope.message.direction"]),
            record.log_record.body,
        )
        for record in telemetry.records
    ]


def test_a_message_in_fragments_is_one_message(watched: Telemetry) -> None:
    """Sent from an iterable and read as a stream, it is recorded whole, once on each side."""
    pieces = [REQUEST[:10], REQUEST[10:30], REQUEST[30:]]

    async def talk_in_pieces() -> list[Any]:
        received: list[Any] = []

        async def read(connection: ServerConnection) -> None:
            received.extend([piece async for piece in connection.recv_streaming()])
            await connection.send(ANSWER)

        async with (
            serve_one(read) as server,
            connect(f"ws://127.0.0.1:{port_of(server)}") as connection,
        ):
            await connection.send(pieces)
            await connection.recv()
        return received

    assert asyncio.run(talk_in_pieces()) == [*pieces, ""]
    assert [body for _, body in directions(watched)] == [REQUEST, REQUEST, ANSWER, ANSWER]


def test_what_is_broadcast_is_recorded_for_every_connection(watched: Telemetry) -> None:
    """Each connection gets the notification, with the context of its own span."""
    note = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'

    async def tell_all() -> list[Any]:
        everyone: set[ServerConnection] = set()

        async def join(connection: ServerConnection) -> None:
            everyone.add(connection)
            await connection.wait_closed()

        async with serve_one(join) as server:
            url = f"ws://127.0.0.1:{port_of(server)}"
            async with connect(url) as one, connect(url) as other:
                while len(everyone) < 2:  # noqa: ASYNC110  # a set tells nobody
                    await asyncio.sleep(0.01)
                broadcast(everyone, note)
                return [await one.recv(), await other.recv()]

    received = asyncio.run(tell_all())

    assert all("traceparent" in text for text in received)
    assert sorted(directions(watched)) == sorted(
        [(way, text) for way in ("sent", "received") for text in received]
    )


def test_what_is_never_read_is_recorded_all_the_same(watched: Telemetry) -> None:
    """A message that arrived, but that the host did not ask for, was on the wire."""

    async def ignore() -> None:
        async def say(connection: ServerConnection) -> None:
            await connection.send(REQUEST)
            await connection.wait_closed()

        async with serve_one(say) as server, connect(f"ws://127.0.0.1:{port_of(server)}"):
            while len(watched.records) < 2:  # noqa: ASYNC110  # nobody is told
                await asyncio.sleep(0.01)

    asyncio.run(ignore())

    assert [way for way, _ in directions(watched)] == ["sent", "received"]


def test_what_is_sent_while_working_for_a_message_is_its_child(watched: Telemetry) -> None:
    """Messages wait between arriving and being read; each is worked for when it is read."""
    second = REQUEST.replace('"id":1', '"id":2')

    async def work() -> None:
        async def answer(connection: ServerConnection) -> None:
            await asyncio.sleep(0.1)
            for identifier in (1, 2):
                await connection.recv()
                note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
                await connection.send(json.dumps(note | {"params": {"n": identifier}}))
                await connection.send(ANSWER.replace('"id":1', f'"id":{identifier}'))

        async with (
            serve_one(answer) as server,
            connect(f"ws://127.0.0.1:{port_of(server)}") as connection,
        ):
            await connection.send(REQUEST)
            await connection.send(second)
            for _ in range(4):
                await connection.recv()

    asyncio.run(work())

    servers = {
        (span.attributes or {})["jsonrpc.request.id"]: span
        for span in watched.spans
        if span.kind is SpanKind.SERVER and span.name.startswith("tools/call")
    }
    notes = [
        span
        for span in watched.spans
        if span.kind is SpanKind.CLIENT and span.name == "notifications/progress"
    ]
    assert [note.parent for note in notes] == [servers["1"].context, servers["2"].context]


def request(tool: str) -> str:
    """Return a request for a tool."""
    return f'{{"jsonrpc":"2.0","id":"{tool}","method":"tools/call","params":{{"name":"{tool}"}}}}'


def name_here() -> str | None:
    """Return the name of the span that the running task works for."""
    span = get_current_span()
    return span.name if isinstance(span, ReadableSpan) else None


def test_who_reads_late_works_for_what_was_read_and_nothing_else(watched: Telemetry) -> None:
    """A message that arrived while its peer was off has no span, and does not take another's."""

    async def exchange_of_two() -> list[str | None]:
        arrived, works_for = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def serve_late(connection: ServerConnection) -> None:
            await arrived.wait()
            found = []
            for _ in range(2):
                await connection.recv()
                found.append(name_here())
            works_for.set_result(found)

        async with (
            serve(serve_late, "127.0.0.1", 0) as server,
            connect(f"ws://127.0.0.1:{port_of(server)}") as connection,
        ):
            for level, tool in ((Level.OFF, "first"), (Level.TRACE, "second")):
                watched.exchange.levels = Levels(level)
                await connection.send(request(tool))
                # Its answer says that all that was sent before has arrived.
                await (await connection.ping())
            arrived.set()
            found: list[str | None] = await works_for
            return found

    assert Context().run(asyncio.run, exchange_of_two()) == [None, "tools/call second"]


def test_a_message_read_in_pieces_does_not_delay_the_next_ones_span(watched: Telemetry) -> None:
    """A task that reads a message's first piece before the last came works for the next message."""

    async def exchange_of_two() -> list[str | None]:
        begun, works_for = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def pieces() -> AsyncIterator[str]:
            whole = request("first")
            yield whole[:20]
            await begun.wait()
            yield whole[20:]

        async def serve_two(connection: ServerConnection) -> None:
            async for _ in connection.recv_streaming():
                begun.set()
            found = []
            for _ in range(2):
                await connection.recv()
                found.append(name_here())
            works_for.set_result(found)

        async with (
            serve(serve_two, "127.0.0.1", 0) as server,
            connect(f"ws://127.0.0.1:{port_of(server)}") as connection,
        ):
            await connection.send(pieces())
            await connection.send(request("second"))
            await connection.send(request("third"))
            found: list[str | None] = await works_for
            return found

    assert Context().run(asyncio.run, exchange_of_two()) == [
        "tools/call second",
        "tools/call third",
    ]
    assert watched.spans
