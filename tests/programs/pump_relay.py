"""A relay that pumps the `mcp` SDK's raw streams, without a session on either side.

usage: pump_relay.py COMMAND ...
"""

import asyncio
import os
import sys
from typing import Any

import anyio
from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.server.stdio import stdio_server


async def pump(read: Any, write: Any) -> None:
    """Pass on what is read."""
    async with write:
        async for message in read:
            if not isinstance(message, Exception):
                await write.send(message)


async def main() -> None:
    """Relay until the client closes its end."""
    command, *arguments = sys.argv[1:]
    parameters = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
    async with (
        stdio_server() as (client_read, client_write),
        stdio_client(parameters) as (backend_read, backend_write),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(pump, backend_read, client_write)
        await pump(client_read, backend_write)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    asyncio.run(main())
