"""An MCP server written with the `mcp` SDK: stdio, one tool that adds.

ANYIO_BACKEND may name another event loop than asyncio's.
"""

import os

import anyio
from mcp.server.fastmcp import FastMCP

server = FastMCP("adder")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    anyio.run(server.run_stdio_async, backend=os.environ.get("ANYIO_BACKEND", "asyncio"))
