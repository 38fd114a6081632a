"""OTLP requests of what is no message."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from relayscope.instrumentation.delivery.encoding.otlp import account_request
from relayscope.instrumentation.delivery.forwarder.delivery_totals import DeliveryTotals


def account(totals: DeliveryTotals) -> LogRecord:
    """The record of an account, as a receiver reads it."""
    request = account_request(totals.attributes(), 1, {"service.name": "relay"})
    message = ExportLogsServiceRequest.FromString(request.body)
    return message.resource_logs[0].scope_logs[0].log_records[0]


def test_an_account_of_dropped_records_is_a_warning() -> None:
    """Its severity finds it, and its text says what happened; one in good order has neither."""
    totals = DeliveryTotals(emitted=1148, ended=True)
    assert account(totals).severity_number == SeverityNumber.SEVERITY_NUMBER_UNSPECIFIED
    assert not account(totals).HasField("body")
    totals.dropped["full"] = 100
    warning = account(totals)
    assert warning.severity_number == SeverityNumber.SEVERITY_NUMBER_WARN
    assert warning.body.string_value == "dropped: 100 full; of 1,148 records"
