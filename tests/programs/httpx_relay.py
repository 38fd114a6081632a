"""A relay from stdio to streamable HTTP with httpx: what people write to reach a remote server.

usage: httpx_relay.py URL
"""

import asyncio
import sys

import httpx

HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


def say(text: str) -> None:
    """Write one line to the client."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def forward(client: httpx.AsyncClient, text: str) -> None:
    """Post one message and pass on everything that comes of it."""
    async with client.stream("POST", sys.argv[1], content=text.encode()) as response:
        if session := response.headers.get("mcp-session-id"):
            client.headers["mcp-session-id"] = session
        if "text/event-stream" in response.headers.get("content-type", ""):
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    say(line.removeprefix("data:").strip())
        elif body := await response.aread():
            say(body.decode())


async def main() -> None:
    """Relay until the client closes its end."""
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real file
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real file
    loop = asyncio.get_running_loop()
    async with (
        httpx.AsyncClient(headers=HEADERS, timeout=60, trust_env=False) as client,
        asyncio.TaskGroup() as tasks,
    ):
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            tasks.create_task(forward(client, line.strip()))


if __name__ == "__main__":
    asyncio.run(main())
