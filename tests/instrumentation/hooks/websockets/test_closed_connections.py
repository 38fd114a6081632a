"""Promises about messages that a host sends over a connection that has closed."""

import asyncio

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect as sync_connect

from relayscope.conventions.events import EVENT_SEND_FAILED
from tests.fix_telemetry import Telemetry

CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}'
PROGRESS = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}'
INTERNAL_ERROR = 1011


async def _hang_up(connection: ServerConnection) -> None:
    await connection.close(INTERNAL_ERROR, "internal")


async def _send_too_late(message: str | bytes) -> None:
    async with serve(_hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as connection:
            await connection.wait_closed()
            with pytest.raises(ConnectionClosedError, match="internal"):
                await connection.send(message)


async def _send_too_late_without_asyncio() -> None:
    def send(port: int) -> None:
        with sync_connect(f"ws://127.0.0.1:{port}") as connection:
            with pytest.raises(ConnectionClosedError):
                connection.recv()
            with pytest.raises(ConnectionClosedError, match="internal"):
                connection.send(CALL)

    async with serve(_hang_up, "127.0.0.1", 0) as server:
        await asyncio.to_thread(send, server.sockets[0].getsockname()[1])


def _assert_failed(span: ReadableSpan) -> None:
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ConnectionClosedError"


@pytest.mark.parametrize("message", [CALL, CALL.encode()], ids=["text", "bytes"])
def test_a_call_over_a_closed_connection_is_a_failed_span(
    watched: Telemetry, message: str | bytes
) -> None:
    """The library refuses it before it is a frame, and the host gets the library's error."""
    asyncio.run(_send_too_late(message))

    (span,) = watched.spans
    _assert_failed(span)
    assert EVENT_SEND_FAILED in [event.event_name for event in watched.events]


def test_so_it_is_without_asyncio(watched: Telemetry) -> None:
    """Over the library's connections for threads."""
    asyncio.run(_send_too_late_without_asyncio())

    (span,) = watched.spans
    _assert_failed(span)


def test_a_notification_over_a_closed_connection_is_told_as_not_sent(watched: Telemetry) -> None:
    """It has no answer that could be missed."""
    asyncio.run(_send_too_late(PROGRESS))

    assert EVENT_SEND_FAILED in [event.event_name for event in watched.events]
