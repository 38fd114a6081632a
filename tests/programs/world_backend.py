"""A hand-written MCP backend on a WebSocket, with one fault that is hard to see from outside.

usage: world_backend.py FAULT PORT

FAULT is its tool's name too: `works`; `string_id` answers with the id as a string; `object_content`
gives `content` as an object; `swallows` answers nine of ten calls; `late` answers after a second;
`behind` answers a call when the next request has come.
"""

import asyncio
import itertools
import json
import sys
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

FAULT = sys.argv[1]
LATE_SECONDS = 1.0
HELLO = {
    "protocolVersion": "2024-11-05",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": FAULT, "version": "1.0"},
}
CALLS = itertools.count(1)


async def call(arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Return the tool's result, or nothing."""
    content: Any = [{"type": "text", "text": f"{FAULT} says hello to {arguments['name']}"}]
    if FAULT == "object_content":
        content = content[0]
    if FAULT == "swallows" and next(CALLS) % 10 == 0:
        return None
    if FAULT == "late":
        await asyncio.sleep(LATE_SECONDS)
    return {"content": content}


async def handle(connection: ServerConnection) -> None:
    """Serve one connection."""
    held: list[str] = []
    async for text in connection:
        message = json.loads(text)
        method, identifier = message["method"], message.get("id")
        if method == "initialize":
            result: dict[str, Any] | None = HELLO
        elif method == "tools/list":
            result = {"tools": [{"name": FAULT, "inputSchema": {"type": "object"}}]}
        elif method == "tools/call":
            result = await call(message["params"]["arguments"])
            if FAULT == "string_id":
                identifier = str(identifier)
        else:
            continue
        if result is not None:
            held.append(json.dumps({"jsonrpc": "2.0", "id": identifier, "result": result}))
            if FAULT == "behind" and method == "tools/call":
                continue
            for answer in held:
                await connection.send(answer)
            held.clear()


async def main() -> None:
    """Serve until killed."""
    async with serve(handle, "127.0.0.1", int(sys.argv[2])) as server:
        print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
