"""The HTTP clients that the hooks are tried with, and the server that they call."""

import asyncio
import gzip
import http.client
import io
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import requests
import urllib3
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "Accept-Encoding": "gzip",
}
CALL = b'{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "find"}}'
RESULT = '{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'
NOTE = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"so"}}'
EVENTS = f"event: message\r\ndata: {NOTE}\r\n\r\nevent: message\r\ndata: {RESULT}\r\n\r\n"


@dataclass
class Server:
    """An HTTP server that keeps what it was sent.

    Attributes:
        bodies: Of the requests, as they came.
    """

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        """Answer in the way that the path asks for."""
        body = await request.body()
        self.bodies.append(body)
        length = request.headers.get("content-length")
        assert length in (None, str(len(body)))
        return self._response(request.path_params["way"], body)

    def _response(self, way: str, body: bytes) -> Response:
        json_type, events_type = "application/json", "text/event-stream"
        packed = {"content-encoding": "gzip"}
        responses: dict[str, Callable[[], Response]] = {
            "json": lambda: Response(RESULT, media_type=json_type),
            "events": lambda: StreamingResponse(
                self._pieces(EVENTS.encode()), 200, None, events_type
            ),
            "gzip": lambda: Response(gzip.compress(RESULT.encode()), 200, packed, json_type),
            "gzip-events": lambda: StreamingResponse(
                self._pieces(gzip.compress(EVENTS.encode())), 200, packed, events_type
            ),
            "redirect": lambda: RedirectResponse("/json", status_code=307),
            "accept": lambda: Response(status_code=202),
            "refuse": lambda: Response("no", status_code=403),
            "echo": lambda: Response(body, media_type=json_type),
        }
        return responses[way]()

    async def _pieces(self, data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(data), 25):
            yield data[start : start + 25]


Body = bytes | io.BytesIO | Iterator[bytes]
Post = Callable[[str, Body], str]


def with_http_client(url: str, body: Body) -> str:
    """Post as `http.client` does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("POST", parts.path, body=body, headers=HEADERS)
        return unpacked(connection.getresponse())
    finally:
        connection.close()


def with_urllib(url: str, body: Body) -> str:
    """Post as `urllib` does."""
    request = urllib.request.Request(url, data=body, headers=HEADERS, method="POST")  # noqa: S310  # HTTP
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  # HTTP
            return unpacked(response)
    except urllib.error.HTTPError as error:
        # From Python 3.14 on, one that is left open is told.
        error.close()
        raise


def unpacked(response: http.client.HTTPResponse) -> str:
    """Read a response line by line, as many do; `http.client` unpacks nothing."""
    data = b"".join(response)
    return (gzip.decompress(data) if response.getheader("content-encoding") else data).decode()


def with_urllib3(url: str, body: Body) -> str:
    """Post as `urllib3` does, and read what comes as it comes."""
    with urllib3.PoolManager() as pool:
        response = pool.request(
            "POST",
            url,
            body=body,
            headers=HEADERS,
            preload_content=False,
            retries=False,
            timeout=60,
        )
        text = b"".join(response.stream(16, decode_content=True)).decode()
        response.release_conn()
        return text


def with_requests(url: str, body: Body) -> str:
    """Post as `requests` does, and read lines."""
    with (
        requests.Session() as session,
        session.post(url, data=body, headers=HEADERS, stream=True, timeout=60) as response,
    ):
        return "".join(part.decode() for part in response.iter_content(chunk_size=None))


def with_requests_json(url: str, _: Body) -> str:
    """Post as most people do."""
    headers = {"accept": HEADERS["Accept"]}
    return requests.post(url, json=json.loads(CALL), headers=headers, timeout=60).text


def with_aiohttp(url: str, body: Body) -> str:
    """Post as aiohttp does, and read lines."""

    async def post() -> str:
        data: Any = pieces(body) if isinstance(body, Iterator) else body
        async with (
            aiohttp.ClientSession(headers=HEADERS) as session,
            session.post(url, data=data) as response,
        ):
            return b"".join([line async for line in response.content]).decode()

    return asyncio.run(post())


def with_aiohttp_json(url: str, _: Body) -> str:
    """Post as most people do."""

    async def post() -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=json.loads(CALL)) as response,
        ):
            return await response.text()

    return asyncio.run(post())


async def pieces(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A generator as aiohttp takes it."""
    for piece in body:
        yield piece


CLIENTS = {
    "http.client": with_http_client,
    "urllib": with_urllib,
    "urllib3": with_urllib3,
    "requests": with_requests,
    "requests with json=": with_requests_json,
    "aiohttp": with_aiohttp,
    "aiohttp with json=": with_aiohttp_json,
}

STREAMING = {name: client for name, client in CLIENTS.items() if "json" not in name}
