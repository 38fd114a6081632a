"""Checks of an HTTP request's head before its path counts."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fix_collector import Collector, StartCollector

PATHS = ("/healthz", "/metrics", "/v1/logs", "/nothing")


def ask(collector: Collector, head: str, body: bytes = b"") -> str:
    """Return the answer to a request that is written by hand, to its end."""
    host, port = collector.http.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer.decode()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:4318",
        "localhost.attacker.example",
        "127.0.0.1.nip.io",
        "",
        "a b",
        "[::1",
        "localhost@attacker.example",
    ],
)
def test_another_name_reaches_nothing(shared_collector: Collector, host: str, path: str) -> None:
    """DNS rebinding: a page whose name leads to loopback gets no answer but a refusal."""
    method = "POST" if path == "/v1/logs" else "GET"
    answer = ask(shared_collector, f"{method} {path} HTTP/1.1\nhost: {host}\ncontent-length: 0\n\n")
    status = answer.split(" ", 2)[1]
    assert status in {"421", "400"}
    assert "relayscope_" not in answer


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:4318",
        "relayscope.localhost",
        "127.0.0.1:1",
        "[::1]:4318",
        "10.1.2.3",
    ],
)
def test_its_own_names_and_addresses_are_let_in(shared_collector: Collector, host: str) -> None:
    """Addresses are no names, so nobody can let them lead elsewhere."""
    answer = ask(shared_collector, f"GET /healthz HTTP/1.1\nhost: {host}\nconnection: close\n\n")
    assert answer.startswith("HTTP/1.1 200 ")


def test_names_can_be_added(start_collector: StartCollector) -> None:
    """A proxy before it asks for the name by which it is known itself."""
    collector = start_collector(environment={"RELAYSCOPE_HTTP_HOSTS": '["otel.example"]'})
    head = "GET /healthz HTTP/1.1\nhost: OTEL.example:443\nconnection: close\n\n"
    assert ask(collector, head).startswith("HTTP/1.1 200 ")
    told = ask(collector, head.replace("OTEL", "metrics"))
    assert told.startswith("HTTP/1.1 421 ")
    assert "RELAYSCOPE_HTTP_HOSTS" in told


def test_two_lengths_are_refused(shared_collector: Collector) -> None:
    """Content-Length beside Transfer-Encoding: one refusal, and the connection ends."""
    smuggled = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n"
    answer = ask(
        shared_collector,
        "POST /v1/logs HTTP/1.1\nhost: localhost\ncontent-type: application/json\n"
        f"content-length: {len(smuggled)}\ntransfer-encoding: chunked\n\n",
        smuggled,
    )
    assert answer.startswith("HTTP/1.1 400 ")
    assert answer.count("HTTP/1.1") == 1


def test_a_length_that_is_too_large_is_refused_before_anything_comes(
    shared_collector: Collector,
) -> None:
    """The answer is there although not one byte of the body was sent."""
    for length in (21 * 2**20, 2**40):
        host, port = shared_collector.http.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(
                b"POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\n\r\n" % length
            )
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ")
