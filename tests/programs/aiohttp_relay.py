"""A relay that serves a WebSocket and connects to its backend with aiohttp.

usage: aiohttp_relay.py PORT URL
"""

import asyncio
import sys

from aiohttp import ClientSession, ClientWebSocketResponse, web

Side = web.WebSocketResponse | ClientWebSocketResponse


async def pump(source: Side, target: Side) -> None:
    """Pass on what is received."""
    async for message in source:
        await target.send_str(message.data)


async def relay(request: web.Request) -> web.WebSocketResponse:
    """Relay one connection until either side ends."""
    client = web.WebSocketResponse(max_msg_size=0)
    await client.prepare(request)
    async with (
        ClientSession() as session,
        session.ws_connect(sys.argv[2], max_msg_size=0) as backend,
    ):
        tasks = [
            asyncio.create_task(pump(client, backend)),
            asyncio.create_task(pump(backend, client)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
    return client


if __name__ == "__main__":
    application = web.Application()
    application.add_routes([web.get("/", relay)])
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
