"""An MCP server of the `mcp` SDK, 1.x or 2.x, behind a middleware that reads each body.

usage: reading_server.py READER PORT

READER is one of `body_readers.READERS`.
"""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

import uvicorn


def new_server() -> Any:
    """Return an MCP server of the SDK that is there."""
    if version("mcp").startswith("1."):
        return import_module("mcp.server.fastmcp").FastMCP("adder")
    return import_module("mcp.server.mcpserver").MCPServer("adder")


server = new_server()


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


server.add_tool(add)

if __name__ == "__main__":
    application = server.streamable_http_app()
    import_module("body_readers").read_bodies(application, sys.argv[1])
    uvicorn.run(application, port=int(sys.argv[2]), log_level="warning")
