"""A relay from stdio to streamable HTTP with whichever HTTP client: what people write at home.

usage: http_relay.py (aiohttp | http.client | requests | urllib | urllib3) URL

Each message is posted by a thread of its own, with aiohttp by a task.
"""

import asyncio
import http.client
import sys
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import requests
import urllib3

SESSION = "mcp-session-id"
TIMEOUT = 60

_headers = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
}
_lock = Lock()


def say(text: str) -> None:
    """Write one line to the client."""
    if text.strip():
        with _lock:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()


def remember_session(headers: Mapping[str, str]) -> None:
    """Use from now on the session that the server has given."""
    if session := headers.get(SESSION):
        _headers[SESSION] = session


def say_what_is_in(response: Any, lines: Iterable[bytes]) -> None:
    """Pass on what a response says, as it comes."""
    headers = response.headers
    remember_session(headers)
    if "text/event-stream" in headers.get("content-type", ""):
        for line in lines:
            if line.startswith(b"data:"):
                say(line.removeprefix(b"data:").strip().decode())
    else:
        say(b"".join(lines).decode())


def post_with_http_client(url: str) -> Callable[[bytes], None]:
    """Post over a connection for each message."""
    parts = urlsplit(url)

    def post(body: bytes) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        connection.request("POST", parts.path, body=body, headers=_headers)
        response = connection.getresponse()
        say_what_is_in(response, response)
        connection.close()

    return post


def post_with_urllib(url: str) -> Callable[[bytes], None]:
    """Post as a script without a library does."""

    def post(body: bytes) -> None:
        request = urllib.request.Request(url, data=body, headers=_headers)  # noqa: S310  # HTTP
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310  # HTTP
            say_what_is_in(response, response)

    return post


def post_with_urllib3(url: str) -> Callable[[bytes], None]:
    """Post over a pool of connections, and read pieces that have nothing to do with lines."""
    pool = urllib3.PoolManager(maxsize=16)

    def post(body: bytes) -> None:
        response = pool.request(
            "POST", url, body=body, headers=_headers, preload_content=False, timeout=TIMEOUT
        )
        say_what_is_in(response, lines(response.stream(1000, decode_content=True)))
        response.release_conn()

    return post


def post_with_requests(url: str) -> Callable[[bytes], None]:
    """Post in a session, and read lines."""
    session = requests.Session()
    session.trust_env = False

    def post(body: bytes) -> None:
        with session.post(
            url, data=body, headers=_headers, stream=True, timeout=TIMEOUT
        ) as response:
            say_what_is_in(response, response.iter_lines(chunk_size=None, delimiter=b"\n"))

    return post


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut pieces of text into lines."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    yield rest


def relay_with_threads(post: Callable[[bytes], None]) -> None:
    """Relay until the client closes its end."""
    with ThreadPoolExecutor(16) as pool:
        for line in sys.stdin:
            posting = pool.submit(post, line.strip().encode())
            if '"initialize"' in line:
                posting.result()


async def relay_with_aiohttp(url: str) -> None:
    """Relay until the client closes its end."""

    async def post(session: aiohttp.ClientSession, body: bytes) -> None:
        async with session.post(url, data=body, headers=_headers) as response:
            remember_session(response.headers)
            if response.content_type == "text/event-stream":
                async for line in response.content:
                    if line.startswith(b"data:"):
                        say(line.removeprefix(b"data:").strip().decode())
            else:
                say(await response.text())

    timeout = aiohttp.ClientTimeout(TIMEOUT)
    async with (
        aiohttp.ClientSession(timeout=timeout, read_bufsize=2**24) as session,
        asyncio.TaskGroup() as tasks,
    ):
        while line := await asyncio.to_thread(sys.stdin.readline):
            tasks.create_task(post(session, line.strip().encode()))


POSTS = {
    "http.client": post_with_http_client,
    "requests": post_with_requests,
    "urllib": post_with_urllib,
    "urllib3": post_with_urllib3,
}

if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real file
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real file
    _, client, url = sys.argv
    if client == "aiohttp":
        asyncio.run(relay_with_aiohttp(url))
    else:
        relay_with_threads(POSTS[client](url))
