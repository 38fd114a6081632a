"""R18: what OTLP's specification says about answers, row by row, over both transports."""

from __future__ import annotations

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from relayscope.collector.signals import LOGS, SIGNALS, TRACES, Signal
from tests import otlp_samples
from tests.fix_collector import JSON, PROTOBUF, export
from tests.fix_programs import eventually
from tests.otlp_samples import SPAN_ID, START, TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_collector import Collector, StartCollector

by_name = pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)


def one_bad_span() -> ExportTraceServiceRequest:
    """A request with a good span and one without a trace id."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    times = {"start_time_unix_nano": START, "end_time_unix_nano": START}
    spans.add(trace_id=TRACE_ID, span_id=SPAN_ID, **times)
    spans.add(span_id=SPAN_ID, **times)
    return request


@pytest.fixture
def channel(shared_collector: Collector) -> Iterator[grpc.Channel]:
    """To the shared_collector."""
    with grpc.insecure_channel(shared_collector.grpc) as channel:
        yield channel


@by_name
def test_an_empty_request_succeeds(
    shared_collector: Collector, channel: grpc.Channel, signal: Signal
) -> None:
    """Full success leaves partial_success unset: the answer has no bytes, or is `{}`."""
    assert export(channel, signal, b"") == b""
    assert shared_collector.post(signal.name, b"")[::2] == (200, b"")
    assert shared_collector.post(signal.name, b"{}", JSON)[::2] == (200, b"{}")


def test_the_answer_has_the_content_type_of_the_request(shared_collector: Collector) -> None:
    """Also when that names a character set, and when it is an error."""
    sent = {PROTOBUF: b"", JSON: b"{}", f"{JSON}; charset=utf-8": b"{}"}
    for media_type, body in sent.items():
        expected = media_type.partition(";")[0]
        assert shared_collector.post("logs", body, media_type).headers["content-type"] == expected
        assert (
            shared_collector.post("logs", b"\xff", media_type).headers["content-type"] == expected
        )


def test_gzip_is_understood(shared_collector: Collector) -> None:
    """Servers must support it, and none."""
    raw = otlp_samples.logs().SerializeToString()
    assert shared_collector.post("logs", gzip.compress(raw), content_encoding="gzip").status == 200
    assert shared_collector.post("logs", raw, content_encoding="identity").status == 200


@pytest.mark.parametrize(
    ("body", "media_type", "encoding", "answered"),
    [
        (b"\xff", PROTOBUF, "identity", (400, grpc.StatusCode.INVALID_ARGUMENT)),
        (b"{", JSON, "identity", (400, grpc.StatusCode.INVALID_ARGUMENT)),
        (b"{}", "text/plain", "identity", (415, grpc.StatusCode.INVALID_ARGUMENT)),
        (b"{}", JSON, "br", (415, grpc.StatusCode.INVALID_ARGUMENT)),
        (b"{}", JSON, "gzip", (400, grpc.StatusCode.INVALID_ARGUMENT)),
        (b" " * 21_000_000, JSON, "identity", (413, grpc.StatusCode.RESOURCE_EXHAUSTED)),
    ],
)
def test_what_is_wrong_for_good_is_refused_without_a_word_of_retrying(
    shared_collector: Collector,
    body: bytes,
    media_type: str,
    encoding: str,
    answered: tuple[int, grpc.StatusCode],
) -> None:
    """Permanent refusals: a `Status` in the request's content type, no Retry-After."""
    status, code = answered
    reply = shared_collector.post("logs", body, media_type, content_encoding=encoding)
    assert reply.status == status
    assert "retry-after" not in reply.headers
    if media_type == PROTOBUF:
        said = Status.FromString(reply.body)
        assert (said.code, list(said.details)) == (code.value[0], [])
        assert said.message
    else:
        said_json = json.loads(reply.body)
        assert said_json.keys() == {"code", "message"}
        assert said_json["code"] == code.value[0]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405(shared_collector: Collector, method: str) -> None:
    """And the answer says which one it is."""
    reply = shared_collector.ask(method, "/v1/logs")
    assert reply.status == 405
    assert "POST" in json.loads(reply.body)["message"]
    assert reply.headers["allow"] == "POST"


def test_another_path_is_404(shared_collector: Collector) -> None:
    """Nothing else is served; whoever has left out the end of the address is told it."""
    assert shared_collector.ask("POST", "/v1/profiles").status == 404
    for method in ("GET", "POST"):
        reply = shared_collector.ask(method, "/")
        assert reply.status == 404
        assert "/v1/traces, /v1/logs, /v1/metrics" in json.loads(reply.body)["message"]


