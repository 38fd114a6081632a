"""An MCP server written with the `mcp` SDK 2.x: a tool that adds, and two for those who leave.

usage: sdk2_server.py [PORT]

Serves stdio, or streamable HTTP on a port of the loopback interface.
"""

import sys

import anyio
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("adder")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def touch(context: Context) -> str:
    """Tell those who listen that the tools have changed."""
    await context.notify_tools_changed()
    return "touched"


@server.tool()
async def wait(context: Context) -> None:
    """Say that it has begun, and never end."""
    await context.report_progress(0)
    await anyio.sleep_forever()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run()
