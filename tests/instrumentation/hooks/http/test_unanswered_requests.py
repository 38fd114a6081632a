"""Promises about HTTP requests that were sent and got no answer: given up, broken off, refused."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
import requests
from opentelemetry.trace import StatusCode

from relayscope.conventions.attributes import (
    ERROR_OTHER_CONTENT,
    ERROR_STOPPED_READING,
    ERROR_TYPE,
    ERROR_UNANSWERED,
    MCP_METHOD_NAME,
    MESSAGE_KIND,
)
from relayscope.conventions.events import EVENT_SEND_FAILED
from relayscope.instrumentation.hooks.http.aiohttp_client import AiohttpClientInstrumentor
from relayscope.instrumentation.hooks.http.http_client import HttpClientInstrumentor
from relayscope.instrumentation.hooks.http.httpx import HttpxInstrumentor
from tests.fix_programs import eventually
from tests.fix_telemetry import Telemetry
from tests.instrumentation.hooks.http.http_clients import CALL, CLIENTS, HEADERS, NOTE, Body

INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
TYPED = {"content-type": "application/json"}


@pytest.fixture
def hooked(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The hooks, and what they record."""
    kinds = (HttpClientInstrumentor, AiohttpClientInstrumentor, HttpxInstrumentor)
    instrumentors = [kind() for kind in kinds]
    for instrumentor in instrumentors:
        instrumentor.instrument(exchange=telemetry.exchange)
    yield telemetry
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


class Responding:
    """A server that takes one request, says what it is told to, and closes, or waits."""

    def __init__(self, head: str = "", body: bytes = b"", *, closes: bool = True) -> None:
        lines = f"HTTP/1.1 {head}\r\nconnection: close\r\n\r\n"
        self._response = lines.encode() + body if head else b""
        self._closes = closes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.asked = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/mcp"

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            received = b""
            while not received.endswith((b"}", b"]")) or received.count(b"{") != received.count(
                b"}"
            ):
                received += connection.recv(65536)
            connection.sendall(self._response)
            self.asked.set()
            with suppress(OSError):
                while not self._closes and connection.recv(65536):
                    pass


def with_httpx(url: str, body: Body) -> str:
    """Post as httpx does without asyncio."""
    assert isinstance(body, bytes)
    return httpx.post(url, content=body, headers=TYPED).text


def with_async_httpx(url: str, body: Body) -> str:
    """Post as httpx does with asyncio."""

    async def post() -> str:
        async with httpx.AsyncClient() as client:
            return (await client.post(url, content=body, headers=TYPED)).text

    assert isinstance(body, bytes)
    return asyncio.run(post())


def with_httpx_stream(url: str, body: Body) -> str:
    """Post, and read what comes as it comes."""
    assert isinstance(body, bytes)
    with httpx.stream("POST", url, content=body, headers=TYPED) as response:
        return "".join(response.iter_text())


HTTPX = {
    "httpx": with_httpx,
    "httpx with asyncio": with_async_httpx,
    "httpx, stream": with_httpx_stream,
}
EVERY = CLIENTS | HTTPX


def error_of(telemetry: Telemetry) -> tuple[str, str]:
    """The type and the description of the call's error."""
    span = telemetry.span("tools/call find")
    assert span.status.status_code is StatusCode.ERROR
    return str((span.attributes or {})[ERROR_TYPE]), span.status.description or ""


def hurried_aiohttp(url: str) -> None:
    """Wait for a moment, with aiohttp."""

    async def post() -> None:
        limit = aiohttp.ClientTimeout(total=2)  # Before which the request is sent, on any machine.
        async with aiohttp.ClientSession(timeout=limit) as session:
            await session.post(url, data=CALL, headers=HEADERS)

    asyncio.run(post())


def hurried_requests(url: str) -> None:
    """Wait for a moment, with requests."""
    requests.post(url, data=CALL, headers=HEADERS, timeout=0.2)


def hurried_http_client(url: str) -> None:
    """Wait for a moment, with `http.client`."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=0.2)) as connection:
        connection.request("POST", "/json", body=CALL, headers=HEADERS)
        connection.getresponse()


def hurried_httpx(url: str) -> None:
    """Wait for a moment, with httpx."""
    httpx.post(url, content=CALL, headers=TYPED, timeout=httpx.Timeout(60, read=0.2))


HURRIED = [hurried_aiohttp, hurried_requests, hurried_http_client, hurried_httpx]


@pytest.mark.parametrize("post", HURRIED)
def test_a_call_that_the_host_waits_for_no_longer_is_given_up(
    hooked: Telemetry, post: Callable[[str], None]
) -> None:
    """The host's timeout is the end of its call, and its own error; the request was sent."""
    errors = (OSError, asyncio.TimeoutError, httpx.TimeoutException)
    with Responding(closes=False) as silent, pytest.raises(errors):
        post(silent.url)

    assert error_of(hooked)[0] == ERROR_STOPPED_READING
    assert len(hooked.bodies) == 1
    assert hooked.events == []


async def cancelled_httpx(url: str) -> None:
    """Post with httpx."""
    async with httpx.AsyncClient() as client:
        await client.post(url, content=CALL, headers=TYPED, timeout=60)


async def cancelled_aiohttp(url: str) -> None:
    """Post with aiohttp, and read."""
    async with (
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(url, data=CALL) as response,
    ):
        await response.read()


