"""A WebSocket backend that answers `notifications/initialized`, which it must not, and late.

usage: late_backend.py SECONDS PORT
"""

import asyncio
import json
import sys

from websockets.asyncio.server import ServerConnection, serve


async def handle(connection: ServerConnection) -> None:
    """Serve one connection."""
    async for text in connection:
        request = json.loads(text)
        head = {"jsonrpc": "2.0", "id": request.get("id")}
        match request["method"]:
            case "notifications/initialized":
                await asyncio.sleep(float(sys.argv[1]))
                error = {"code": -32601, "message": "Method not found"}
                await connection.send(json.dumps({"jsonrpc": "2.0", "error": error}))
            case "tools/list":
                tool = {"name": "late_tool", "inputSchema": {"type": "object"}}
                await connection.send(json.dumps({**head, "result": {"tools": [tool]}}))
            case _:
                result = {"protocolVersion": "2024-11-05", "capabilities": {}}
                await connection.send(json.dumps({**head, "result": result}))


async def main() -> None:
    """Serve until killed."""
    async with serve(handle, "127.0.0.1", int(sys.argv[2])) as server:
        print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
