"""An odd message that is in no trace is shown where it did its harm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from click.testing import CliRunner
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_WARN
from playwright.sync_api import expect

from relayscope.collector.cli.main import main
from relayscope.conventions.attributes import ERROR_UNANSWERED, MESSAGE_ODD
from relayscope.conventions.events import EVENT_CHANNEL_CLOSED
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

TRACE = 0x0DD
REQUEST = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}'
RESULT = '{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'
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

    expect(page.locator("#chosen .explained").first).to_contain_text("belongs to no request")
    assert "id type" not in page.inner_text(".ladder")


def test_what_is_beside_a_trace_is_marked_and_counts_nowhere(
    shared_collector: Collector, open_page: OpenPage
) -> None:
    """The trace has the counts and the duration that lists tell of it.

    A method of one's own is marked, but is not odd, as in lists.
    """
    trace, at = TRACE + 1, time.time_ns() - 120 * SECOND
    odd: dict[str, str | int] = {MESSAGE_ODD: "orphan_answer", "relayscope.channel.id": "busy"}
    strays = [
        message(0, 0, at + SECOND * (5 + place) // 10, "error", ORPHAN, sequence=place, extra=odd)
        for place in range(3, 8)
    ]
    for record in strays:
        record.severity_number = SEVERITY_NUMBER_WARN
    own = {MESSAGE_ODD: "not_mcp", "relayscope.channel.id": "busy"}
    called = [
        message(trace, 1, at + 1000, "request", REQUEST, extra=own),
        message(trace, 1, at + SECOND // 5, "result", RESULT, sequence=2, extra=own),
    ]
    send(shared_collector, "gateway", [call(trace, 1, at, 0.2)], [*called, *strays])

    page = open_page(f"/trace/{trace:032x}")
    heading = page.locator(".facts")
    expect(heading.first).to_contain_text("2 messages")
    expect(heading.first).to_contain_text("200.0 ms")
    expect(heading.last).to_have_text("! beside this trace: 5 odd messages")
    expect(page.locator(".row", has_text="not mcp")).to_have_count(2)
    expect(page.locator(".row", has_text="beside this trace")).to_have_count(5)
    page.click(".row:has-text('beside this trace') >> nth=0")
    expect(page.locator("#chosen .explained").last).to_contain_text("it is in no trace")
    page.goto(f"/trace/{trace:032x}?view=waterfall")
    expect(page.locator(".row", has_text="beside this trace")).to_have_count(5)


def test_a_text_is_found_also_beside_a_trace(
    shared_collector: Collector, open_page: OpenPage
) -> None:
    """In capital or small letters, and in attributes; it is marked and gone to as all else."""
    trace, at = TRACE + 3, time.time_ns() - 240 * SECOND
    odd: dict[str, str | int] = {MESSAGE_ODD: "orphan_answer", "relayscope.channel.id": "lost"}
    stray = message(0, 0, at + SECOND // 10, "error", ORPHAN, sequence=3, extra=odd)
    stray.severity_number = SEVERITY_NUMBER_WARN
    own: dict[str, str | int] = {"relayscope.channel.id": "lost"}
    asked = message(trace, 1, at, "request", REQUEST, extra=own)
    send(shared_collector, "desk", [call(trace, 1, at, 0.2)], [asked, stray])

    for view in ("ladder", "waterfall", "log"):
        page = open_page(f"/trace/{trace:032x}?view={view}&find=METHOD+not")
        expect(page.locator("output")).to_have_text("1 found")
        expect(page.locator(".found")).to_contain_text("beside this trace")
        page.click("[aria-label='The next one found']")
        expect(page.locator("#chosen .explained").last).to_contain_text("it is in no trace")
    page = open_page(f"/trace/{trace:032x}?find=orphan_answer")
    expect(page.locator("output")).to_have_text("1 found")


def test_how_a_connection_broke_off_is_shown_beside_the_call_that_had_no_answer(
    shared_collector: Collector, open_page: OpenPage, shared_database_url: str
) -> None:
    """On the page and in the terminal; that of another connection, or after an answer, is not."""
    trace, at = TRACE + 2, time.time_ns() - 180 * SECOND
    closings = []
    for place, (channel, code) in enumerate((("crashed", 139), ("other", 7), ("answered", 8)), 2):
        extra: dict[str, str | int] = {"relayscope.channel.id": channel}
        body = f"closed: stdio backend.py; exit code {code}"
        closing = message(0, 0, at + SECOND * place // 10, "", body, extra=extra)
        closing.severity_number = SEVERITY_NUMBER_WARN
        closing.event_name = EVENT_CHANNEL_CLOSED
        closings.append(closing)
    asked = message(trace, 1, at, "request", REQUEST, extra={"relayscope.channel.id": "crashed"})
    ended = call(trace, 1, at, 0.2, error_type=ERROR_UNANSWERED)
    answered = [
        message(
            trace, 2, at, kind, text, sequence=place, extra={"relayscope.channel.id": "answered"}
        )
        for place, (kind, text) in enumerate((("request", REQUEST), ("result", RESULT)))
    ]
    spans = [ended, call(trace, 2, at, 0.1)]
    send(shared_collector, "hub", spans, [asked, *answered, *closings])

    page = open_page(f"/trace/{trace:032x}")
    expect(page.locator(".facts").last).to_contain_text("beside this trace: 1 connection broke off")
    page.click(".row:has-text('channel.closed')")
    expect(page.locator("#chosen .explained")).to_contain_text("how a connection of this one ended")
    page.goto(f"/trace/{trace:032x}?view=waterfall")
    expect(page.locator(".row", has_text="exit code 139")).to_contain_text("! beside this trace")
    shown = CliRunner().invoke(
        main, ["trace", f"{trace:032x}", "--database-url", shared_database_url]
    )
    assert "! beside this trace  closed: stdio backend.py; exit code 139" in shown.stdout
    assert "exit code 7" not in shown.stdout
    assert "exit code 8" not in shown.stdout
