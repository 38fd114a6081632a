"""Promises about what an HTTP client is given back, and of signed requests."""

import asyncio
import hashlib
import json
import pickle
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import httpx
import pytest
import requests

from relayscope.instrumentation.hooks.http.aiohttp_client import AiohttpClientInstrumentor
from relayscope.instrumentation.hooks.http.http_client import HttpClientInstrumentor
from relayscope.instrumentation.hooks.http.httpx import HttpxInstrumentor
from relayscope.instrumentation.hooks.http.signed_request import is_signed
from tests.fix_telemetry import Telemetry
from tests.instrumentation.hooks.http.http_clients import CALL, RESULT

HEADERS = {"Content-Type": "application/json"}
SIGNED = {**HEADERS, "x-amz-content-sha256": hashlib.sha256(CALL).hexdigest()}


class _Checking(BaseHTTPRequestHandler):
    """Refuses a body that is not the one whose digest the head has."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        digest = self.headers.get("x-amz-content-sha256")
        is_right = digest in (None, hashlib.sha256(body).hexdigest())
        self.send_response(200 if is_right else 403)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(RESULT)))
        self.end_headers()
        self.wfile.write(RESULT.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a server that checks digests."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Checking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/mcp"
        server.shutdown()
        thread.join()


@pytest.fixture
def hooked(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The hooks, and what they record."""
    with ExitStack() as stack:
        for instrumentor in (
            HttpClientInstrumentor(),
            AiohttpClientInstrumentor(),
            HttpxInstrumentor(),
        ):
            instrumentor.instrument(exchange=telemetry.exchange)
            stack.callback(instrumentor.uninstrument)
        yield telemetry


def with_urllib(url: str, headers: dict[str, str]) -> int:
    """Post as urllib does."""
    request = urllib.request.Request(url, data=CALL, headers=headers)  # noqa: S310  # HTTP
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  # HTTP
        status: int = response.status
        response.read()
    return status


def with_requests(url: str, headers: dict[str, str]) -> int:
    """Post as requests does."""
    return requests.post(url, data=CALL, headers=headers, timeout=60).status_code


def with_httpx(url: str, headers: dict[str, str]) -> int:
    """Post as httpx does."""
    return httpx.post(url, content=CALL, headers=headers).status_code


def with_aiohttp(url: str, headers: dict[str, str]) -> int:
    """Post as aiohttp does."""

    async def post() -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=CALL, headers=headers) as response,
        ):
            await response.read()
            return response.status

    return asyncio.run(post())


@pytest.mark.parametrize("post", [with_urllib, with_requests, with_httpx, with_aiohttp])
def test_a_signed_body_is_recorded_and_sent_as_it_is(
    hooked: Telemetry, url: str, post: Callable[[str, dict[str, str]], int]
) -> None:
    """The server that checks it takes it; one that is not signed carries context."""
    assert post(url, SIGNED) == 200
    assert hooked.bodies == [CALL.decode(), RESULT]

    assert post(url, HEADERS) == 200
    assert "traceparent" in json.loads(hooked.bodies[2])["params"]["_meta"]


def test_requests_and_responses_of_httpx_stay_the_hosts(hooked: Telemetry, url: str) -> None:
    """A request that carried context has the host's own body again; a response can be pickled."""
    with httpx.Client() as client:
        request = client.build_request("POST", url, content=CALL, headers=HEADERS)
        response = client.send(request, stream=True)
        response.read()

    assert "traceparent" in hooked.bodies[0]
    assert response.request.content == CALL
    assert response.request.headers["content-length"] == str(len(CALL))
    assert pickle.loads(pickle.dumps(response)).content == response.content  # noqa: S301  # ours


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", "AWS4-HMAC-SHA256 Credential=x/20261130/eu/a/aws4_request, Signature=y"),
        ("Content-MD5", "x"),
        ("Content-Digest", "sha-256=:x:"),
        ("Digest", "SHA-256=x"),
        ("Signature-Input", "sig1=()"),
        ("X-Hub-Signature-256", "sha256=x"),
        ("X-Slack-Signature", "v0=x"),
        ("x-amz-content-sha256", "x"),
        ("x-body_hash", "x"),
    ],
)
def test_a_signature_or_digest_is_known(header: tuple[str, str]) -> None:
    """As vendors and standards call them."""
    assert is_signed([("Accept", "*/*"), header])


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", "Bearer signature"),
        ("Content-Type", "application/json"),
        ("Mcp-Session-Id", "hash"),
        ("Design", "x"),
        ("X-Assignee", "x"),
    ],
)
def test_other_heads_sign_nothing(header: tuple[str, str]) -> None:
    """Their requests carry context."""
    assert not is_signed([header])
