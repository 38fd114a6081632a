"""Promises about the hook for aiohttp's server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from relayscope.instrumentation.hooks.http.aiohttp_server import AiohttpServerInstrumentor
from tests.fix_telemetry import Telemetry

TRACE = "0af7651916cd43dd8448eb211c80319c"
REMOTE = f"00-{TRACE}-b7ad6b7169203331-01"
REQUEST = (
    '{"jsonrpc":"2.0","id":1,"method":"tools/call",'
    f'"params":{{"name":"add","_meta":{{"traceparent":"{REMOTE}"}}}}}}'
)
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'
PROGRESS = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}'
ASKED = '{"jsonrpc":"2.0","id":"s1","method":"ping","params":{}}'

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def with_text(request: web.Request) -> web.StreamResponse:
    """Answer with a JSON body."""
    assert await request.json() == json.loads(REQUEST)
    return web.Response(text=ANSWER, content_type="application/json")


async def compressed(request: web.Request) -> web.StreamResponse:
    """Answer with a body that is compressed as a whole."""
    response = await with_text(request)
    response.enable_compression(web.ContentCoding.gzip)
    return response


async def with_events(request: web.Request) -> web.StreamResponse:
    """Answer with events, of which one asks something, and one comes in two pieces."""
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(f"data: {PROGRESS}\n\ndata: {ASKED}\n\n".encode())
    await response.write(b"da")
    await response.write(memoryview(f"ta: {ANSWER}\n\n".encode()))
    return response


async def with_compressed_events(request: web.Request) -> web.StreamResponse:
    """Answer with events that are compressed as they are written."""
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    response.enable_compression(web.ContentCoding.deflate)
    await response.prepare(request)
    await response.write(f"data: {ANSWER}\n\n".encode())
    return response


async def refused(request: web.Request) -> web.StreamResponse:
    """Answer with a status that says no."""
    await request.read()
    raise web.HTTPForbidden(text="not you")


async def failing(request: web.Request) -> web.StreamResponse:
    """Answer with the server's own 500."""
    await request.read()
    raise ValueError("a fault of the host's")


async def said_unasked(request: web.Request) -> web.StreamResponse:
    """Say something in the stream of a GET request."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(f"data: {ASKED}\n\n".encode())
    return response


@contextlib.asynccontextmanager
async def serving(telemetry: Telemetry, handler: Handler) -> AsyncIterator[str]:
    """An application under the hook, and its address."""
    instrumentor = AiohttpServerInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    try:
        application = web.Application()
        application.router.add_route("*", "/mcp", handler)
        runner = web.AppRunner(application, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/mcp"
        await runner.cleanup()
    finally:
        instrumentor.uninstrument()


def posted(telemetry: Telemetry, handler: Handler, times: int = 1) -> tuple[int, str]:
    """Post the request, and return status and text of the last response."""

    async def post() -> tuple[int, str]:
        async with serving(telemetry, handler) as url, aiohttp.ClientSession() as session:
            for _ in range(times):
                async with session.post(url, data=REQUEST) as response:
                    said = response.status, await response.text()
        return said

    return asyncio.run(post())


@pytest.mark.parametrize("handler", [with_text, compressed, with_compressed_events])
def test_a_request_and_its_answer_share_a_span(telemetry: Telemetry, handler: Handler) -> None:
    """As they are said, also where the response is compressed; the client's trace goes on."""
    status, text = posted(telemetry, handler)

    assert (status, ANSWER in text) == (200, True)
    assert telemetry.bodies == [REQUEST, ANSWER]
    (span,) = telemetry.spans
    assert span.kind is SpanKind.SERVER
    assert span.context
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.status.status_code is not StatusCode.ERROR


def test_each_event_is_a_message_and_a_question_carries_the_trace(
    telemetry: Telemetry,
) -> None:
    """The record is what the client has read."""
    _, text = posted(telemetry, with_events)

    read = [line.removeprefix("data: ") for line in text.splitlines() if line]
    assert telemetry.bodies == [REQUEST, *read]
    assert read[2] == ANSWER
    for said, unchanged in zip(read, (PROGRESS, ASKED), strict=False):
        message = json.loads(said)
        assert TRACE in message["params"].pop("_meta")["traceparent"]
        assert message == json.loads(unchanged)


def test_the_requests_of_a_connection_are_not_below_each_other(
    telemetry: Telemetry,
) -> None:
    """The handler of each works for its own, however the connection is kept."""
    seen: list[int] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        response = await with_text(request)
        seen.append(trace.get_current_span().get_span_context().span_id)
        return response

    posted(telemetry, handler, times=3)
    assert seen == [span.context.span_id for span in telemetry.spans if span.context]
    assert {span.parent and f"{span.parent.span_id:x}" for span in telemetry.spans} == {
        "b7ad6b7169203331"
    }


@pytest.mark.parametrize(("handler", "expected"), [(refused, 403), (failing, 500)])
def test_a_call_that_is_refused_has_the_status_as_its_error(
    telemetry: Telemetry, handler: Handler, expected: int
) -> None:
    """The host's response stays its own."""
    status, _ = posted(telemetry, handler)

    assert status == expected
    (span,) = telemetry.spans
    assert span.attributes
    assert span.attributes["error.type"] == str(expected)


def test_a_client_that_goes_away_leaves_an_unanswered_call(telemetry: Telemetry) -> None:
    """Its call ends when the handler is cancelled, and not an hour later."""
    begun, left = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        await request.read()
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            left.set()
        return web.Response()

    async def go_away() -> None:
        async with serving(telemetry, handler) as url:
            async with aiohttp.ClientSession() as session:
                posting = asyncio.create_task(session.post(url, data=REQUEST))
                await begun.wait()
                posting.cancel()
            await left.wait()

    asyncio.run(go_away())
    (span,) = telemetry.spans
    assert span.status.status_code is StatusCode.ERROR


def test_what_a_server_says_unasked_is_recorded(telemetry: Telemetry) -> None:
    """In the stream of a GET request."""

    async def listen() -> str:
        async with (
            serving(telemetry, said_unasked) as url,
            aiohttp.ClientSession() as session,
            session.get(url) as response,
        ):
            return await response.text()

    text = asyncio.run(listen())
    assert [f"data: {body}" for body in telemetry.bodies] == text.splitlines()[:1]


def test_other_requests_and_the_client_are_none_of_ours(telemetry: Telemetry) -> None:
    """Other bodies pass as they are, and nothing is recorded of them."""

    async def handler(request: web.Request) -> web.StreamResponse:
        body: Any = await request.read()
        return web.json_response({"got": len(body)})

    async def ask() -> None:
        async with serving(telemetry, handler) as url, aiohttp.ClientSession() as session:
            for method, data in (("POST", b"a=b"), ("PUT", REQUEST.encode()), ("GET", b"")):
                async with session.request(method, url, data=data) as response:
                    assert await response.json() == {"got": len(data)}

    asyncio.run(ask())
    assert telemetry.bodies == []
    assert telemetry.spans == []
