"""A relay whose sessions with its backend are a pool, made of the `mcp` SDK 1.x.

usage: pooled_relay.py SESSIONS COMMAND ...

Each session is owned by a task, as they cannot be used from any: the task is started within the
first call, and does what is queued, one after the other.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

sdk_relay: Any = import_module("sdk_relay")


class Pool:
    """Sends requests over whichever session is free."""

    def __init__(self, relay: Any, sessions: int, command: list[str]) -> None:
        self._relay = relay
        self._sessions = sessions
        self._command = command
        self._owners: list[asyncio.Task[None]] = []
        self._jobs: asyncio.Queue[Any] = asyncio.Queue()

    async def send_request(self, *request: Any, **options: Any) -> Any:
        """Have a request sent; return its result."""
        if not self._owners:
            self._owners = [asyncio.create_task(self._own()) for _ in range(self._sessions)]
        answer = asyncio.get_running_loop().create_future()
        await self._jobs.put((answer, request, options))
        return await answer

    async def _own(self) -> None:
        async with AsyncExitStack() as stack:
            opening = sdk_relay.open_backend(self._command)
            streams = await stack.enter_async_context(opening)
            session = await stack.enter_async_context(self._relay.session(*streams))
            while True:
                answer, request, options = await self._jobs.get()
                try:
                    answer.set_result(await session.send_request(*request, **options))
                except Exception as error:  # noqa: BLE001  # it is the client's
                    answer.set_exception(error)

    async def close(self) -> None:
        """Close the sessions."""
        for owner in self._owners:
            owner.cancel()
        await asyncio.gather(*self._owners, return_exceptions=True)


async def main() -> None:
    """Relay until the client closes its end."""
    sessions, *command = sys.argv[1:]
    relay = sdk_relay.Relay()
    relay.backend = Pool(relay, int(sessions), command)
    await relay.serve_stdio()
    await relay.backend.close()


if __name__ == "__main__":
    asyncio.run(main())
