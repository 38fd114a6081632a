"""Decoding: whatever a client sends becomes sanitized rows, or is counted, or is refused."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from relayscope.collector.errors import Malformed
from relayscope.collector.ingest.decode import Decoded, decode, parse
from relayscope.collector.ingest.decode.weight import messages_in
from relayscope.collector.signals import LOGS, METRICS, SIGNALS, TRACES, Signal
from relayscope.sanitizer import Rules, Sanitizer
from tests import otlp_samples
from tests.otlp_samples import SPAN_ID, START, TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from relayscope.sanitizer import Value

ARRIVED = START + 5_000_000_000
SANITIZER = Sanitizer.default()
GOLDEN: dict[Signal, Message] = {
    TRACES: otlp_samples.traces(),
    LOGS: otlp_samples.logs(),
    METRICS: otlp_samples.metrics(),
}


def decoded(signal: Signal, request: Message, sanitizer: Sanitizer = SANITIZER) -> Decoded:
    """The request as it is decoded in the collector."""
    raw = request.SerializeToString()
    return decode(signal, parse(signal, raw), raw, sanitizer, ARRIVED)


def log_row(**fields: Any) -> tuple[Any, ...]:
    """The row of one log record."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(**fields)
    (row,) = decoded(LOGS, request).batch.logs
    return cast("tuple[Any, ...]", row)


def spans(**fields: Any) -> Decoded:
    """One span, decoded."""
    valid = {"trace_id": TRACE_ID, "span_id": SPAN_ID}
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(**valid | fields)
    return decoded(TRACES, request)


def unix_nano(micros: int, nano: int) -> int:
    """The time that two columns hold."""
    return (micros + 946_684_800_000_000) * 1000 + nano


def json_of(column: bytes) -> Any:
    """Return the value in a jsonb column."""
    assert column[:1] == b"\x01"
    return orjson.loads(column[1:])


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_every_time_survives_to_the_nanosecond(start: int, end: int) -> None:
    """Also 1970, 2554, and an end before its start, which is marked."""
    row: Any = spans(start_time_unix_nano=start, end_time_unix_nano=end).batch.spans[0]
    assert unix_nano(row[0], row[1]) == start
    assert unix_nano(row[2], row[3]) == end
    marks = json_of(row[13]).get("relayscope.normalized", [])
    assert ("end_before_start" in marks) == (end < start)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"time_unix_nano": START, "observed_time_unix_nano": START + 1}, START),
        ({"observed_time_unix_nano": START + 1}, START + 1),
        ({}, ARRIVED),
    ],
)
def test_a_log_record_without_a_time_gets_the_nearest_known(
    sent: dict[str, int], stored: int
) -> None:
    """Its own, else when it was observed, else when it arrived."""
    row = log_row(**sent)
    assert unix_nano(row[0], row[1]) == stored


@pytest.mark.parametrize("trace_id", [b"", b"\0" * 16, b"x" * 15, b"x" * 17])
def test_a_span_without_a_valid_id_is_counted_not_stored(trace_id: bytes) -> None:
    """The others of its request are stored."""
    request = ExportTraceServiceRequest()
    sent = request.resource_spans.add().scope_spans.add().spans
    sent.add(trace_id=trace_id, span_id=SPAN_ID)
    sent.add(trace_id=TRACE_ID, span_id=SPAN_ID)
    result = decoded(TRACES, request)
    assert len(result.batch.spans) == 1
    assert result.rejected == {"span without a valid trace id and span id": 1}


@pytest.mark.parametrize(
    ("sent", "stored", "marks"),
    [(b"", None, []), (b"\0" * 16, None, []), (b"x" * 15, None, ["trace_id"])],
)
def test_a_log_record_with_a_wrong_trace_id_is_kept_without_it(
    sent: bytes, stored: object, marks: list[str]
) -> None:
    """Marked, unless the id says that there is none."""
    row = log_row(trace_id=sent)
    assert row[4] is stored
    assert json_of(row[12]).get("relayscope.normalized", []) == marks


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [("severity_number", 2**31 - 1, 7), ("severity_number", -1, 7)],
)
def test_an_enum_that_means_nothing_is_zero_and_marked(field: str, value: int, column: int) -> None:
    """PostgreSQL's column is narrower than protobuf's enum."""
    row = log_row(**{field: value})
    assert row[column] == 0
    assert json_of(row[12])["relayscope.normalized"] == [field]


def test_a_repeated_key_keeps_its_last_value() -> None:
    """OTLP says that keys are unique; somebody will not."""
    pairs = [{"key": "k", "value": {"string_value": text}} for text in ("a", "b")]
    assert json_of(log_row(attributes=pairs)[12]) == {"k": "b"}