def test_bad_bytes_over_grpc_are_invalid_argument(
    channel: grpc.Channel,
) -> None:
    """Permanent: no RetryInfo in the trailers."""
    with pytest.raises(grpc.RpcError) as caught:
        export(channel, LOGS, b"\xff")
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    trailers = dict(error.trailing_metadata())
    assert "google.rpc.retryinfo-bin" not in trailers
    assert list(Status.FromString(trailers["grpc-status-details-bin"]).details) == []


def test_partial_success_counts_what_was_not_stored(
    shared_collector: Collector, channel: grpc.Channel
) -> None:
    """200, the count and a reason; the client must not send it again."""
    raw = one_bad_span().SerializeToString()
    expected = ExportTraceServiceResponse()
    expected.partial_success.rejected_spans = 1
    expected.partial_success.error_message = "1: span without a valid trace id and span id"
    assert ExportTraceServiceResponse.FromString(export(channel, TRACES, raw)) == expected
    reply = shared_collector.post("traces", raw)
    assert (reply.status, ExportTraceServiceResponse.FromString(reply.body)) == (200, expected)
    reply = shared_collector.post(
        "traces", json.dumps(otlp_samples.as_json(one_bad_span())).encode(), JSON
    )
    assert json.loads(reply.body) == {
        "partialSuccess": {
            "rejectedSpans": "1",
            "errorMessage": "1: span without a valid trace id and span id",
        }
    }


def test_full_success_leaves_partial_success_unset(
    channel: grpc.Channel,
) -> None:
    """Set with a count of zero it would be a warning."""
    answer = export(channel, LOGS, otlp_samples.logs().SerializeToString())
    assert not ExportLogsServiceResponse.FromString(answer).HasField("partial_success")


def test_unknown_fields_are_ignored_in_both_encodings(shared_collector: Collector) -> None:
    """A newer sender is understood as far as possible."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add()
    assert (
        shared_collector.post("logs", request.SerializeToString() + b"\xfa\x06\x01x").status == 200
    )
    assert shared_collector.post("logs", b'{"resourceLogs": [{"newer": {}}]}', JSON).status == 200


@pytest.fixture
def small(start_collector: StartCollector) -> Collector:
    """A collector with room for one request."""
    return start_collector(
        environment={
            "RELAYSCOPE_GRPC_MAX_MESSAGE": "1000",
            "RELAYSCOPE_HTTP_MAX_BODY": "1000",
            "RELAYSCOPE_MAX_IN_FLIGHT": "1000",
        }
    )


@contextmanager
def filled(collector: Collector) -> Iterator[None]:
    """Let a request that does not end take the room."""
    host, _, port = collector.http.rpartition(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n"
            b"content-length: 1000\r\n\r\n" + bytes(990)
        )
        eventually(lambda: b"in_flight_bytes 1000" in collector.ask("GET", "/metrics").body)
        yield


def test_what_is_wrong_for_now_says_when_to_come_back(small: Collector) -> None:
    """RetryInfo under both trailer keys, Retry-After over HTTP: 1 to 3 s, or clients give up."""
    raw = b"\xfa\x06\x20" + bytes(32)
    with filled(small):
        with grpc.insecure_channel(small.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
            export(channel, LOGS, raw)
        reply = small.post("logs", raw)
        as_json = small.post("logs", raw, JSON)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    trailers = dict(error.trailing_metadata())
    said = Status.FromString(trailers["grpc-status-details-bin"])
    retry_info = RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
    assert said.code == grpc.StatusCode.UNAVAILABLE.value[0]
    assert 1 <= retry_info.retry_delay.seconds <= 3
    unpacked = RetryInfo()
    assert said.details[0].Unpack(unpacked)
    assert unpacked == retry_info

    assert reply.status == 429
    assert 1 <= int(reply.headers["retry-after"]) <= 3
    assert Status.FromString(reply.body).details[0].Is(RetryInfo.DESCRIPTOR)
    (detail,) = json.loads(as_json.body)["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.RetryInfo"


def test_what_was_refused_for_now_is_stored_once_there_is_room(small: Collector) -> None:
    """Nothing that was refused keeps room, or a place among those that wait for it."""
    raw = b"\xfa\x06\x20" + bytes(32)
    with filled(small), ThreadPoolExecutor(50) as pool:
        refused = pool.map(lambda _: small.post("logs", raw).status, range(50))
        assert set(refused) == {429}
    eventually(lambda: small.post("logs", raw).status == 200)
