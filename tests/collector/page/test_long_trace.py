"""A trace of more records than are shown at once: all of it can be reached."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.collector.page.conftest import violations
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

TRACE = 0x10C6
NOTIFICATIONS = 6000
ADDRESS = f"/trace/{TRACE:032x}"


@pytest.fixture(scope="module", autouse=True)
def _stored(shared_collector: Collector) -> None:
    at = time.time_ns() - 60 * SECOND
    records = [message(TRACE, 1, at, "request", said("tools/call"), sequence=0)]
    for number in range(1, NOTIFICATIONS + 1):
        extra = {"mcp.method.name": "notifications/progress"}
        body = said("notifications/progress", progress=number)
        when = at + number * 1000
        records.append(message(TRACE, 1, when, "notification", body, sequence=number, extra=extra))
    end = at + SECOND
    answer = json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"content": [], "last": "the end"}})
    records.append(message(TRACE, 1, end, "result", answer, sequence=NOTIFICATIONS + 1))
    send(shared_collector, "patient", [call(TRACE, 1, at)], [])
    for place in range(0, len(records), 2000):
        send(shared_collector, "patient", [], records[place : place + 2000])


def said(method: str, **params: int) -> str:
    """Return a message that asks for something, or tells it."""
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params})


def test_a_record_is_shown_wherever_in_a_trace_it_is(open_page: OpenPage) -> None:
    """A list leads to the last one as to the first: with what it says, and what is around it."""
    page = open_page(f"{ADDRESS}?view=log&at=c0ffee/{NOTIFICATIONS + 1}")
    expect(page.locator("#chosen h2")).to_have_text("result #7")
    expect(page.locator("#chosen .pretty")).to_contain_text("the end")
    expect(page.locator(".part")).to_contain_text("Records 3,501 to 6,002 of 6,002")
    expect(page.locator(".row[aria-current]")).to_contain_text("result #7")


@pytest.mark.parametrize("name", ["%00", "%00/1", "c0ffee/999999", "log:1", "0000000000000009"])
def test_a_name_that_a_trace_has_not_chooses_nothing(open_page: OpenPage, name: str) -> None:
    """The trace is shown from its beginning, and that it has nothing of that name is said."""
    page = open_page(f"{ADDRESS}?view=log&depth=1&at={name}")
    expect(page.locator("#chosen h2")).to_have_text("Nothing is chosen")
    expect(page.locator(".part")).to_contain_text("Records 1 to 5,000 of 6,002")


def test_a_part_of_a_trace_says_which_it_is(open_page: OpenPage) -> None:
    """The heading counts all of it, and links lead to the records before and behind."""
    page = open_page(f"{ADDRESS}?view=log")
    expect(page.locator(".facts").first).to_contain_text("6,002 messages")
    expect(page.locator(".part")).to_contain_text("Records 1 to 5,000 of 6,002")
    expect(page.locator(".part a")).to_have_text(["Later ones"])
    page.click("text=Later ones")
    expect(page.locator(".part")).to_contain_text("Records 5,001 to 6,002 of 6,002")
    # The span, and the records.
    expect(page.locator(".row")).to_have_count(1 + 1002)
    page.click(".row:has-text('result #7')")
    expect(page.locator("#chosen h2")).to_have_text("result #7")
    page.click(".tabs a:has-text('Waterfall')")
    expect(page.locator(".part")).to_contain_text("Records 5,001 to 6,002 of 6,002")
    page.click("text=Earlier ones")
    expect(page.locator(".part")).to_contain_text("Records 1 to 5,000 of 6,002")


def test_a_text_is_found_in_all_of_a_trace(open_page: OpenPage) -> None:
    """The records beyond those that are shown are counted, and can be gone to."""
    page = open_page(f"{ADDRESS}?view=log&find=the+end")
    expect(page.locator("output")).to_have_text("0 found among these records")
    page.click("text=1 later")
    expect(page.locator("#chosen h2")).to_have_text("result #7")
    expect(page.locator("output")).to_have_text("1 found among these records")


def test_everybody_can_read_a_part_of_a_trace(open_page: OpenPage) -> None:
    """axe-core finds no violation where what was found is elsewhere."""
    page = open_page(f"{ADDRESS}?view=log&first=5990&find=progress")
    expect(page.locator("output ~ a").first).to_contain_text("earlier")
    assert violations(page) == []
