"""OTLP's JSON encoding becomes the same messages as protobuf, and nothing else becomes one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs

from relayscope.collector.errors import Malformed
from relayscope.collector.ingest.decode import parse
from relayscope.collector.ingest.decode.otlp_json import parse_json
from relayscope.collector.signals import LOGS, METRICS, SIGNALS, TRACES, Signal
from tests import otlp_samples
from tests.otlp_samples import delimited

if TYPE_CHECKING:
    from google.protobuf.message import Message

FIRST_RECORD = "resourceLogs[0].scopeLogs[0].logRecords[0]"

GOLDEN = [
    (TRACES, otlp_samples.traces()),
    (LOGS, otlp_samples.logs()),
    (METRICS, otlp_samples.metrics()),
]


def of_signal(signal: Signal) -> str:
    """The name of a test case."""
    return signal.name


def record(**fields: Any) -> bytes:
    """A request with one log record, as JSON."""
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [fields]}]}]}).encode()


def parsed_record(raw: bytes) -> Any:
    """The one log record of a request."""
    request: Any = parse_json(LOGS, raw)
    return request.resource_logs[0].scope_logs[0].log_records[0]


def attribute(value: object) -> bytes:
    """A request with one log record with one attribute."""
    return record(attributes=[{"key": "k", "value": value}])


@pytest.mark.parametrize(("signal", "golden"), GOLDEN, ids=lambda value: getattr(value, "name", ""))
def test_every_field_reads_as_in_protobuf(signal: Signal, golden: Message) -> None:
    """A request with every field set is the same message in both encodings."""
    raw = json.dumps(otlp_samples.as_json(golden)).encode()
    assert parse_json(signal, raw) == golden


@pytest.mark.parametrize("spelling", [1764000000123456789, "1764000000123456789"])
def test_64_bit_integers_come_as_number_or_text(spelling: object) -> None:
    """JavaScript writes text, others write numbers."""
    assert parsed_record(record(timeUnixNano=spelling)).time_unix_nano == 1764000000123456789


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        (0.5, 0.5),
        (1, 1.0),
        ("0.25", 0.25),
        ("Infinity", float("inf")),
        ("-Infinity", -float("inf")),
    ],
)
def test_doubles_come_as_number_or_text(spelling: object, value: float) -> None:
    """Values for which JSON has no number come as text."""
    read = parsed_record(attribute({"doubleValue": spelling}))
    assert read.attributes[0].value.double_value == value


def test_unknown_fields_are_ignored() -> None:
    """A newer sender is understood as far as possible."""
    raw = json.dumps({"resourceLogs": [{"new": {"x": [1]}}], "newer": 1}).encode()
    assert parse_json(LOGS, raw) == ExportLogsServiceRequest(resource_logs=[ResourceLogs()])


@pytest.mark.parametrize(("signal", "golden"), GOLDEN, ids=lambda value: getattr(value, "name", ""))
def test_the_names_of_before_otlp_0_15_are_read(signal: Signal, golden: Message) -> None:
    """Exporters of before June 2022 call scopes instrumentation libraries; nothing is lost."""
    raw = json.dumps(otlp_samples.as_json(golden)).replace('"scope', '"instrumentationLibrary')
    assert '"instrumentationLibrary"' in raw
    assert parse_json(signal, raw.encode()) == golden


def test_null_is_as_if_absent() -> None:
    """As in protobuf's JSON."""
    assert parsed_record(record(body=None, timeUnixNano=None)) == parsed_record(record())


def test_an_empty_value_is_a_value() -> None:
    """`{"stringValue": ""}` is an empty text, `{}` is nothing."""
    assert parsed_record(record(body={"stringValue": ""})).body == AnyValue(string_value="")
    assert parsed_record(record(body={})).HasField("body")


@pytest.mark.parametrize("spelled", ["xyz", "4bf92f3577b34da6", "S/kvNXezTaajzpKdDg5HNg=="])
def test_an_id_that_is_none_costs_its_item_only(spelled: str) -> None:
    """The request is read; the id has a length that no id has."""
    assert len(parsed_record(record(traceId=spelled)).trace_id) != 16


