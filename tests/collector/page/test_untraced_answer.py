"""An odd message that is in no trace is shown where it did its harm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_WARN
from playwright.sync_api import expect

from relayscope.conventions.attributes import MESSAGE_ODD
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

TRACE = 0x0DD
REQUEST = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}'
ORPHAN = '{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"Method not found"}}'


def test_an_answer_to_no_request_is_in_the_trace_on_whose_connection_it_came(
    shared_collector: Collector, open_page: OpenPage
) -> None:
    """As an arrow of its own, which can be chosen; one that came later is not there."""
    at = time.time_ns() - 60 * SECOND
    odd = [
        message(0, 0, at + after, "error", ORPHAN, sequence=place, extra={MESSAGE_ODD: what})
        for place, after, what in ((2, SECOND // 10, "orphan_answer"), (3, 30 * SECOND, "id_type"))
    ]
    for record in odd:
        record.severity_number = SEVERITY_NUMBER_WARN
    send(
        shared_collector,
        "relay",
        [call(TRACE, 1, at, 0.2)],
        [message(TRACE, 1, at, "request", REQUEST), *odd],
    )

    page = open_page(f"/trace/{TRACE:032x}")
    page.click(".row:has-text('! orphan answer')")
    page.wait_for_selector("#chosen .explained")

    expect(page.locator("#chosen .explained")).to_contain_text("belongs to no request")
    assert "id type" not in page.inner_text(".ladder")
