"""Promises about the threading and the legacy connections of websockets."""

import asyncio
import threading
from typing import Any

import pytest
from opentelemetry.trace import SpanKind
from websockets.sync import client as sync_client
from websockets.sync import server as sync_server

from tests.fix_telemetry import Telemetry

REQUEST = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é"}}'
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'


def test_sync_connections_are_watched_on_both_sides(watched: Telemetry) -> None:
    """The threading server and client make the same spans and records."""

    def answer(connection: sync_server.ServerConnection) -> None:
        for _ in connection:
            connection.send(ANSWER)

    with sync_server.serve(answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with sync_client.connect(f"ws://127.0.0.1:{server.socket.getsockname()[1]}") as connection:
            connection.send(REQUEST)
            assert connection.recv() == ANSWER
        server.shutdown()
        thread.join()

    attributes = [record.log_record.attributes or {} for record in watched.records]
    ways = sorted(str(each["relayscope.message.direction"]) for each in attributes)
    assert ways == ["received", "received", "sent", "sent"]
    assert sorted(span.kind.name for span in watched.spans) == ["CLIENT", "SERVER"]


def test_a_refused_sync_connection_is_a_failed_span(watched: Telemetry) -> None:
    """As an asyncio one."""
    with pytest.raises(ConnectionRefusedError), sync_client.connect("ws://127.0.0.1:1"):
        pass

    attributes = watched.span("connect").attributes or {}
    assert attributes["error.type"] == "ConnectionRefusedError"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_legacy_connections_are_watched_on_both_sides(watched: Telemetry) -> None:
    """Those of versions before 14, which are still there."""
    from websockets.legacy import client, server  # noqa: PLC0415  # deprecated: warns

    async def talk_legacy() -> Any:
        async def answer(connection: Any) -> None:
            async for _ in connection:
                await connection.send(ANSWER)

        async with server.serve(answer, "127.0.0.1", 0) as serving:
            (listening,) = serving.sockets
            url = f"ws://127.0.0.1:{listening.getsockname()[1]}"
            async with client.connect(url) as connection:
                await connection.send(REQUEST)
                return await connection.recv()

    assert asyncio.run(talk_legacy()) == ANSWER
    (child,) = (span for span in watched.spans if span.kind is SpanKind.SERVER)
    (parent,) = (span for span in watched.spans if span.kind is SpanKind.CLIENT)
    assert child.parent is not None
    assert parent.context is not None
    assert child.parent.span_id == parent.context.span_id
    assert len(watched.records) == 4
