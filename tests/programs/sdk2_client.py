"""An MCP client written with the `mcp` SDK 2.x.

usage: sdk2_client.py (URL | COMMAND ...)

Adds two numbers, and then two things that are none; prints what came of it.
"""

import asyncio
import os
import sys

from mcp import Client, StdioServerParameters


async def main() -> None:
    """Open a session and call the tool."""
    target, *arguments = sys.argv[1:]
    server = (
        target
        if target.startswith("http")
        else StdioServerParameters(command=target, args=arguments, env=dict(os.environ))
    )
    async with Client(server) as client:
        good = await client.call_tool("add", {"a": 1, "b": 2})
        bad = await client.call_tool("add", {"a": "one"})
    print(good.content[0].text, bad.is_error)


if __name__ == "__main__":
    asyncio.run(main())
