"""A hand-written MCP backend on a WebSocket, with the manners of one found in the field.

usage: websocket_backend.py MANNERS PORT

Each of MANNERS behaves on the wire as one real backend did: what it says in `initialize`, and how
it (wrongly) answers `notifications/initialized`. It knows nothing of relayscope.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

Json = dict[str, Any]


@dataclass(frozen=True)
class Manners:
    """How a backend differs from the specification."""

    tool: str
    initialize_result: Json
    answer_to_notification: Json | None


_CORRECT: Json = {
    "protocolVersion": "2024-11-05",
    "capabilities": {"tools": {}},
}

MANNERS = {
    # Answers a notification with an error that has no id at all.
    "gates": Manners(
        tool="gates_create_document",
        initialize_result=_CORRECT | {"serverInfo": {"name": "gates", "version": "1.0"}},
        answer_to_notification={"error": {"code": -32603, "message": "Unknown method"}},
    ),
    # Answers a notification with an error whose id is null.
    "dewey": Manners(
        tool="dewey_search",
        initialize_result=_CORRECT | {"serverInfo": {"name": "dewey-mcp-server", "version": "1"}},
        answer_to_notification={
            "error": {"code": -32601, "message": "Method not found"},
            "id": None,
        },
    ),
    # Leaves out protocolVersion and serverInfo, and has its capabilities in a list.
    "playfair": Manners(
        tool="playfair_diagram",
        initialize_result={"capabilities": ["tools"]},
        answer_to_notification={"error": {"code": -32601, "message": "Method not found"}},
    ),
}


def answer(manners: Manners, request: Json) -> Json | None:
    """Return the answer to one request, or None where there is none."""
    head = {"jsonrpc": "2.0", "id": request.get("id")}
    match request.get("method"):
        case "initialize":
            return {**head, "result": manners.initialize_result}
        case "notifications/initialized":
            wrong = manners.answer_to_notification
            return None if wrong is None else {"jsonrpc": "2.0", **wrong}
        case "tools/list":
            schema = {"type": "object"}
            return {**head, "result": {"tools": [{"name": manners.tool, "inputSchema": schema}]}}
        case "tools/call":
            arguments = request["params"].get("arguments", {})
            text = f"{manners.tool} was given {', '.join(sorted(arguments)) or 'nothing'}"
            return {**head, "result": {"content": [{"type": "text", "text": text}]}}
        case method:
            error = {"code": -32601, "message": f"Method not found: {method}"}
            return {**head, "error": error}


async def main() -> None:
    """Serve until killed."""
    manners = MANNERS[sys.argv[1]]

    async def handle(connection: ServerConnection) -> None:
        async for text in connection:
            reply = answer(manners, json.loads(text))
            if reply is not None:
                await connection.send(json.dumps(reply))

    async with serve(handle, "127.0.0.1", int(sys.argv[2])) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on {port}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
