"""R13 to R17: bombs, drips, giants and garbage cost a bounded amount of memory and an error."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import struct
import sys
import threading
import zlib
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from relayscope.collector.signals import LOGS, SIGNALS
from tests.fix_collector import JSON, PATIENCE, PROTOBUF, Collector, export
from tests.fix_programs import eventually
from tests.otlp_samples import delimited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_collector import StartCollector

MIB = 2**20

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture(scope="module")
def impatient(start_shared_collector: StartCollector) -> Collector:
    """A collector that gives senders one second."""
    return start_shared_collector(environment={"RELAYSCOPE_RECEIVE_TIMEOUT": "1"})


def zeros_in_gzip(gibibytes: int) -> bytes:
    """A gzip member that inflates to so many zeros; nobody gets as far as its checksum."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    # After a full flush what follows depends on nothing before, so it can be repeated.
    head = deflate.compress(bytes(MIB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = b"".join(deflate.compress(bytes(MIB)) for _ in range(1024))
    block += deflate.flush(zlib.Z_FULL_FLUSH)
    return head + block * gibibytes + deflate.flush()


@linux
def test_a_gzip_bomb_over_http_is_cut_at_the_limit(shared_collector: Collector) -> None:
    """R13: ten gigabytes of zeros, ten megabytes packed, are inflated to 20 MiB and one byte."""
    bomb = zeros_in_gzip(10)
    assert 9 * MIB < len(bomb) < 20 * MIB
    assert shared_collector.post("logs", b"").status == 200
    shared_collector.forget_peak_memory()
    before = shared_collector.peak_memory()
    assert shared_collector.post("logs", bomb, content_encoding="gzip").status == 413
    assert shared_collector.peak_memory() - before < 48 * MIB


def test_many_empty_gzip_members_are_refused_at_the_second(shared_collector: Collector) -> None:
    """R13: they cost quadratic time where they are inflated, and no output that a limit sees."""
    bomb = gzip.compress(b"") * 1_000_000
    assert shared_collector.post("logs", bomb, content_encoding="gzip").status == 400


@pytest.mark.parametrize("cut", [1, 8, 15])
def test_gzip_that_is_cut_off_is_refused(shared_collector: Collector, cut: int) -> None:
    """Half a request is not a request."""
    packed = gzip.compress(b"")[:-cut]
    assert shared_collector.post("logs", packed, content_encoding="gzip").status == 400


@linux
def test_a_gzip_bomb_over_grpc_is_refused(shared_collector: Collector) -> None:
    """R14: 200 KiB that inflate to 200 MiB."""
    channel = grpc.insecure_channel(
        shared_collector.grpc,
        options=[("grpc.max_send_message_length", -1)],
        compression=grpc.Compression.Gzip,
    )
    with channel:
        export(channel, LOGS, b"")
        shared_collector.forget_peak_memory()
        before = shared_collector.peak_memory()
        with pytest.raises(grpc.RpcError) as caught:
            export(channel, LOGS, bytes(200 * MIB))
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "google.rpc.retryinfo-bin" not in dict(error.trailing_metadata() or ())
    assert shared_collector.peak_memory() - before < 8 * MIB


@linux
@pytest.mark.parametrize("how", ["with a length", "in chunks"])
def test_a_giant_over_http_is_not_kept(shared_collector: Collector, how: str) -> None:
    """R15: 200 MB, announced or not; the client is cut off or told 413."""

    def giant() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(MIB)

    assert shared_collector.post("logs", b"").status == 200
    shared_collector.forget_peak_memory()
    before = shared_collector.peak_memory()
    headers = {"content-type": PROTOBUF}
    if how == "with a length":
        headers["content-length"] = str(200 * MIB)
    # It may stop listening before we stop talking.
    with contextlib.suppress(ConnectionError, http.client.HTTPException):
        assert shared_collector.ask("POST", "/v1/logs", giant(), headers).status == 413
    assert shared_collector.peak_memory() - before < 48 * MIB


def test_the_limit_is_exact(start_collector: StartCollector) -> None:
    """A request of the limit's size is read, one byte more is 413, packed or not."""
    collector = start_collector(environment={"RELAYSCOPE_HTTP_MAX_BODY": "100KiB"})
    for over, expected in ((0, 200), (1, 413)):
        body = b"{" + b" " * (100 * 1024 - 2 + over) + b"}"
        packed = gzip.compress(body)
        assert collector.post("logs", body, JSON).status == expected
        assert collector.post("logs", packed, JSON, content_encoding="gzip").status == expected


def test_a_giant_over_grpc_is_refused(shared_collector: Collector) -> None:
    """R15: gRPC's own limit, and not to be retried."""
    channel = grpc.insecure_channel(
        shared_collector.grpc, options=[("grpc.max_send_message_length", -1)]
    )
    with channel, pytest.raises(grpc.RpcError) as caught:
        export(channel, LOGS, bytes(5 * MIB))
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_body_that_drips_is_given_up(impatient: Collector) -> None:
    """R15: the client promised more than it sends, and is told to try again."""
    host, _, port = impatient.http.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        client.sendall(
            b"POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n"
            b"content-length: 1000\r\n\r\nabc"
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 503 ")


def test_a_head_that_drips_is_cut_off(impatient: Collector) -> None:
    """R15: a connection that never asks for anything is closed."""
    host, _, port = impatient.http.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        client.sendall(b"POST /v1/logs HTTP/1.1\r\nx-drip: ")
        assert client.recv(65536) == b""


def test_a_message_that_never_comes_over_grpc_is_given_up(impatient: Collector) -> None:
    """R15: the call has begun, its message does not follow."""
    silence = threading.Event()

    def messages() -> Iterator[bytes]:
        silence.wait(PATIENCE)
        yield from ()

    with grpc.insecure_channel(impatient.grpc) as channel:
        calling: Any = channel.stream_unary(f"/{LOGS.service}/Export")
        with pytest.raises(grpc.RpcError, match=r"UNAVAILABLE[\s\S]*did not arrive"):
            calling(messages(), timeout=PATIENCE)
        silence.set()

        def is_served() -> bool:
            # On a busy machine a message that has been sent may be late, too.
            with contextlib.suppress(grpc.RpcError):
                return export(channel, LOGS, b"") == b""
            return False

        eventually(is_served)


@linux
def test_what_is_refused_over_grpc_is_not_read(start_collector: StartCollector) -> None:
    """R15: who has no token takes no memory, whatever is in the message."""
    tokens = '[{"name": "relay", "token": "0123456789abcdef"}]'
    collector = start_collector(environment={"RELAYSCOPE_TOKENS": tokens})
    with contextlib.ExitStack() as stack:
        options = [("grpc.use_local_subchannel_pool", 1)]
        calls: list[Any] = [
            stack.enter_context(grpc.insecure_channel(collector.grpc, options=options)).unary_unary(
                f"/{LOGS.service}/Export"
            )
            for _ in range(16)
        ]
        collector.forget_peak_memory()
        before = collector.peak_memory()
        for answer in [call.future(bytes(4 * MIB - 100)) for call in calls]:
            assert answer.code() is grpc.StatusCode.UNAUTHENTICATED
        assert collector.peak_memory() - before < 16 * MIB


def test_too_many_grpc_connections_are_cut_off(start_collector: StartCollector) -> None:
    """The limit is that of HTTP; an OTLP client takes it for a collector that is away."""
    collector = start_collector(environment={"RELAYSCOPE_MAX_CONNECTIONS": "3"})
    with contextlib.ExitStack() as stack:

        def connect() -> grpc.Channel:
            options = [("grpc.use_local_subchannel_pool", 1)]
            return stack.enter_context(grpc.insecure_channel(collector.grpc, options=options))

        for _ in range(3):
            assert export(connect(), LOGS, b"") == b""
        with pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
            export(connect(), LOGS, b"")


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


EMPTY = 1_900_000
BOMBS = {
    "resources": b"\x0a\x00" * EMPTY,
    "records": delimited(0x0A, delimited(0x12, b"\x12\x00" * EMPTY)),
    "attributes": delimited(0x0A, delimited(0x12, delimited(0x12, b"\x32\x00" * EMPTY))),
}


@linux
@pytest.mark.parametrize("kind", BOMBS)
def test_messages_without_content_are_counted_before_they_take_memory(
    shared_collector: Collector, kind: str
) -> None:
    """Two bytes on the wire, a hundred in memory, and a row of half a kilobyte."""
    assert shared_collector.post("logs", b"").status == 200
    shared_collector.forget_peak_memory()
    before = shared_collector.peak_memory()
    # On a busy machine the collector may ask to send it again.
    eventually(lambda: shared_collector.post("logs", BOMBS[kind]).status == 413)
    with grpc.insecure_channel(shared_collector.grpc) as channel:

        def code() -> grpc.StatusCode:
            with pytest.raises(grpc.RpcError) as caught:
                export(channel, LOGS, BOMBS[kind])
            error: Any = caught.value
            found: grpc.StatusCode = error.code()
            return found

        eventually(lambda: code() is grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert shared_collector.peak_memory() - before < 48 * MIB


@linux
def test_objects_without_content_are_counted_before_they_take_memory(
    shared_collector: Collector,
) -> None:
    """The same in JSON."""
    records = b",".join([b"{}"] * EMPTY)
    raw = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + records + b"]}]}]}"
    assert shared_collector.post("logs", b"{}", JSON).status == 200
    shared_collector.forget_peak_memory()
    before = shared_collector.peak_memory()
    # On a busy machine the collector may ask to send it again.
    eventually(lambda: shared_collector.post("logs", raw, JSON).status == 413)
    assert shared_collector.peak_memory() - before < 48 * MIB


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
@pytest.mark.parametrize("media_type", [PROTOBUF, JSON])
def test_garbage_is_400_and_tells_nothing(
    shared_collector: Collector, signal: Any, media_type: str
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
        reply = shared_collector.post(signal.name, body, media_type)
        assert reply.status == 400
        assert b"canary" not in reply.body
        assert b"Traceback" not in reply.body
    assert shared_collector.post(signal.name, b"" if media_type == PROTOBUF else b"{}", media_type)
    assert not [line for line in shared_collector.log if line.get("level") == "error"]


def test_nesting_is_refused_or_stored(shared_collector: Collector) -> None:
    """R17: JSON 10,000 deep is an error, not a crash."""
    value = '{"arrayValue":{"values":[' * 10_000 + "{}" + "]}}" * 10_000
    raw = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": "here"}]}]}]})
    assert shared_collector.post("logs", raw.replace('"here"', value).encode(), JSON).status == 400
    assert shared_collector.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize(("depth", "stored"), [(48, True), (49, False), (1000, False)])
def test_nesting_in_protobuf_is_refused_where_its_parser_does(
    shared_collector: Collector,
    depth: int,
    stored: bool,  # noqa: FBT001  # the expected outcome
) -> None:
    """R17: 48 lists in one another are stored, one more is refused for good, at both doors."""
    value = b""
    # AnyValue.array_value.values: each is two messages deep, and the parser takes a hundred.
    for _ in range(depth):
        value = delimited(0x2A, delimited(0x0A, value))
    raw = delimited(0x0A, delimited(0x12, delimited(0x12, delimited(0x2A, value))))
    assert shared_collector.post("logs", raw).status == (200 if stored else 400)
    with grpc.insecure_channel(shared_collector.grpc) as channel:
        if stored:
            assert export(channel, LOGS, raw) == b""
            return
        with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT"):
            export(channel, LOGS, raw)
