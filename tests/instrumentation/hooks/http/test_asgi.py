"""Promises about the hook for ASGI applications."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from relayscope.conventions.attributes import ERROR_TYPE, PEER
from relayscope.instrumentation.hooks.http.asgi import AsgiInstrumentor
from tests.fix_programs import eventually
from tests.fix_telemetry import Telemetry

TRACE = "0af7651916cd43dd8448eb211c80319c"
REMOTE = f"00-{TRACE}-b7ad6b7169203331-01"
REQUEST = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "add", "_meta": {"traceparent": REMOTE}},
    }
)
TRACER = TracerProvider().get_tracer("host")
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'


async def as_json(request: Request) -> Response:
    """Answer with a JSON body."""
    await request.body()
    return Response(ANSWER, media_type="application/json")


async def as_events(request: Request) -> Response:
    """Answer with two events, the second of them the answer."""
    await request.body()
    progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{}}'

    async def events() -> Any:
        # An event may come in pieces.
        yield f"event: message\ndata: {progress}\n\nda"
        yield f"ta: {ANSWER}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def traced_by_host(request: Request) -> Response:
    """Answer in a span of the host's own, as its tracing makes one of each request."""
    with TRACER.start_as_current_span("POST /traced", kind=SpanKind.SERVER):
        return await as_json(request)


async def within_a_span(request: Request) -> Response:
    """Answer in a span that says nothing of the request, as of a host that runs in one."""
    with TRACER.start_as_current_span("the whole run"):
        return await as_json(request)


async def fails(request: Request) -> Response:
    """Answer with an error that is no message."""
    await request.body()
    return JSONResponse({"detail": "no"}, status_code=500)


SAMPLING = '{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}'
waiting: asyncio.Queue[str] = asyncio.Queue()


async def stream(_: Request) -> Response:
    """Say unasked what is not JSON-RPC, and what is."""

    async def events() -> Any:
        yield "id: 1\ndata:\n\n"
        yield "event: tick\ndata: 12:00\n\n"
        yield f"data: {SAMPLING}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def older_stream(_: Request) -> Response:
    """Say where to post, and then what is answered, as MCP 2024-11-05 has it."""

    async def events() -> Any:
        yield "event: endpoint\r\ndata: /post?session_id=abc\r\n\r\n"
        yield f"event: message\r\ndata: {await waiting.get()}\r\n\r\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def older_post(request: Request) -> Response:
    """Take a request that is answered over the stream."""
    await request.body()
    await waiting.put(ANSWER)
    return Response("Accepted", status_code=202)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """An application of no framework, which answers requests and messages on a WebSocket."""
    if scope["type"] == "http":
        await receive()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": ANSWER.encode()})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": ANSWER})


async def over_websocket(websocket: WebSocket) -> None:
    """Answer each message."""
    await websocket.accept()
    async for _ in websocket.iter_text():
        await websocket.send_text(ANSWER)


@pytest.fixture
def served(telemetry: Telemetry) -> Iterator[tuple[Telemetry, str]]:
    """A Starlette application under the hook, on uvicorn, and where it is."""
    routes = [
        Route("/json", as_json, methods=["POST"]),
        Route("/events", as_events, methods=["POST"]),
        Route("/traced", traced_by_host, methods=["POST"]),
        Route("/within", within_a_span, methods=["POST"]),
        Route("/fails", fails, methods=["POST"]),
        Route("/stream", stream),
        Route("/older", older_stream),
        Route("/post", older_post, methods=["POST"]),
        WebSocketRoute("/ws", over_websocket),
    ]
    with serving(telemetry, lambda: Starlette(routes=routes)) as address:
        yield telemetry, address


