"""A client that waits for an answer for a moment only, and then asks for something else.

usage: impatient_client.py TRANSPORT URL

TRANSPORT is `asyncio`, `sync` or `legacy` (websockets), `aiohttp`, or `pipes`; or that of the SDK's
session: `session` with its own timeout, `cancelled` by asyncio, `scope` by anyio, `left` while a
task still waits. For pipes and sessions URL is the program of a server that reads its stdin.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

MOMENT = 0.2
Send = Callable[[str], Awaitable[Any]]
Receive = Callable[[], Awaitable[Any]]


def request(identifier: int, method: str, **params: Any) -> str:
    """Return a request."""
    message = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}
    return json.dumps(message)


FIRST = request(1, "tools/call", name="late", arguments={"name": "nobody"})
SECOND = request(2, "tools/list")


async def ask(send: Send, receive: Receive) -> None:
    """Ask twice; wait for the second answer only."""
    await send(FIRST)
    try:
        await asyncio.wait_for(receive(), MOMENT)
    except TimeoutError:
        await send(SECOND)
        while json.loads(await receive())["id"] != 2:
            pass


async def over_asyncio(url: str) -> None:
    """Ask over `websockets`."""
    from websockets.asyncio.client import connect  # noqa: PLC0415  # one library in each run

    async with connect(url) as connection:
        await ask(connection.send, connection.recv)


async def over_legacy(url: str) -> None:
    """Ask over `websockets` as it was before version 14."""
    from websockets.legacy.client import connect  # noqa: PLC0415  # one library in each run

    async with connect(url) as connection:
        await ask(connection.send, connection.recv)


async def over_aiohttp(url: str) -> None:
    """Ask over aiohttp."""
    from aiohttp import ClientSession  # noqa: PLC0415  # one library in each run

    async with ClientSession() as session, session.ws_connect(url) as socket:
        # It knows its peer once something has crossed.
        await ask(socket.send_str, socket.receive_str)


async def over_pipes(program: str) -> None:
    """Ask a child process."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, program, stdin=pipe, stdout=pipe)
    assert child.stdin is not None
    assert child.stdout is not None
    stdin, stdout = child.stdin, child.stdout

    async def send(text: str) -> None:
        stdin.write(text.encode() + b"\n")
        await stdin.drain()

    await ask(send, stdout.readline)
    stdin.close()
    await child.wait()


async def over_session(program: str) -> None:
    """Ask a child process by the SDK's session."""
    from mcp import McpError  # noqa: PLC0415  # one library in each run

    async with opened(program) as session:
        moment = timedelta(seconds=MOMENT)
        try:
            await session.call_tool("late", {"name": "nobody"}, read_timeout_seconds=moment)
        except McpError:
            # Of that server's answers none has what the SDK wants.
            with suppress(ValueError):
                await session.list_tools()


async def over_cancelled(program: str) -> None:
    """Ask by the SDK's session, and cancel the task that asks."""
    async with opened(program) as session:
        try:
            await asyncio.wait_for(session.call_tool("late", {"name": "nobody"}), MOMENT)
        except TimeoutError:
            with suppress(ValueError):
                await session.list_tools()


async def over_scope(program: str) -> None:
    """Ask by the SDK's session, within a time that anyio keeps."""
    from anyio import move_on_after  # noqa: PLC0415  # it comes with the SDK

    async with opened(program) as session:
        with move_on_after(MOMENT) as scope:
            await session.call_tool("late", {"name": "nobody"})
        assert scope.cancelled_caught
        with suppress(ValueError):
            await session.list_tools()


async def over_left(program: str) -> None:
    """Ask by the SDK's session, and leave it while a task still waits."""
    async with opened(program) as session:
        asking = asyncio.create_task(session.call_tool("late", {"name": "nobody"}))
        await asyncio.sleep(MOMENT)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking


@asynccontextmanager
async def opened(program: str) -> AsyncIterator[Any]:
    """Open the SDK's session with a child process."""
    from mcp import ClientSession, StdioServerParameters, stdio_client  # noqa: PLC0415

    parameters = StdioServerParameters(command=sys.executable, args=[program])
    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        yield session


def over_sync(url: str) -> None:
    """Ask over `websockets` without asyncio."""
    from websockets.sync.client import connect  # noqa: PLC0415  # one library in each run

    with connect(url) as connection:
        connection.send(FIRST)
        try:
            connection.recv(timeout=MOMENT)
        except TimeoutError:
            connection.send(SECOND)
            while json.loads(connection.recv())["id"] != 2:
                pass


if __name__ == "__main__":
    transport, target = sys.argv[1:]
    if transport == "sync":
        over_sync(target)
    else:
        asyncio.run(globals()[f"over_{transport}"](target))