@pytest.mark.parametrize("post", [cancelled_httpx, cancelled_aiohttp])
@pytest.mark.parametrize("has_begun", [False, True], ids=["nothing", "a part"])
def test_a_call_that_is_cancelled_is_given_up(
    hooked: Telemetry, post: Callable[[str], object], *, has_begun: bool
) -> None:
    """This holds after a part of the response, and before any."""
    head = "200 OK\r\ncontent-type: text/event-stream" if has_begun else ""
    event = f"data: {NOTE}\n\n".encode()

    async def cancel(server: Responding) -> None:
        task = asyncio.ensure_future(post(server.url))  # type: ignore[call-overload]
        await asyncio.to_thread(server.asked.wait)
        if has_begun:
            await asyncio.to_thread(eventually, lambda: NOTE in hooked.bodies)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    with Responding(head, event, closes=False) as server:
        asyncio.run(cancel(server))

    assert error_of(hooked) == (ERROR_STOPPED_READING, "CancelledError")
    assert hooked.bodies[1:] == ([NOTE] if has_begun else [])
    assert [event.event_name for event in hooked.events] == []


@pytest.mark.parametrize("name", [*HTTPX, "aiohttp"])
def test_what_came_before_a_response_broke_is_recorded(hooked: Telemetry, name: str) -> None:
    """The call that is open then says how it broke; what was sent was not unsent."""
    events = f"data: {NOTE}\n\ndata: {{".encode()
    head = "200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked"
    chunk = b"%x\r\n%b\r\n" % (len(events), events)

    errors = (httpx.HTTPError, aiohttp.ClientError)
    with Responding(head, chunk) as server, pytest.raises(errors) as raised:
        EVERY[name](server.url, CALL)

    assert hooked.bodies[1:] == [NOTE]
    error_type, description = error_of(hooked)
    assert error_type == ERROR_UNANSWERED
    assert description.startswith(f"{type(raised.value).__name__}: ")
    assert hooked.events == []


@pytest.mark.parametrize("name", ["requests", "httpx", "httpx with asyncio", "aiohttp"])
def test_a_server_that_goes_without_a_word_has_left_the_call_open(
    hooked: Telemetry, name: str
) -> None:
    """The request was sent, and the connection closed."""
    errors = (httpx.HTTPError, aiohttp.ClientError, OSError)
    with Responding() as server, pytest.raises(errors):
        EVERY[name](server.url, CALL)

    error_type, description = error_of(hooked)
    assert error_type == ERROR_UNANSWERED
    assert "isconnected" in description
    assert hooked.events == []


REFUSALS = {
    "json": (
        "401 Unauthorized\r\ncontent-type: application/json",
        b'{"error":"invalid_token","error_description":"The access token expired"}',
        "401",
        'the response had the HTTP status 401: {"error":"invalid_token",',
    ),
    "text": (
        "429 Too Many Requests\r\ncontent-type: text/plain; charset=utf-8",
        b"quota of team blue used up\n",
        "429",
        "the response had the HTTP status 429: quota of team blue used up",
    ),
    "no type": (
        "500 Internal Server Error",
        b"no room left",
        "500",
        "the response had the HTTP status 500: no room left",
    ),
    "picture": (
        "403 Forbidden\r\ncontent-type: image/png",
        b"\x89PNG",
        "403",
        "the response had the HTTP status 403",
    ),
    "page": (
        "200 OK\r\ncontent-type: text/html",
        b"<html><body>Please log in</body></html>",
        ERROR_OTHER_CONTENT,
        "the response was text/html: <html><body>Please log in</body></html>",
    ),
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("what", REFUSALS)
def test_what_a_response_says_in_place_of_an_answer_is_the_calls_error(
    hooked: Telemetry, name: str, what: str
) -> None:
    """Its beginning, where it is text; it is no message, and not recorded as one."""
    head, body, error_type, description = REFUSALS[what]
    with Responding(head, body) as server, suppress(OSError, UnicodeDecodeError):
        text = EVERY[name](server.url, CALL)
        assert text == body.decode()
    if name == "urllib" and error_type != ERROR_OTHER_CONTENT:
        # It raises, and leaves the body unread.
        description = description.partition(":")[0]

    said_type, said = error_of(hooked)
    assert said_type == error_type
    assert said.startswith(description)
    assert len(hooked.bodies) == 1


def test_of_a_long_page_the_beginning_is_kept_without_its_secrets(hooked: Telemetry) -> None:
    """And nothing of a secret at which it is cut."""
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9" * 2
    body = f"<p>{token}</p>".encode() + b"x" * 4010 + f" {token} ".encode() + b"y" * 10**6
    head = f"502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: {len(body)}"
    with Responding(head, body) as server:
        with_httpx(server.url, CALL)

    _, said = error_of(hooked)
    assert "502: <p>[REDACTED" in said
    assert len(said) == 4096
    assert "ghp_" not in said


@pytest.mark.parametrize("name", ["requests", "httpx", "httpx with asyncio", "aiohttp"])
def test_a_refused_notification_is_told(hooked: Telemetry, name: str) -> None:
    """Its span was over when it was sent; a warning says that it was refused, and why."""
    head, body, *_ = REFUSALS["json"]
    with Responding(head, body) as server:
        EVERY[name](server.url, INITIALIZED)

    [refused] = hooked.events
    attributes = dict(refused.attributes or {})
    assert (refused.event_name, refused.severity_text) == (EVENT_SEND_FAILED, "WARN")
    assert (attributes[ERROR_TYPE], attributes[MESSAGE_KIND]) == ("401", "notification")
    assert attributes[MCP_METHOD_NAME] == "notifications/initialized"
    assert str(refused.body).startswith("refused: http 127.0.0.1:")
    assert "The access token expired" in str(refused.body)
    context = hooked.span("notifications/initialized").context
    assert context is not None
    assert refused.span_id == context.span_id
