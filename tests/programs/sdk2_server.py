"""An MCP server written with the `mcp` SDK 2.x: one tool that adds.

usage: sdk2_server.py [PORT]

Serves stdio, or streamable HTTP on a port of the loopback interface.
"""

import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("adder")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run()
