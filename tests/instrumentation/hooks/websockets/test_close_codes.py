"""Promises about what is told of a WebSocket that has closed, whoever closed it."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
import uvicorn
from aiohttp import web
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed
from websockets.sync import client as sync_client

from relayscope.conventions.attributes import (
    CHANNEL_CLOSE_CODE,
    CHANNEL_CLOSE_REASON,
    CHANNEL_CLOSED_BY,
    CHANNEL_RECEIVED,
    CHANNEL_SENT,
)
from relayscope.conventions.events import EVENT_CHANNEL_CLOSED
from relayscope.instrumentation.hooks.http.asgi import AsgiInstrumentor
from relayscope.instrumentation.hooks.websockets.aiohttp import AiohttpInstrumentor
from relayscope.instrumentation.hooks.websockets.websockets import WebsocketsInstrumentor
from tests.fix_programs import eventually
from tests.fix_telemetry import Telemetry

NOTE = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'
LARGE = '{"jsonrpc":"2.0","id":1,"result":"' + "x" * 2000 + '"}'
LIMIT = 1000

Told = tuple[Any, Any, Any]
"""Close code, reason, and who closed."""


def told(telemetry: Telemetry, count: str) -> Told:
    """Words of the end that has counted a message of this kind."""

    def found() -> list[Told]:
        attributes = [
            event.attributes or {}
            for event in telemetry.events
            if event.event_name == EVENT_CHANNEL_CLOSED
        ]
        keys = (CHANNEL_CLOSE_CODE, CHANNEL_CLOSE_REASON, CHANNEL_CLOSED_BY)
        return [
            (each.get(keys[0]), each.get(keys[1]), each.get(keys[2]))
            for each in attributes
            if each[count]
        ]

    eventually(found)
    (one,) = found()
    return one


async def too_large(socket: Any) -> None:
    """Send more than the other end takes, and wait for what it says to that."""
    await socket.send_str(LARGE)
    await socket.receive()


async def out_of_order(socket: Any) -> None:
    """Close with a code."""
    await socket.close(code=1011, message=b"out of order")


async def waits(socket: Any) -> None:
    """Wait for the other end."""
    await socket.receive()


async def cut_off(socket: Any) -> None:
    """Close without a word."""
    socket._req.transport.abort()  # noqa: SLF001  # nothing public does that


@contextlib.asynccontextmanager
async def peer(behave: Callable[[Any], Awaitable[None]]) -> AsyncIterator[str]:
    """A server of aiohttp that says something, and then behaves as asked."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(NOTE)
        await behave(socket)
        return socket

    application = web.Application()
    application.router.add_get("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


async def by_websockets(url: str, *, closes: bool) -> None:
    """Read to the end with the asyncio client, or close."""
    async with client.connect(url.replace("http", "ws"), max_size=LIMIT) as connection:
        await connection.recv()
        if closes:
            await connection.close(4000, "enough")
        with contextlib.suppress(ConnectionClosed):
            await connection.recv()


async def by_threads(url: str, *, closes: bool) -> None:
    """Read to the end with the threading client, or close."""

    def run() -> None:
        with sync_client.connect(url.replace("http", "ws"), max_size=LIMIT) as connection:
            connection.recv()
            if closes:
                connection.close(4000, "enough")
            with contextlib.suppress(ConnectionClosed):
                connection.recv()

    await asyncio.to_thread(run)


async def by_legacy(url: str, *, closes: bool) -> None:
    """Read to the end with the legacy client, or close."""
    from websockets.legacy import client as legacy_client  # noqa: PLC0415  # deprecated: warns

    async with legacy_client.connect(url.replace("http", "ws"), max_size=LIMIT) as connection:
        await connection.recv()
        if closes:
            await connection.close(4000, "enough")
        with contextlib.suppress(ConnectionClosed):
            await connection.recv()


async def by_aiohttp(url: str, *, closes: bool) -> None:
    """Read to the end with aiohttp's client, or close."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, max_msg_size=LIMIT) as socket,
    ):
        await socket.receive()
        if closes:
            await socket.close(code=4000, message=b"enough")
        await socket.receive()


@pytest.fixture
def watched(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The hooks, in place for the test."""
    instrumentors: list[BaseInstrumentor] = [
        WebsocketsInstrumentor(),
        AiohttpInstrumentor(),
        AsgiInstrumentor(),
    ]
    for instrumentor in instrumentors:
        instrumentor.instrument(exchange=telemetry.exchange)
    yield telemetry
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


TOO_LARGE = {
    by_websockets: "exceeds limit of 1000 bytes",
    by_threads: "exceeds limit of 1000 bytes",
    by_legacy: "",
    by_aiohttp: "exceeds limit 1000",
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("read", TOO_LARGE)
def test_who_closes_says_with_which_code(watched: Telemetry, read: Any) -> None:
    """The client that refuses a message over its limit says 1009, and that it closed itself."""

    async def run() -> None:
        async with peer(too_large) as url:
            await read(url, closes=False)

    asyncio.run(run())

    code, reason, closer = told(watched, CHANNEL_RECEIVED)
    assert (code, closer) == (1009, "self")
    assert TOO_LARGE[read] in (reason or "")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("read", TOO_LARGE)
@pytest.mark.parametrize(
    ("behave", "closes", "expected"),
    [
        (out_of_order, False, (1011, "out of order", "peer")),
        (waits, True, (4000, "enough", "self")),
        (cut_off, False, (1006, None, None)),
    ],
)
def test_the_code_is_that_of_who_closed_first(
    watched: Telemetry, read: Any, behave: Any, closes: Any, expected: Told
) -> None:
    """Code and reason of the first close frame, whose it was; 1006 where there was none."""

    async def run() -> None:
        async with peer(behave) as url:
            await read(url, closes=closes)

    asyncio.run(run())

    assert told(watched, CHANNEL_RECEIVED) == expected


async def mute_client(url: str, telemetry: Telemetry) -> None:
    """Say something, and then no more, not even a pong."""
    async with client.connect(url) as connection:
        await connection.send(NOTE)
        connection.transport.pause_reading()
        await asyncio.to_thread(told, telemetry, CHANNEL_RECEIVED)
        connection.transport.abort()


async def rude_client(url: str, _: Telemetry) -> None:
    """Say something, and then be gone."""
    async with client.connect(url) as connection:
        await connection.send(NOTE)
        await (await connection.ping())
        connection.transport.abort()


async def polite_client(url: str, _: Telemetry) -> None:
    """Say something, and close with a reason."""
    async with client.connect(url) as connection:
        await connection.send(NOTE)
        await connection.close(4001, "bye")


@pytest.fixture
def under_uvicorn(telemetry: Telemetry) -> Iterator[tuple[Telemetry, str]]:
    """An application of Starlette under the hook, on uvicorn, that reads to the end."""

    async def read(websocket: WebSocket) -> None:
        await websocket.accept()
        async for _ in websocket.iter_text():
            pass

    instrumentor = AsgiInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    application = Starlette(routes=[WebSocketRoute("/", read)])
    config = uvicorn.Config(
        application, port=0, log_config=None, ws_ping_interval=0.2, ws_ping_timeout=0.2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    eventually(lambda: server.started)
    yield telemetry, f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    instrumentor.uninstrument()


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (mute_client, (1011, "keepalive ping timeout", "self")),
        (rude_client, (1006, None, None)),
        (polite_client, (4001, "bye", "peer")),
    ],
)
def test_a_server_of_asgi_is_not_believed_that_all_went_well(
    under_uvicorn: tuple[Telemetry, str], talk: Any, expected: Told
) -> None:
    """Uvicorn says 1005 to its application also of what it has closed, and of what was cut off."""
    telemetry, url = under_uvicorn

    asyncio.run(talk(url, telemetry))

    assert told(telemetry, CHANNEL_RECEIVED) == expected


def test_aiohttps_server_says_who_closed(watched: Telemetry) -> None:
    """As its client does."""

    async def run() -> None:
        async with peer(out_of_order) as url:
            await by_websockets(url, closes=False)

    asyncio.run(run())

    assert told(watched, CHANNEL_SENT) == (1011, "out of order", "self")
