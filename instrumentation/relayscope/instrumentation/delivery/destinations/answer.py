"""The answer of a receiver to a request that it took."""

from typing import NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from relayscope.instrumentation.delivery.encoding.otlp import Signal


class Answer(NamedTuple):
    """The receiver's answer to a request that it took.

    Attributes:
        rejected: Number of its records that were not taken (partial success).
        message: The reason, or a warning; empty if all is well.
    """

    rejected: int
    message: str


def parse_answer(signal: Signal, data: bytes) -> Answer:
    """Return the answer in these bytes; one that cannot be read is a plain yes."""
    try:
        if signal is Signal.LOGS:
            logs = ExportLogsServiceResponse.FromString(data).partial_success
            return Answer(logs.rejected_log_records, logs.error_message)
        traces = ExportTraceServiceResponse.FromString(data).partial_success
        return Answer(traces.rejected_spans, traces.error_message)
    except DecodeError:
        return Answer(0, "the answer is not OTLP's")
