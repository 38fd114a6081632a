"""A hand-written MCP relay: stdio to its client, a WebSocket to each backend.

usage: websocket_relay.py NAME=URL ...

Written as people write them: ids always 1, 2, 3, and one `recv()` after each `send()`. It waits a
moment after `notifications/initialized`, because some backends answer it. It knows nothing of
relayscope.
"""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

Json = dict[str, Any]

ILLEGAL_REPLY_SECONDS = 0.3


class Backend:
    """One backend, by its configured name and URL."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url
        self._connection: ClientConnection | None = None
        self.tools: list[Json] = []

    async def discover(self) -> None:
        """Connect, shake hands, and ask for the tools."""
        self._connection = await connect(self._url)
        hello = {
            "protocolVersion": "2024-11-05",
            "capabilities": {},
            "clientInfo": {"name": "relay", "version": "1.0"},
        }
        await self.request(1, "initialize", hello)
        await self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._connection.recv(), ILLEGAL_REPLY_SECONDS)
        self.tools = (await self.request(2, "tools/list", {}))["result"]["tools"]

    async def request(self, identifier: int, method: str, params: Json) -> Json:
        """Send a request and take whatever comes next as its answer."""
        await self._send({"jsonrpc": "2.0", "id": identifier, "method": method, "params": params})
        assert self._connection is not None
        answer: Json = json.loads(await self._connection.recv())
        return answer

    async def _send(self, message: Json) -> None:
        assert self._connection is not None
        await self._connection.send(json.dumps(message))


class Relay:
    """Answers the client from what the backends say."""

    def __init__(self, backends: list[Backend]) -> None:
        self._backends = backends

    async def answer(self, request: Json) -> Json | None:
        """Return the answer to one message of the client."""
        head = {"jsonrpc": "2.0", "id": request.get("id")}
        match request.get("method"):
            case "initialize":
                await self._discover()
                result = {
                    "protocolVersion": "2024-11-05",
                    "capabilities": {"tools": {"listChanged": True}},
                    "serverInfo": {"name": "relay", "version": "1.0"},
                }
                return {**head, "result": result}
            case "tools/list":
                tools = [tool for backend in self._backends for tool in backend.tools]
                return {**head, "result": {"tools": tools}}
            case "tools/call":
                return {**head, **await self._call(request["params"])}
            case "notifications/initialized":
                return None
            case method:
                return {**head, "error": {"code": -32601, "message": f"Unknown method: {method}"}}

    async def _discover(self) -> None:
        for backend in self._backends:
            try:
                await backend.discover()
            except (OSError, websockets.WebSocketException) as error:
                print(f"backend {backend.name}: {error}", file=sys.stderr)

    async def _call(self, params: Json) -> Json:
        for backend in self._backends:
            if any(tool["name"] == params["name"] for tool in backend.tools):
                answer = await backend.request(3, "tools/call", params)
                return {key: answer[key] for key in ("result", "error") if key in answer}
        return {"error": {"code": -32603, "message": f"Unknown tool: {params['name']}"}}


async def main() -> None:
    """Relay until the client closes its end."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, sys.stdout
    )
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    relay = Relay([Backend(*argument.split("=", 1)) for argument in sys.argv[1:]])
    while line := await reader.readline():
        answer = await relay.answer(json.loads(line))
        if answer is not None:
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()


if __name__ == "__main__":
    asyncio.run(main())