def test_half_a_surrogate_pair_is_one_characters_fault() -> None:
    """JavaScript writes it; the rest of the request is kept."""
    assert parsed_record(record(body={"stringValue": "a\ud800b"})).body.string_value == "a\ufffdb"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'"x"',
        b"\xff",
        b'{"resourceLogs": {}}',
        b'{"resourceLogs": [1]}',
        record(timeUnixNano=-1),
        record(timeUnixNano=2**64),
        record(timeUnixNano=1e18),
        record(timeUnixNano="9" * 5000),
        record(timeUnixNano=0.5),
        record(timeUnixNano=True),
        record(severityNumber="SEVERITY_NUMBER_INFO"),
        record(severityText=1),
        record(traceId=1),
        attribute({"boolValue": 1}),
        attribute({"bytesValue": "not base64!"}),
        attribute({"doubleValue": "half"}),
        b'{"resourceLogs":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ],
)
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    """Wrong types, wrong ranges, wrong JSON, and nesting beyond any use."""
    with pytest.raises(Malformed):
        parse_json(LOGS, raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{", "it is no JSON"),
        (b"[]", "expected an object"),
        (b'{"resourceLogs": {}}', "expected a list as resourceLogs"),
        (b'{"resourceLogs": [{}, 1]}', "expected an object as resourceLogs[1]"),
        (
            record(severityNumber="SEVERITY_NUMBER_INFO"),
            f"expected an enum's number as {FIRST_RECORD}.severityNumber",
        ),
        (
            attribute({"boolValue": "hunter2"}),
            f"expected true or false as {FIRST_RECORD}.attributes[0].value.boolValue",
        ),
        (
            b'{"resourceLogs":[{"resource":{"attributes":[{"value":'
            + b'{"arrayValue":{"values":[' * 60
            + b"1"
            + b"]}}" * 60
            + b"}]}}]}",
            "arrayValue.values[0]...",
        ),
    ],
)
def test_a_refused_request_is_told_which_field_was_wrong(raw: bytes, said: str) -> None:
    """By names of OTLP's and places in lists; nothing that the request says is repeated."""
    with pytest.raises(Malformed) as caught:
        parse_json(LOGS, raw)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert len(str(caught.value)) < 300


def nested(depth: int) -> bytes:
    """An `AnyValue` with lists in lists, as bytes, for protobuf's own writer has a limit, too."""
    value = b""
    for _ in range(depth):
        values = delimited(0x0A, value)
        value = delimited(0x2A, values)
    return value


@pytest.mark.parametrize("depth", [0, 10, *range(40, 60)])
def test_values_nest_as_deep_as_in_protobuf(depth: int) -> None:
    """Both encodings accept and refuse the same depth."""
    as_json = '{"arrayValue":{"values":[' * depth + "{}" + "]}}" * depth
    raw_json = record(body="here").replace(b'"here"', as_json.encode())
    raw = nested(depth)
    for tag in (0x2A, 0x12, 0x12, 0x0A):  # body, log_records, scope_logs, resource_logs
        raw = delimited(tag, raw)
    try:
        request = parse(LOGS, raw)
    except Malformed:
        with pytest.raises(Malformed):
            parse_json(LOGS, raw_json)
    else:
        assert parse_json(LOGS, raw_json) == request


FIELDS = [
    *("resourceSpans", "scopeSpans", "spans", "resourceLogs", "scopeLogs", "logRecords"),
    *("attributes", "value", "key", "stringValue", "intValue", "bytesValue", "traceId"),
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text() | st.sampled_from(FIELDS),
            inner,
        )
    ),
)


@given(signal=st.sampled_from(SIGNALS), value=json_values)
def test_any_json_is_a_request_or_refused(signal: Signal, value: object) -> None:
    """Nothing else is ever raised."""
    try:
        message = parse_json(signal, json.dumps(value).encode())
    except Malformed:
        return
    parse(signal, message.SerializeToString())
