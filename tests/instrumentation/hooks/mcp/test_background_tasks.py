"""Promises about tasks that a tool of FastMCP starts, and that outlive the call."""

import asyncio
from typing import Any

from fastmcp import Client, FastMCP

from tests.fix_telemetry import Telemetry

CALLS = 3


def test_a_pool_that_the_first_call_has_started_works_for_those_after_it(
    watched: Telemetry,
) -> None:
    """FastMCP puts a copy of a call's span in its place, which never ends."""
    asyncio.run(_call_gateway())

    traces = [_trace_of(each) for each in watched.spans if each.name == "tools/call search"]
    asked = [_trace_of(each) for each in watched.spans if each.name == "tools/call add"]
    assert len(set(traces)) == CALLS
    assert sorted(asked) == sorted(traces)


def _trace_of(span: Any) -> int:
    return int(span.context.trace_id)


async def _call_gateway() -> None:
    """Call a tool several times that a worker, which the first call starts, asks a backend for."""
    backend, gateway = FastMCP("backend"), FastMCP("gateway")
    jobs: asyncio.Queue[tuple[int, asyncio.Future[int]]] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    @backend.tool
    def add(number: int) -> int:
        return number + 1

    async def work() -> None:
        async with Client(backend) as client:
            while True:
                number, answer = await jobs.get()
                answer.set_result((await client.call_tool("add", {"number": number})).data)

    @gateway.tool
    async def search(number: int) -> int:
        if not workers:
            workers.append(asyncio.create_task(work()))
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        await jobs.put((number, answer))
        return await answer

    async with Client(gateway) as client:
        for number in range(CALLS):
            result = await client.call_tool("search", {"number": number})
            assert result.data == number + 1
    workers[0].cancel()
