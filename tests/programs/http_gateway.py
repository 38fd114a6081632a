"""A gateway between streamable HTTP and streamable HTTP, in two workers of a server.

usage: http_gateway.py (uvicorn | gunicorn) (aiohttp | requests) PORT URL

With requests it posts from threads. It passes on what comes as it comes.
"""

import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import requests
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

BACKEND = "GATEWAY_BACKEND"
"""Environment variable that tells the workers where to post."""

TIMEOUT = 60


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that concern both legs."""
    names = ("accept", "content-type", "mcp-session-id")
    return {name: headers[name] for name in names if name in headers}


async def post_with_aiohttp(request: Request) -> Response:
    """Post, and begin to answer when the answer begins."""
    body = await request.body()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT))
        )
        posting = session.post(os.environ[BACKEND], data=body, headers=passed_on(request.headers))
        response = await stack.enter_async_context(posting)
        open_ones = stack.pop_all()

    async def pieces() -> AsyncIterator[bytes]:
        async with open_ones:
            async for piece in response.content.iter_any():
                yield piece

    return StreamingResponse(pieces(), response.status, passed_on(response.headers))


async def post_with_requests(request: Request) -> Response:
    """Post in a thread, and read the answer there."""
    body = await request.body()

    def post() -> requests.Response:
        headers = passed_on(request.headers)
        return requests.post(
            os.environ[BACKEND], data=body, headers=headers, stream=True, timeout=TIMEOUT
        )

    response = await run_in_threadpool(post)

    def pieces() -> Iterator[bytes]:
        with response:
            yield from response.iter_content(chunk_size=None)

    return StreamingResponse(pieces(), response.status_code, passed_on(response.headers))


def serve_with_gunicorn(application: str, port: str) -> None:
    """Do as the command `gunicorn` does, which forks its workers."""
    from gunicorn.app import wsgiapp  # noqa: PLC0415  # brings much along

    options = [
        f"--bind=127.0.0.1:{port}",
        "--workers=2",
        "--graceful-timeout=3",
        f"--chdir={Path(__file__).parent}",
    ]
    sys.argv = ["gunicorn", *options, "--worker-class=uvicorn_worker.UvicornWorker", application]
    wsgiapp.run()


with_aiohttp = Starlette(routes=[Route("/mcp", post_with_aiohttp, methods=["POST"])])
with_requests = Starlette(routes=[Route("/mcp", post_with_requests, methods=["POST"])])

if __name__ == "__main__":
    _, server, client, port, os.environ[BACKEND] = sys.argv
    name = f"http_gateway:with_{client}"
    if server == "gunicorn":
        serve_with_gunicorn(name, port)
    else:
        # It starts its workers as new interpreters.
        uvicorn.run(name, host="127.0.0.1", port=int(port), workers=2, log_level="warning")
