"""Promises about the hook for httpx: streams from server to client."""

import asyncio
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from opentelemetry.trace import SpanKind
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from relayscope.instrumentation.hooks.http.httpx import HttpxInstrumentor
from tests.fix_programs import eventually
from tests.fix_telemetry import Telemetry

SAMPLING = '{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}'
EVENTS = f"event: endpoint\ndata: /post\n\ndata: {SAMPLING}\n\n"


async def stream(_: Request) -> Response:
    """Say unasked where to post, and a message."""
    return StreamingResponse(iter([EVENTS[:50], EVENTS[50:]]), media_type="text/event-stream")


async def page(_: Request) -> Response:
    """Say something else."""
    return Response(SAMPLING, media_type="application/json")


@pytest.fixture
def served(telemetry: Telemetry) -> Iterator[tuple[Telemetry, str]]:
    """A server on uvicorn, and a hook for its clients."""
    instrumentor = HttpxInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    application = Starlette(routes=[Route("/stream", stream), Route("/page", page)])
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield telemetry, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    instrumentor.uninstrument()


async def read_async(url: str, headers: dict[str, str]) -> str:
    """Read a stream as an asyncio client does."""
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        return "".join([line + "\n" async for line in response.aiter_lines()])


def read(url: str, headers: dict[str, str]) -> str:
    """Read a stream as a client without asyncio does."""
    with httpx.stream("GET", url, headers=headers) as response:
        return "".join(line + "\n" for line in response.iter_lines())


@pytest.mark.parametrize("way", ["asyncio", "plain"])
def test_what_a_server_says_unasked_is_recorded(served: tuple[Telemetry, str], way: str) -> None:
    """A request in the stream of a GET is a message; the transport's own events are not."""
    telemetry, server = served
    headers = {"accept": "text/event-stream"}
    url = f"{server}/stream"

    text = read(url, headers) if way == "plain" else asyncio.run(read_async(url, headers))

    assert text == EVENTS
    assert telemetry.bodies == [SAMPLING]
    telemetry.exchange.close_all()
    assert telemetry.span("sampling/createMessage").kind is SpanKind.SERVER


def test_other_requests_are_none_of_ours(served: tuple[Telemetry, str]) -> None:
    """Responses that are no streams are not looked at."""
    telemetry, server = served

    assert httpx.get(f"{server}/page").text == SAMPLING
    assert httpx.get(f"{server}/page", headers={"accept": "text/event-stream"}).is_success

    assert telemetry.bodies == []