def test_numbers_that_json_lacks_are_text() -> None:
    """NaN and the infinities in attributes, bounds and exemplars."""
    infinite = float("inf")
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    point = metric.histogram.data_points.add(
        time_unix_nano=START, explicit_bounds=[-infinite, infinite], sum=float("nan")
    )
    point.attributes.add(key="k").value.double_value = float("nan")
    point.exemplars.add(as_double=infinite)
    row: Any = decoded(METRICS, request).batch.points[0]
    assert json_of(row[16])["bounds"] == ["-Infinity", "Infinity"]
    assert json_of(row[16])["exemplars"][0]["value"] == "Infinity"
    assert isinstance(json_of(row[18])["k"], str)


def test_a_request_is_known_by_its_bytes_and_its_signal() -> None:
    """The same bytes are the same request, but not of another signal."""
    empty = ExportLogsServiceRequest()
    assert decoded(LOGS, empty).batch.digest == decoded(LOGS, empty).batch.digest
    assert decoded(LOGS, empty).batch.digest != decoded(TRACES, empty).batch.digest
    assert len(decoded(LOGS, empty).batch.digest) == 16


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_messages_are_counted_as_protobuf_parses_them(signal: Signal) -> None:
    """Before the parser makes memory of them."""
    request = GOLDEN[signal]
    parsed = sum(1 for _ in otlp_samples.parts(request)) - 1
    assert messages_in(request.SerializeToString(), signal.descriptor) == parsed


@given(raw=st.binary())
def test_counting_survives_any_bytes(raw: bytes) -> None:
    """It is the first to look at them."""
    messages_in(raw, LOGS.descriptor)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_the_golden_request_forgets_no_field(signal: Signal) -> None:
    """The golden tests compare every field, but for the dictionary of profiles."""
    profiles_only = {"AnyValue.string_value_strindex", "KeyValue.key_strindex"}
    assert otlp_samples.fields_never_set(GOLDEN[signal]) - profiles_only == set()


class _Censor(Sanitizer):
    """Replaces every text it is shown, so that what is left was never shown."""

    def attributes(self, attributes: dict[str, Value]) -> dict[str, Value]:
        return self.record(attributes, None)[0]

    def record(self, attributes: dict[str, Value], body: Value) -> tuple[dict[str, Value], Value]:
        censored = {f"seen.{i}": _censored(value) for i, value in enumerate(attributes.values())}
        return censored, _censored(body)

    def records(
        self, records: Sequence[tuple[dict[str, Value], Value]]
    ) -> Sequence[tuple[dict[str, Value], Value]]:
        return [self.record(attributes, body) for attributes, body in records]


def _censored(value: Value) -> Value:
    if isinstance(value, str):
        return "seen"
    if isinstance(value, list):
        return [_censored(item) for item in value]
    if isinstance(value, dict):
        return {f"seen.{i}": _censored(item) for i, item in enumerate(value.values())}
    return None


def _with_canaries(message: Any) -> int:
    """Put a canary into every text field; how many there are."""
    planted = 0
    for field, value in message.ListFields():
        if field.message_type is not None:
            for item in value if field.is_repeated else [value]:
                planted += _with_canaries(item)
        elif field.type == field.TYPE_STRING:
            if field.is_repeated:
                value[:] = ["canary"] * len(value)
            else:
                setattr(message, field.name, "canary" + value)
            planted += 1
    return planted


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_every_text_passes_the_sanitizer(signal: Signal) -> None:
    """Names, keys, values, bodies, events, links, resource, scope, trace state, exemplars, all."""
    request = type(GOLDEN[signal]).FromString(GOLDEN[signal].SerializeToString())
    assert _with_canaries(request) > 50
    batch = decoded(signal, request, _Censor(Rules())).batch
    rows = [*batch.spans, *batch.logs, *batch.points]
    assert len(rows) > 1
    assert "canary" not in repr([rows, batch.resources, batch.scopes])


@given(signal=st.sampled_from(SIGNALS), raw=st.binary())
def test_any_bytes_are_a_request_or_refused(signal: Signal, raw: bytes) -> None:
    """Nothing but `Malformed` is ever raised."""
    try:
        request = parse(signal, raw)
    except Malformed:
        return
    decode(signal, request, raw, SANITIZER, ARRIVED)


@given(signal=st.sampled_from(SIGNALS), seed=st.integers(0, 2**32), edits=st.integers(1, 20))
def test_any_damage_to_a_request_is_survived(signal: Signal, seed: int, edits: int) -> None:
    """Flipped, cut, doubled: what still parses still becomes rows."""
    chance = random.Random(seed)
    raw = bytearray(GOLDEN[signal].SerializeToString())
    for _ in range(edits):
        at = chance.randrange(len(raw))
        match chance.randrange(3):
            case 0:
                raw[at] = chance.randrange(256)
            case 1:
                del raw[at : at + chance.randrange(4)]
            case 2:
                raw[at:at] = raw[at : at + chance.randrange(8)]
    try:
        request = parse(signal, bytes(raw))
    except Malformed:
        return
    decode(signal, request, bytes(raw), SANITIZER, ARRIVED)
