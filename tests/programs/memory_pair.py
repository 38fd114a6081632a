"""A client and its server in one process, which talk in memory.

usage: memory_pair.py (sdk1 | sdk2 | fastmcp)

Calls tools that answer, notify, fail, and take too long; prints what came of it.
"""

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from importlib import import_module
from typing import Any


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def sleep() -> str:
    """Take longer than anybody waits."""
    await asyncio.sleep(30)
    return "late"


def paired(kind: str) -> tuple[AbstractAsyncContextManager[Any], dict[str, Any]]:
    """Return a session with a server that has the tools, and what limits a call to 0.3 s."""
    if kind == "fastmcp":
        fastmcp: Any = import_module("fastmcp")
        server = fastmcp.FastMCP("memory")
        limit: dict[str, Any] = {"timeout": 0.3}
        opened = fastmcp.Client(server)
    elif kind == "sdk2":
        server = import_module("mcp.server").MCPServer("memory")
        limit = {"read_timeout_seconds": 0.3}
        opened = import_module("mcp").Client(server)
    else:
        server = import_module("mcp.server.fastmcp").FastMCP("memory")
        limit = {"read_timeout_seconds": timedelta(seconds=0.3)}
        memory: Any = import_module("mcp.shared.memory")
        opened = memory.create_connected_server_and_client_session(server._mcp_server)  # noqa: SLF001  # as the SDK's own tests
    for tool in (add, sleep):
        server.tool()(tool)
    return opened, limit


async def call(session: Any, name: str, arguments: dict[str, Any], **limit: Any) -> str:
    """Call a tool; return what a person would be told."""
    try:
        answer = await session.call_tool(name, arguments, **limit)
    except Exception as error:  # noqa: BLE001  # each kind has its own
        return f"{name}: {type(error).__name__}"
    return f"{name}: {answer.content[0].text[:20]!r}"


async def main() -> None:
    """Open a session and call the tools."""
    opened, limit = paired(sys.argv[1])
    async with opened as session:
        print(await call(session, "add", {"a": 1, "b": 2}))
        print(await call(session, "add", {"a": "one"}))
        print(await call(session, "sleep", {}, **limit))
        together = [call(session, "add", {"a": number, "b": 1}) for number in range(5)]
        print(*await asyncio.gather(*together))


if __name__ == "__main__":
    asyncio.run(main())
