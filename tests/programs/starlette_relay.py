"""A relay that serves a WebSocket with Starlette and connects to its backend with `websockets`.

usage: starlette_relay.py PORT URL
"""

import asyncio
import sys
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect


async def relay(client: WebSocket) -> None:
    """Relay one connection until either side ends."""
    await client.accept()
    async with connect(sys.argv[2], max_size=None, proxy=None) as backend:

        async def forth() -> None:
            with suppress(WebSocketDisconnect):
                async for text in client.iter_text():
                    await backend.send(text)

        async def back() -> None:
            async for text in backend:
                await client.send_text(text if isinstance(text, str) else text.decode())

        tasks = [asyncio.create_task(forth()), asyncio.create_task(back())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    application = Starlette(routes=[WebSocketRoute("/", relay)])
    port = int(sys.argv[1])
    uvicorn.run(
        application, host="127.0.0.1", port=port, log_level="warning", ws_max_size=10_000_000
    )
