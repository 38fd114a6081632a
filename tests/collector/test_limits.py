"""R13 to R17: bombs, drips, giants and garbage cost a bounded amount of memory and an error."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from relayscope.collector.signals import LOGS, SIGNALS
from tests.fix_collector import JSON, PATIENCE, PROTOBUF, Collector, export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_collector import StartCollector

MIB = 2**20

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture
def impatient(start_collector: StartCollector) -> Collector:
    """A collector that gives senders one second."""
    return start_collector(environment={"RELAYSCOPE_RECEIVE_TIMEOUT": "1"})


def zeros_in_gzip(size: int) -> bytes:
    """A gzip member that inflates to so many zeros."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(deflate.compress(bytes(MIB)) for _ in range(size // MIB))
    return packed + deflate.flush()


@linux
def test_a_gzip_bomb_over_http_is_cut_at_the_limit(collector: Collector) -> None:
    """R13: a gigabyte of zeros is inflated to 20 MiB and one byte."""
    bomb = zeros_in_gzip(1024 * MIB)
    assert collector.post("logs", b"").status == 200
    collector.forget_peak_memory()
    before = collector.peak_memory()
    assert collector.post("logs", bomb, content_encoding="gzip").status == 413
    assert collector.peak_memory() - before < 48 * MIB


def test_many_empty_gzip_members_are_refused_at_the_second(collector: Collector) -> None:
    """R13: they cost quadratic time where they are inflated, and no output that a limit sees."""
    bomb = gzip.compress(b"") * 500_000
    assert collector.post("logs", bomb, content_encoding="gzip").status == 400


@pytest.mark.parametrize("cut", [1, 8, 15])
def test_gzip_that_is_cut_off_is_refused(collector: Collector, cut: int) -> None:
    """Half a request is not a request."""
    packed = gzip.compress(b"")[:-cut]
    assert collector.post("logs", packed, content_encoding="gzip").status == 400


@linux
def test_a_gzip_bomb_over_grpc_is_refused(collector: Collector) -> None:
    """R14: 200 KiB that inflate to 200 MiB."""
    channel = grpc.insecure_channel(
        collector.grpc,
        options=[("grpc.max_send_message_length", -1)],
        compression=grpc.Compression.Gzip,
    )
    with channel:
        export(channel, LOGS, b"")
        collector.forget_peak_memory()
        before = collector.peak_memory()
        with pytest.raises(grpc.RpcError) as caught:
            export(channel, LOGS, bytes(200 * MIB))
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "google.rpc.retryinfo-bin" not in dict(error.trailing_metadata() or ())
    assert collector.peak_memory() - before < 8 * MIB


@linux
@pytest.mark.parametrize("how", ["with a length", "in chunks"])
def test_a_giant_over_http_is_not_kept(collector: Collector, how: str) -> None:
    """R15: 200 MB, announced or not; the client is cut off or told 413."""

    def giant() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(MIB)

    assert collector.post("logs", b"").status == 200
    collector.forget_peak_memory()
    before = collector.peak_memory()
    headers = {"content-type": PROTOBUF}
    if how == "with a length":
        headers["content-length"] = str(200 * MIB)
    # It may stop listening before we stop talking.
    with contextlib.suppress(ConnectionError, http.client.HTTPException):
        assert collector.ask("POST", "/v1/logs", giant(), headers).status == 413
    assert collector.peak_memory() - before < 48 * MIB


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_is_exact(start_collector: StartCollector, over: int) -> None:
    """A request of the limit's size is read, one byte more is 413, packed or not."""
    collector = start_collector(environment={"RELAYSCOPE_HTTP_MAX_BODY": "100KiB"})
    body = b"{" + b" " * (100 * 1024 - 2 + over) + b"}"
    expected = 413 if over else 200
    assert collector.post("logs", body, JSON).status == expected
    assert collector.post("logs", gzip.compress(body), JSON, content_encoding="gzip").status == (
        expected
    )


def test_a_giant_over_grpc_is_refused(collector: Collector) -> None:
    """R15: gRPC's own limit, and not to be retried."""
    channel = grpc.insecure_channel(collector.grpc, options=[("grpc.max_send_message_length", -1)])
    with channel, pytest.raises(grpc.RpcError) as caught:
        export(channel, LOGS, bytes(5 * MIB))
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_body_that_drips_is_given_up(impatient: Collector) -> None:
    """R15: the client promised more than it sends, and is told to try again."""
    host, _, port = impatient.http.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        client.sendall(
            b"POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
            b"content-length: 1000\r\n\r\nabc"
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 503 ")


def test_a_head_that_drips_is_cut_off(impatient: Collector) -> None:
    """R15: a connection that never asks for anything is closed."""
    host, _, port = impatient.http.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        client.sendall(b"POST /v1/logs HTTP/1.1\r\nx-drip: ")
        assert client.recv(65536) == b""


def test_too_many_connections_are_told_to_come_back(start_collector: StartCollector) -> None:
    """503, which OTLP clients retry."""
    collector = start_collector(environment={"RELAYSCOPE_MAX_CONNECTIONS": "3"})
    host, _, port = collector.http.rpartition(":")
    idle = [socket.create_connection((host, int(port)), timeout=PATIENCE) for _ in range(4)]
    try:
        assert collector.post("logs", b"").status == 503
    finally:
        for client in idle:
            client.close()


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
@pytest.mark.parametrize("media_type", [PROTOBUF, JSON])
def test_garbage_is_400_and_tells_nothing(
    collector: Collector, signal: Any, media_type: str
) -> None:
    """R16: never 5xx, never a traceback."""
    deep = b'{"resourceLogs":' * 10_000
    for body in (
        b"\xff" * 1000,
        b"\0" * 1000,
        struct.pack("<Q", 2**63) * 9,
        deep,
        b"[]",
        b"canary",
    ):
        reply = collector.post(signal.name, body, media_type)
        assert reply.status == 400
        assert b"canary" not in reply.body
        assert b"Traceback" not in reply.body
    assert collector.post(signal.name, b"" if media_type == PROTOBUF else b"{}", media_type)
    assert not [line for line in collector.log if line.get("level") == "error"]


def test_nesting_is_refused_or_stored(collector: Collector) -> None:
    """R17: JSON 10,000 deep is an error, not a crash."""
    value = '{"arrayValue":{"values":[' * 10_000 + "{}" + "]}}" * 10_000
    raw = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": "here"}]}]}]})
    assert collector.post("logs", raw.replace('"here"', value).encode(), JSON).status == 400
    assert collector.ask("GET", "/healthz").status == 200
