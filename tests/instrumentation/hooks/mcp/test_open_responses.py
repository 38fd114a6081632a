"""Promises about what a server of the `mcp` SDK sends over streamable HTTP, and what not."""

from typing import Any

import anyio
import httpx
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp.types import JSONRPCMessage

from relayscope.conventions.attributes import MESSAGE_DIRECTION, MESSAGE_KIND
from relayscope.conventions.events import EVENT_SEND_FAILED
from tests.fix_telemetry import Telemetry

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'
PROGRESS = (
    '{"jsonrpc":"2.0","method":"notifications/progress",'
    '"params":{"progressToken":"t","progress":1}}'
)
ROUNDS = 20


def test_what_a_server_sends_after_the_answer_is_said_not_to_be_sent(watched: Telemetry) -> None:
    """The SDK drops it silently, also in the moment in which the response is not closed yet."""
    bodies = anyio.run(_converse)

    assert [body.count('"result"') for body in bodies] == [1] * ROUNDS
    assert [body.count('"progressToken"') for body in bodies] == [1] * ROUNDS
    failed = [each.attributes or {} for each in watched.events if _has_failed(each)]
    assert [each[MESSAGE_KIND] for each in failed] == ["notification"] * ROUNDS
    sent = [
        each
        for each in watched.records
        if (each.log_record.attributes or {})[MESSAGE_DIRECTION] == "sent"
    ]
    assert len(sent) == 3 * ROUNDS


def _has_failed(event: Any) -> bool:
    return bool(event.event_name == EVENT_SEND_FAILED)


async def _converse() -> list[str]:
    """Ask again and again with the same id, and return the bodies, which take their time."""
    transport = StreamableHTTPServerTransport(mcp_session_id=None)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async def send_slowly(event: Any) -> None:
            await anyio.sleep(0.01)
            await send(event)

        await transport.handle_request(scope, receive, send_slowly)

    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(application), base_url="http://localhost"
    )
    headers = {"accept": "application/json, text/event-stream"}
    async with client, transport.connect() as (read, write), anyio.create_task_group() as tasks:
        tasks.start_soon(_answer_all, read, write)
        bodies = [(await client.post("/", json=PING, headers=headers)).text for _ in range(ROUNDS)]
        tasks.cancel_scope.cancel()
    return bodies


async def _answer_all(read: Any, write: Any) -> None:
    """Report progress of each request before its answer and after it."""
    related = ServerMessageMetadata(related_request_id=1)
    async for _ in read:
        for text, metadata in ((PROGRESS, related), (ANSWER, None), (PROGRESS, related)):
            message = JSONRPCMessage.model_validate_json(text)
            await write.send(SessionMessage(message, metadata))
