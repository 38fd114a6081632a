"""An MCP client: a session of the `mcp` SDK that lists the tools and calls some.

usage: client.py CALLS (--http URL | --sse URL | --stdio COMMAND ...)

CALLS is a JSON list of `[tool, arguments]`. Prints one JSON object: the names of the tools, and
for each call the text of its result or its error. ANYIO_BACKEND may name another event loop than
asyncio's.
"""

import json
import os
import sys
from contextlib import AsyncExitStack
from typing import Any

import anyio
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent


async def open_session(stack: AsyncExitStack, transport: str, target: list[str]) -> ClientSession:
    """Open a session over `--http URL`, `--sse URL` or `--stdio COMMAND ...`."""
    if transport == "--http":
        streams = await stack.enter_async_context(streamable_http_client(target[0]))
        read, write = streams[0], streams[1]
    elif transport == "--sse":
        read, write = await stack.enter_async_context(sse_client(target[0]))
    else:
        command, *arguments = target
        server = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
        read, write = await stack.enter_async_context(stdio_client(server))
    return await stack.enter_async_context(ClientSession(read, write))


async def call(session: ClientSession, tool: str, arguments: dict[str, Any]) -> str:
    """Call a tool and return what came of it as text."""
    try:
        result = await session.call_tool(tool, arguments)
    except McpError as error:
        return f"error {error.error.code}: {error.error.message}"
    return "".join(part.text for part in result.content if isinstance(part, TextContent))


async def main() -> None:
    """Open a session, do the calls, print what came of them."""
    calls, transport, *target = sys.argv[1:]
    async with AsyncExitStack() as stack:
        session = await open_session(stack, transport, target)
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        answers = [await call(session, tool, arguments) for tool, arguments in json.loads(calls)]
    print(json.dumps({"tools": tools, "answers": answers}))


if __name__ == "__main__":
    anyio.run(main, backend=os.environ.get("ANYIO_BACKEND", "asyncio"))
