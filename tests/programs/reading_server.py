"""An MCP server of the `mcp` SDK, 1.x or 2.x, behind a middleware that reads each body.

usage: reading_server.py READER PORT [json]

READER is one of `body_readers.READERS`. With `json`, requests are answered with JSON alone. `tell`
tells of its progress, and of the list of tools; `wait` answers after a minute, or another time.
"""

import asyncio
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

import uvicorn

_IS_1: Final = version("mcp").startswith("1.")
_SERVERS: Any = import_module("mcp.server.fastmcp" if _IS_1 else "mcp.server.mcpserver")
_ANSWERS: Final = {"json_response": True} if sys.argv[3:] == ["json"] else {}

server = _SERVERS.FastMCP("adder", **_ANSWERS) if _IS_1 else _SERVERS.MCPServer("adder")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def tell(ctx: Any) -> str:
    """Tell of progress, which belongs to the request, and of a change, which belongs to none."""
    await ctx.report_progress(1, 2)
    await ctx.session.send_tool_list_changed()
    return "told"


async def wait(seconds: float = 60) -> str:
    """Answer after a minute, or another time."""
    await asyncio.sleep(seconds)
    return "waited"


# Its type is that of the SDK that is there, and tells the SDK what to hand in.
tell.__annotations__["ctx"] = _SERVERS.Context
server.add_tool(add)
server.add_tool(tell)
server.add_tool(wait)

if __name__ == "__main__":
    application = server.streamable_http_app(**({} if _IS_1 else _ANSWERS))
    import_module("body_readers").read_bodies(application, sys.argv[1])
    uvicorn.run(application, port=int(sys.argv[2]), log_level="warning")
