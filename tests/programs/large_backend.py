"""A WebSocket backend that greets whoever comes with a very large message.

usage: large_backend.py text|binary|fragments MEGABYTES PORT
"""

import asyncio
import sys
from collections.abc import Iterator

from websockets.asyncio.server import ServerConnection, serve

PING = '{"jsonrpc":"2.0","id":1,"method":"notifications/initialized","params":{}}'


def message() -> Iterator[str]:
    """The message, in pieces."""
    yield '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"arguments":["'
    for _ in range(int(sys.argv[2])):
        yield "x" * 1_000_000
    yield '"]}}'


async def greet(connection: ServerConnection) -> None:
    """Say what is to be said, and go."""
    await connection.send(PING)
    match sys.argv[1]:
        case "text":
            await connection.send("".join(message()))
        case "binary":
            await connection.send("".join(message()).encode())
        case _:
            await connection.send(message())


async def main() -> None:
    """Serve until killed."""
    async with serve(
        greet, "127.0.0.1", int(sys.argv[3]), compression=None, ping_interval=None
    ) as server:
        print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
