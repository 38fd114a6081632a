"""R18: what OTLP's specification says about answers, row by row, over both transports."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
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
from tests.otlp_samples import SPAN_ID, START, TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_collector import Collector

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
def channel(collector: Collector) -> Iterator[grpc.Channel]:
    """To the collector."""
    with grpc.insecure_channel(collector.grpc) as channel:
        yield channel


@by_name
def test_an_empty_request_succeeds(
    collector: Collector, channel: grpc.Channel, signal: Signal
) -> None:
    """Full success leaves partial_success unset: the answer has no bytes, or is `{}`."""
    assert export(channel, signal, b"") == b""
    assert collector.post(signal.name, b"")[::2] == (200, b"")
    assert collector.post(signal.name, b"{}", JSON)[::2] == (200, b"{}")


def test_the_answer_has_the_content_type_of_the_request(collector: Collector) -> None:
    """Also when that names a character set, and when it is an error."""
    sent = {PROTOBUF: b"", JSON: b"{}", f"{JSON}; charset=utf-8": b"{}"}
    for media_type, body in sent.items():
        expected = media_type.partition(";")[0]
        assert collector.post("logs", body, media_type).headers["content-type"] == expected
        assert collector.post("logs", b"\xff", media_type).headers["content-type"] == expected


def test_gzip_is_understood(collector: Collector) -> None:
    """Servers must support it, and none."""
    raw = otlp_samples.logs().SerializeToString()
    assert collector.post("logs", gzip.compress(raw), content_encoding="gzip").status == 200
    assert collector.post("logs", raw, content_encoding="identity").status == 200


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
    collector: Collector,
    body: bytes,
    media_type: str,
    encoding: str,
    answered: tuple[int, grpc.StatusCode],
) -> None:
    """Permanent refusals: a `Status` in the request's content type, no Retry-After."""
    status, code = answered
    reply = collector.post("logs", body, media_type, content_encoding=encoding)
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
def test_another_method_is_405(collector: Collector, method: str) -> None:
    """And the answer says which one it is."""
    reply = collector.ask(method, "/v1/logs")
    assert reply.status == 405
    assert reply.headers["allow"] == "POST"


def test_another_path_is_404(collector: Collector) -> None:
    """Nothing else is served."""
    assert collector.ask("POST", "/v1/profiles").status == 404
    assert collector.ask("GET", "/").status == 404


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
    collector: Collector, channel: grpc.Channel
) -> None:
    """200, the count and a reason; the client must not send it again."""
    raw = one_bad_span().SerializeToString()
    expected = ExportTraceServiceResponse()
    expected.partial_success.rejected_spans = 1
    expected.partial_success.error_message = "1: span without a valid trace id and span id"
    assert ExportTraceServiceResponse.FromString(export(channel, TRACES, raw)) == expected
    reply = collector.post("traces", raw)
    assert (reply.status, ExportTraceServiceResponse.FromString(reply.body)) == (200, expected)
    reply = collector.post(
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


def test_unknown_fields_are_ignored_in_both_encodings(collector: Collector) -> None:
    """A newer sender is understood as far as possible."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add()
    assert collector.post("logs", request.SerializeToString() + b"\xfa\x06\x01x").status == 200
    assert collector.post("logs", b'{"resourceLogs": [{"newer": {}}]}', JSON).status == 200
