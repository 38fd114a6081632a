"""Promises about what hosts send over aiohttp's WebSockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from relayscope.instrumentation.hooks.websockets.aiohttp import AiohttpInstrumentor
from tests.fix_telemetry import Telemetry

PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
PONG = '{"jsonrpc":"2.0","id":1,"result":{}}'

Socket = aiohttp.ClientWebSocketResponse


async def answering(request: web.Request) -> web.WebSocketResponse:
    """Answer each message."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for _ in socket:
        await socket.send_str(PONG)
    return socket


@asynccontextmanager
async def connected() -> AsyncIterator[Socket]:
    """A connection to a server that answers."""
    application = web.Application()
    application.router.add_get("/", answering)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://{host}:{port}/") as socket,
    ):
        yield socket
    await runner.cleanup()


def spoken(telemetry: Telemetry, speak: Callable[[Socket], Coroutine[Any, Any, None]]) -> None:
    """Speak over a connection under the hook."""

    async def run() -> None:
        async with connected() as socket:
            await speak(socket)

    instrumentor = AiohttpInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    try:
        asyncio.run(run())
    finally:
        instrumentor.uninstrument()


@pytest.mark.parametrize(
    "send",
    [
        lambda socket: socket.send_str(PING),
        lambda socket: socket.send_str(data=PING),
        lambda socket: socket.send_bytes(memoryview(PING.encode())),
        lambda socket: socket.send_frame(PING.encode(), aiohttp.WSMsgType.TEXT),
    ],
    ids=["text", "by name", "bytes", "frame"],
)
def test_a_message_is_recorded_however_it_is_sent(
    telemetry: Telemetry, send: Callable[[Socket], Coroutine[Any, Any, None]]
) -> None:
    """As text, as bytes, or as a frame; the answer comes."""

    async def speak(socket: Socket) -> None:
        await send(socket)
        assert await socket.receive_str() == PONG

    spoken(telemetry, speak)
    # Both ends are in this process.
    sent, arrived, *answers = telemetry.bodies
    assert sent == arrived
    assert json.loads(sent)["method"] == "ping"
    assert answers == [PONG, PONG]


@pytest.mark.parametrize("wrong", [5, None, [1, 2]])
def test_what_cannot_be_sent_is_refused_in_the_librarys_words(
    telemetry: Telemetry, wrong: Any
) -> None:
    """Nothing goes over the wire for it, and no memory is taken for a large number."""

    async def speak(socket: Socket) -> None:
        for send in (socket.send_str, socket.send_bytes):
            with pytest.raises(TypeError, match="data argument must be"):
                await send(wrong)
            with pytest.raises(TypeError, match="missing 1 required positional argument"):
                await send()  # type: ignore[call-arg]  # what a host may do

    spoken(telemetry, speak)
    assert telemetry.bodies == []
