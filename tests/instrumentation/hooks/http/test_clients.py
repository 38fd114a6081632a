"""Promises about the hooks for HTTP clients: `http.client` and what is built on it, and aiohttp."""

import asyncio
import gc
import http.client
import io
import json
import socket
import threading
import urllib.error
import urllib.request
import weakref
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests
import urllib3
import uvicorn
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.routing import Route

from relayscope.conventions.attributes import ERROR_TYPE, ERROR_UNANSWERED, SERVER_PORT
from relayscope.conventions.events import EVENT_SEND_FAILED
from relayscope.instrumentation.hooks.http.aiohttp_client import AiohttpClientInstrumentor
from relayscope.instrumentation.hooks.http.http_client import HttpClientInstrumentor
from tests.fix_programs import eventually, free_port
from tests.fix_telemetry import Telemetry
from tests.instrumentation.hooks.http.http_clients import (
    CALL,
    CLIENTS,
    EVENTS,
    HEADERS,
    NOTE,
    RESULT,
    STREAMING,
    Server,
)

# aiohttp warns the host that it let go of a response; it does where the body has not arrived.
UNCLOSED = pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")


@pytest.fixture
def hooked(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The hooks, and what they record."""
    instrumentors = (HttpClientInstrumentor(), AiohttpClientInstrumentor())
    for instrumentor in instrumentors:
        instrumentor.instrument(exchange=telemetry.exchange)
    yield telemetry
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on uvicorn."""
    kept = Server()
    routes = [Route("/{way}", kept.answer, methods=["POST", "GET"])]
    application = Starlette(routes=routes)
    uvicorn_server = uvicorn.Server(uvicorn.Config(application, port=0, log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(uvicorn_server.serve()))
    thread.start()
    eventually(lambda: uvicorn_server.started)
    port = uvicorn_server.servers[0].sockets[0].getsockname()[1]
    kept.url = f"http://127.0.0.1:{port}"
    yield kept
    uvicorn_server.should_exit = True
    thread.join()


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("way", ["json", "events", "gzip", "gzip-events"])
def test_a_call_and_its_answer_are_recorded(
    hooked: Telemetry, server: Server, name: str, way: str
) -> None:
    """A posted call carries context and is recorded as it was sent; so is its answer."""
    text = CLIENTS[name](f"{server.url}/{way}", CALL)

    (sent,) = server.bodies
    assert text == (EVENTS if "events" in way else RESULT)
    assert hooked.bodies == [sent.decode(), *([NOTE] if "events" in way else []), RESULT]
    span = hooked.span("tools/call find")
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert f"{span.context.span_id:016x}" in json.loads(sent)["params"]["_meta"]["traceparent"]
    assert (span.attributes or {})[SERVER_PORT] == urlsplit(server.url).port


def test_who_reads_line_by_line_works_for_what_the_line_says(
    hooked: Telemetry, server: Server
) -> None:
    """A message counts as arrived with its line, before the empty line that ends its event."""
    with (
        requests.Session() as session,
        session.post(f"{server.url}/events", CALL, stream=True, timeout=60) as response,
    ):
        while response.raw.readline() != f"data: {NOTE}\r\n".encode():
            pass
        note = hooked.span("notifications/message")
        assert trace.get_current_span().get_span_context() == note.context
        assert response.raw.read().decode() == f"\r\nevent: message\r\ndata: {RESULT}\r\n\r\n"

    assert hooked.bodies == [server.bodies[0].decode(), NOTE, RESULT]


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("kind", ["file", "generator"])
def test_a_body_in_pieces_is_recorded_as_it_was_sent(
    hooked: Telemetry, server: Server, name: str, kind: str
) -> None:
    """A body that is read or made while it is sent arrives unchanged, and is recorded."""
    body = io.BytesIO(CALL) if kind == "file" else iter([CALL[:10], CALL[10:]])

    text = STREAMING[name](f"{server.url}/json", body)

    assert text == RESULT
    # aiohttp has a file in memory at hand, as bytes.
    assert [json.loads(sent)["method"] for sent in server.bodies] == ["tools/call"]
    assert hooked.bodies == [server.bodies[0].decode(), RESULT]
    assert hooked.span("tools/call find").status.status_code is StatusCode.UNSET


def test_a_body_that_is_sent_step_by_step_is_recorded(hooked: Telemetry, server: Server) -> None:
    """Head first, then the body in two parts: recorded when the last one goes, and unchanged."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    connection.putrequest("POST", "/json")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(len(CALL)))
    connection.endheaders()
    connection.send(CALL[:30])
    assert hooked.bodies == []
    connection.send(CALL[30:])
    assert hooked.bodies == [CALL.decode()]

    assert connection.getresponse().read().decode() == RESULT
    assert server.bodies == [CALL]
    assert hooked.bodies == [CALL.decode(), RESULT]
    connection.close()


def test_text_is_sent_as_urllib3_encodes_it(hooked: Telemetry, server: Server) -> None:
    """A body that is no bytes yet grows in bytes."""
    body = (
        '{"method": "tools/call", "id": 7, "params": {"name": "find", "arguments": {"a": "ß語"}}}'
    )

    urllib3.PoolManager().request("POST", f"{server.url}/json", body=body, headers=HEADERS)

    assert json.loads(server.bodies[0])["params"]["arguments"] == {"a": "ß語"}
    assert hooked.bodies == [server.bodies[0].decode(), RESULT]


OTHERS = {
    "a question to a language model": b'{"model": "m", "messages": [{"role": "user"}]}',
    "another protocol on JSON-RPC": b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":{}}',
    "what is no JSON": b'{"jsonrpc": "2.0", "method": "tools/call", "params": {',
    "an answer of nobody": b'{"result": {"name": "x"}}',
    "nothing": b"",
}


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("what", OTHERS)
def test_what_is_not_mcp_is_left_alone(
    hooked: Telemetry, server: Server, name: str, what: str
) -> None:
    """Other traffic is not recorded, and arrives byte for byte."""
    assert STREAMING[name](f"{server.url}/echo", OTHERS[what]) == OTHERS[what].decode()

    assert server.bodies == [OTHERS[what]]
    assert hooked.bodies == []
    assert hooked.spans == []


@pytest.mark.parametrize("name", CLIENTS)
def test_a_connection_is_used_again(hooked: Telemetry, server: Server, name: str) -> None:
    """One call after another leaves nothing behind."""
    for _ in range(3):
        CLIENTS[name](f"{server.url}/events", CALL)
    hooked.exchange.close_all()

    assert hooked.bodies == [
        text for body in server.bodies for text in (body.decode(), NOTE, RESULT)
    ]
    assert all(span.status.status_code is StatusCode.UNSET for span in hooked.spans)


@pytest.mark.parametrize(
    "name", ["requests", "requests with json=", "aiohttp", "aiohttp with json="]
)
def test_a_redirected_call_is_two_calls(hooked: Telemetry, server: Server, name: str) -> None:
    """Each request that crosses the wire is recorded, with a context of its own."""
    CLIENTS[name](f"{server.url}/redirect", CALL)

    first, second = (body.decode() for body in server.bodies)
    assert hooked.bodies == [first, second, RESULT]
    redirected, answered = hooked.spans
    assert (redirected.attributes or {})[ERROR_TYPE] == "307"
    assert answered.status.status_code is StatusCode.UNSET
    for body, span in ((first, redirected), (second, answered)):
        assert span.context is not None
        assert f"{span.context.span_id:016x}" in body


@pytest.mark.parametrize("name", CLIENTS)
def test_nobody_who_listens_is_a_failed_call(hooked: Telemetry, name: str) -> None:
    """The host gets the error that it would get, and the call says why it failed."""
    port = free_port()

    with pytest.raises((OSError, urllib3.exceptions.HTTPError, aiohttp.ClientError)):
        CLIENTS[name](f"http://127.0.0.1:{port}/json", CALL)

    hooked.exchange.close_all()
    assert hooked.span("connect").status.status_code is StatusCode.ERROR
    assert hooked.span("tools/call find").status.status_code is StatusCode.ERROR
    assert [event.event_name for event in hooked.events] == [EVENT_SEND_FAILED]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_refused_call_says_with_which_status(
    hooked: Telemetry, server: Server, name: str
) -> None:
    """A response without a message is all that there will be."""
    with suppress(urllib.error.HTTPError):
        CLIENTS[name](f"{server.url}/refuse", CALL)

    span = hooked.span("tools/call find")
    assert (span.attributes or {})[ERROR_TYPE] == "403"


@pytest.mark.parametrize("name", STREAMING)
def test_an_accepted_notification_is_one_message(
    hooked: Telemetry, server: Server, name: str
) -> None:
    """An empty response is the end of it."""
    note = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'

    assert CLIENTS[name](f"{server.url}/accept", note) == ""

    assert hooked.bodies == [server.bodies[0].decode()]
    assert hooked.span("notifications/initialized").status.status_code is StatusCode.UNSET


@UNCLOSED
@pytest.mark.parametrize("way", ["aiohttp", "requests", "http.client"])
def test_an_answer_that_is_never_read_is_no_answer(
    hooked: Telemetry, server: Server, way: str
) -> None:
    """A response that the host lets go of ends its call, and is not read for it."""
    url = f"{server.url}/json"
    if way == "aiohttp":

        async def post() -> None:
            async with aiohttp.ClientSession() as session:
                await session.post(url, data=CALL, headers=HEADERS)

        asyncio.run(post())
        # Where the body had not arrived, aiohttp leaves the response and its stream in a circle.
        gc.collect()
    elif way == "requests":
        with requests.post(url, data=CALL, headers=HEADERS, stream=True, timeout=60):
            pass
    else:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        connection.request("POST", "/json", body=CALL, headers=HEADERS)
        connection.close()

    span = hooked.span("tools/call find")
    assert (span.attributes or {})[ERROR_TYPE] == ERROR_UNANSWERED
    assert len(hooked.bodies) == 1


@UNCLOSED
def test_a_response_that_is_let_go_of_before_its_body_came_is_freed(hooked: Telemetry) -> None:
    """The hook holds neither the response nor its stream, so its call ends unanswered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_answer_without_the_body, args=(listener,))
        server.start()

        async def post() -> weakref.ref[aiohttp.ClientResponse]:
            async with aiohttp.ClientSession() as session:
                url = f"http://127.0.0.1:{listener.getsockname()[1]}/json"
                return weakref.ref(await session.post(url, data=CALL, headers=HEADERS))

        response = asyncio.run(post())
        server.join()
    # aiohttp leaves the response and its stream in a circle.
    gc.collect()

    assert response() is None
    span = hooked.span("tools/call find")
    assert (span.attributes or {})[ERROR_TYPE] == ERROR_UNANSWERED


def _answer_without_the_body(listener: socket.socket) -> None:
    """Answer one request with headers alone, and wait until the client goes."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(RESULT)}"
        connection.sendall(f"{head}\r\n\r\n".encode())
        while connection.recv(65536):
            pass


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*"])
@pytest.mark.parametrize("way", ["aiohttp", "requests"])
def test_what_a_server_says_unasked_is_recorded(
    hooked: Telemetry, server: Server, way: str, accept: str
) -> None:
    """The stream of a GET is watched, as far as it is one, whether it was asked for by name."""
    headers = {"accept": accept}
    if way == "requests":
        assert requests.get(f"{server.url}/events", headers=headers, timeout=60).text == EVENTS
        assert requests.get(f"{server.url}/json", headers=headers, timeout=60).text == RESULT
    else:

        async def read() -> None:
            async with aiohttp.ClientSession(headers=headers) as session:
                async with session.get(f"{server.url}/events") as response:
                    assert await response.text() == EVENTS
                async with session.get(f"{server.url}/json") as response:
                    assert await response.text() == RESULT

        asyncio.run(read())

    assert hooked.bodies == [NOTE, RESULT]
