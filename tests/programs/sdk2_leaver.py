"""An MCP client written with the `mcp` SDK 2.x that leaves before it is answered.

usage: sdk2_leaver.py (2026-07-28 | legacy) (URL | COMMAND ...)

Where the protocol has subscriptions, listens until something changes. Then cancels a call that has
begun, makes another one, and prints what came of that.
"""

import asyncio
import os
import sys

import anyio
from mcp import Client, StdioServerParameters


async def main() -> None:
    """Leave twice."""
    mode, target, *arguments = sys.argv[1:]
    server = (
        target
        if target.startswith("http")
        else StdioServerParameters(command=target, args=arguments, env=dict(os.environ))
    )
    async with Client(server, mode=mode) as client:
        if mode == "2026-07-28":
            async with client.listen(tools_list_changed=True) as heard:
                await client.call_tool("touch", {})
                await anext(aiter(heard))
        with anyio.CancelScope() as scope:

            async def cancel(*_: object) -> None:
                scope.cancel()

            await client.call_tool("wait", {}, progress_callback=cancel)
        print((await client.call_tool("add", {"a": 1, "b": 2})).content[0].text)


if __name__ == "__main__":
    asyncio.run(main())
