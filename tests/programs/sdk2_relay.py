"""A relay made of the `mcp` SDK's sessions, 2.x: one with the client, one with the backend.

usage: sdk2_relay.py COMMAND ...

It serves stdio and starts the backend, forwards tool calls, and what the backend asks and says.
"""

import asyncio
import os
import sys
from typing import Any

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.server import Server
from mcp.server.stdio import stdio_server


async def main() -> None:
    """Relay until the client closes its end."""
    clients: list[Any] = []

    async def sample(context: Any, params: Any) -> Any:
        return await clients[0].create_message(params.messages, max_tokens=params.max_tokens)

    async def log(params: Any) -> None:
        await clients[0].send_log_message(params.level, params.data)

    async def list_tools(context: Any, params: Any) -> Any:
        clients[:] = [context.session]
        return await backend.list_tools()

    async def call_tool(context: Any, params: Any) -> Any:
        clients[:] = [context.session]
        return await backend.send_request(
            types.CallToolRequest(params=params), types.CallToolResult
        )

    command, *arguments = sys.argv[1:]
    parameters = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
    async with (
        stdio_client(parameters) as (read, write),
        ClientSession(read, write, sampling_callback=sample, logging_callback=log) as backend,
    ):
        await backend.initialize()
        server = Server("relay", on_list_tools=list_tools, on_call_tool=call_tool)
        async with stdio_server() as (client_read, client_write):
            await server.run(client_read, client_write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
