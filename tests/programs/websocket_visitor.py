"""An MCP client that says the same things to one backend after the other.

usage: websocket_visitor.py URL=TOOL ...

It takes whatever comes, asked for or not, and knows nothing of relayscope.
"""

import asyncio
import json
import sys
from typing import Any

from websockets.asyncio.client import connect

Json = dict[str, Any]

PATIENCE_SECONDS = 0.1


def messages(tool: str) -> list[Json]:
    """Return the messages for a backend, in this order."""
    hello = {
        "protocolVersion": "2024-11-05",
        "capabilities": {},
        "clientInfo": {"name": "visitor", "version": "1.0"},
    }
    return [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list", "params": {}},
        {"id": 3, "method": "tools/list", "params": {}},
        {"id": 4, "method": "tools/call", "params": {"name": tool, "arguments": {"a": 1}}},
        {"id": 5, "method": "tools/call", "params": {"name": tool, "arguments": {"fail": 1}}},
        {"id": 6, "method": tool, "params": {}},
        {"id": 7, "method": "resources/list", "params": {}},
    ]


async def main() -> None:
    """Visit all."""
    for argument in sys.argv[1:]:
        url, _, tool = argument.partition("=")
        async with connect(url) as connection:
            for message in messages(tool):
                await connection.send(json.dumps({"jsonrpc": "2.0", **message}))
                try:
                    while True:
                        await asyncio.wait_for(connection.recv(), PATIENCE_SECONDS)
                except TimeoutError:
                    continue


if __name__ == "__main__":
    asyncio.run(main())
