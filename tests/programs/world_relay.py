"""A hand-written MCP relay as a new user has one: stdio to its client, a WebSocket to each backend.

usage: world_relay.py URL ...

It waits for half a second, skips what is not the answer to its own request, and tells its client of
everything else in as few words as it can.
"""

import asyncio
import itertools
import json
import sys
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

Json = dict[str, Any]

PATIENCE_SECONDS = 0.5
IDS = itertools.count(1)


async def ask(backend: ClientConnection, method: str, params: Json) -> Json:
    """Send a request and return its result."""
    identifier = next(IDS)
    request = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}
    await backend.send(json.dumps(request))
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while True:
        text = await asyncio.wait_for(backend.recv(), deadline - loop.time())
        answer = json.loads(text)
        if answer.get("id") == identifier:
            result: Json = answer["result"]
            return result


class Relay:
    """Answers its client from what the backends say."""

    def __init__(self, urls: list[str]) -> None:
        self.urls = urls
        self.by_tool: dict[str, ClientConnection] = {}
        self.tools: list[Json] = []

    async def start(self) -> None:
        """Connect to all backends and learn their tools."""
        for url in self.urls:
            backend = await connect(url)
            await ask(backend, "initialize", {"protocolVersion": "2024-11-05", "capabilities": {}})
            await backend.send('{"jsonrpc": "2.0", "method": "notifications/initialized"}')
            for tool in (await ask(backend, "tools/list", {}))["tools"]:
                self.tools.append(tool)
                self.by_tool[tool["name"]] = backend

    async def result(self, method: str, params: Json) -> Json:
        """Return the result of a request."""
        if method == "initialize":
            await self.start()
            return {
                "protocolVersion": "2024-11-05",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "relay", "version": "1.0"},
            }
        if method == "tools/list":
            return {"tools": self.tools}
        result = await ask(self.by_tool[params["name"]], method, params)
        # All text in one piece is easier on the client.
        text = "\n".join(item["text"] for item in result["content"])
        return {"content": [{"type": "text", "text": text}]}

    async def answer(self, request: Json) -> Json | None:
        """Return the answer to one message, if it is a request."""
        if "id" not in request:
            return None
        head = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            return {**head, "result": await self.result(request["method"], request["params"] or {})}
        except Exception:  # noqa: BLE001  # as people write it
            return {**head, "error": {"code": -32603, "message": "tool failed"}}


async def main() -> None:
    """Relay until the client closes its end."""
    relay = Relay(sys.argv[1:])
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        answer = await relay.answer({"params": None, **request})
        if answer is not None:
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