@contextmanager
def serving(telemetry: Telemetry, make: Callable[[], Any]) -> Iterator[str]:
    """An application under the hook, on uvicorn, and its address."""
    instrumentor = AsgiInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    config = uvicorn.Config(make(), port=0, log_config=None, ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    instrumentor.uninstrument()


def test_a_request_and_its_answer_in_the_body_share_a_span(
    served: tuple[Telemetry, str],
) -> None:
    """The span is the child of what `_meta` carries; both texts are recorded as they were."""
    telemetry, address = served

    response = httpx.post(f"http://{address}/json", content=REQUEST)

    assert response.text == ANSWER
    eventually(lambda: telemetry.spans)
    span = telemetry.span("tools/call add")
    assert span.kind is SpanKind.SERVER
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert telemetry.bodies == [REQUEST, ANSWER]


def test_the_span_that_the_host_makes_of_a_request_is_its_parent_or_linked(
    served: tuple[Telemetry, str],
) -> None:
    """The context in `_meta` comes first; if it is of another trace, the host's span is linked."""
    telemetry, address = served

    httpx.post(f"http://{address}/traced", content='{"jsonrpc":"2.0","id":1,"method":"ping"}')
    httpx.post(f"http://{address}/traced", content=REQUEST)

    eventually(lambda: len(telemetry.spans) == 2)
    parent = telemetry.span("ping").parent
    assert parent is not None
    assert not parent.is_remote
    span = telemetry.span("tools/call add")
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert len(span.links) == 1


def test_a_span_that_the_host_runs_in_is_nothing_of_a_request(
    served: tuple[Telemetry, str],
) -> None:
    """The context in the header counts, and there is no link."""
    telemetry, address = served
    text = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

    httpx.post(f"http://{address}/within", content=text, headers={"traceparent": REMOTE})
    httpx.post(f"http://{address}/within", content=REQUEST)

    eventually(lambda: len(telemetry.spans) == 2)
    context = telemetry.span("ping").context
    assert context is not None
    assert f"{context.trace_id:032x}" == TRACE
    assert not telemetry.span("tools/call add").links


def test_a_request_without_a_session_leaves_nothing_behind(served: tuple[Telemetry, str]) -> None:
    """Its channel was its own, and is forgotten with it: a server has any number of them."""
    telemetry, address = served

    for _ in range(3):
        httpx.post(f"http://{address}/json", content=REQUEST)

    eventually(lambda: len(telemetry.bodies) == 6)
    eventually(lambda: not telemetry.exchange._channels)  # noqa: SLF001  # what would grow


def test_each_event_of_a_stream_is_a_message(served: tuple[Telemetry, str]) -> None:
    """Notifications and the answer are told apart, however the bytes are cut."""
    telemetry, address = served

    httpx.post(f"http://{address}/events", content=REQUEST)

    eventually(lambda: len(telemetry.spans) == 2)
    assert telemetry.bodies[0] == REQUEST
    assert telemetry.bodies[2] == ANSWER
    assert telemetry.span("notifications/progress").kind is SpanKind.CLIENT


def test_a_call_without_an_answer_is_a_failed_span(served: tuple[Telemetry, str]) -> None:
    """An HTTP error that carries no message ends the call with its status."""
    telemetry, address = served

    httpx.post(f"http://{address}/fails", content=REQUEST)

    eventually(lambda: telemetry.spans)
    span = telemetry.span("tools/call add")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes[ERROR_TYPE] == "500"


def test_what_a_server_says_unasked_is_recorded(served: tuple[Telemetry, str]) -> None:
    """The stream of a GET request has a request with context in it; other events are not ours."""
    telemetry, address = served

    response = httpx.get(f"http://{address}/stream", headers={"accept": "text/event-stream"})

    eventually(lambda: telemetry.spans)
    span = telemetry.span("sampling/createMessage")
    assert span.kind is SpanKind.CLIENT
    assert span.context is not None
    (body,) = telemetry.bodies
    assert f"{span.context.span_id:016x}" in body
    assert response.text.endswith(f"data: {body}\n\n")
    assert "data: 12:00" in response.text


def test_an_answer_over_the_older_transports_stream_ends_its_call(
    served: tuple[Telemetry, str],
) -> None:
    """The request was posted, and accepted; the answer comes over the stream of its session."""
    telemetry, address = served
    headers = {"accept": "text/event-stream"}

    with httpx.stream("GET", f"http://{address}/older", headers=headers) as response:
        lines = response.iter_lines()
        assert [next(lines), next(lines)] == ["event: endpoint", "data: /post?session_id=abc"]
        assert httpx.post(f"http://{address}/post?session_id=abc", content=REQUEST).is_success
        assert f"data: {ANSWER}" in lines

    eventually(lambda: telemetry.spans)
    span = telemetry.span("tools/call add")
    assert span.kind is SpanKind.SERVER
    assert span.status.status_code is StatusCode.UNSET
    assert telemetry.bodies == [REQUEST, ANSWER]


def test_other_requests_are_none_of_ours(served: tuple[Telemetry, str]) -> None:
    """A body that is no JSON-RPC message is passed on and not recorded."""
    telemetry, address = served

    assert httpx.post(f"http://{address}/json", content="a=1&b=2").text == ANSWER
    assert httpx.post(f"http://{address}/none", content=REQUEST).status_code == 404

    assert "a=1&b=2" not in telemetry.bodies


def test_messages_on_a_websocket_are_recorded(served: tuple[Telemetry, str]) -> None:
    """A WebSocket of the application is a channel like any other."""
    telemetry, address = served

    with connect(f"ws://{address}/ws") as websocket:
        websocket.send(REQUEST)
        assert websocket.recv() == ANSWER

    eventually(lambda: telemetry.spans)
    assert telemetry.bodies == [REQUEST, ANSWER]


def test_an_application_of_no_framework_is_watched_at_its_server(telemetry: Telemetry) -> None:
    """Over HTTP and on a WebSocket, each message once; it sees the client that a proxy names."""
    with serving(telemetry, lambda: bare) as address:
        headers = {"x-forwarded-for": "192.0.2.7"}
        assert httpx.post(f"http://{address}/", content=REQUEST, headers=headers).text == ANSWER
        with connect(f"ws://{address}/") as websocket:
            websocket.send(REQUEST)
            assert websocket.recv() == ANSWER
        eventually(lambda: len(telemetry.spans) == 2)

    assert telemetry.bodies == [REQUEST, ANSWER] * 2
    peer = (telemetry.records[0].log_record.attributes or {})[PEER]
    assert str(peer).startswith("192.0.2.7:")
