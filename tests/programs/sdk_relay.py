"""A relay made of the `mcp` SDK's sessions, 1.x: one with the client, one with the backend.

usage: sdk_relay.py COMMAND ...

It serves stdio and starts the backend, forwards tool calls, and what the backend asks and says.
"""

import asyncio
import os
import sys
from typing import Any

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from mcp.server.stdio import stdio_server


class Relay:
    """What is said on one side, said on the other."""

    def __init__(self, backend: ClientSession) -> None:
        self._backend = backend
        self.client: ServerSession | None = None
        self.server: Server[Any, Any] = Server("relay")
        self.server.request_handlers[types.ListToolsRequest] = self.list_tools
        self.server.request_handlers[types.CallToolRequest] = self.call_tool

    async def list_tools(self, _: types.ListToolsRequest) -> types.ServerResult:
        """Ask the backend for its tools."""
        self.client = self.server.request_context.session
        return types.ServerResult(await self._backend.list_tools())

    async def call_tool(self, request: types.CallToolRequest) -> types.ServerResult:
        """Call the backend's tool."""
        result = await self._backend.send_request(
            types.ClientRequest(types.CallToolRequest(params=request.params)), types.CallToolResult
        )
        return types.ServerResult(result)


async def main() -> None:
    """Relay until the client closes its end."""
    relays: list[Relay] = []

    async def sample(
        context: Any, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult | types.CreateMessageResultWithTools | types.ErrorData:
        client = relays[0].client
        assert client is not None
        return await client.create_message(params.messages, max_tokens=params.maxTokens)

    async def log(params: types.LoggingMessageNotificationParams) -> None:
        client = relays[0].client
        assert client is not None
        await client.send_log_message(params.level, params.data)

    command, *arguments = sys.argv[1:]
    parameters = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
    async with (
        stdio_client(parameters) as (read, write),
        ClientSession(read, write, sampling_callback=sample, logging_callback=log) as backend,
    ):
        await backend.initialize()
        # It checks a result against the tool's schema, which it would ask for in the middle.
        await backend.list_tools()
        relays.append(Relay(backend))
        server = relays[0].server
        async with stdio_server() as (client_read, client_write):
            await server.run(client_read, client_write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
