"""Records as they come."""

from __future__ import annotations

import re
import time
from itertools import count

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.collector.page.conftest import violations
from tests.fix_collector import Collector
from tests.fix_page import OpenPage
from tests.fix_programs import eventually
from tests.otlp_messages import call, message, send

NUMBERS = count(1)


@pytest.fixture(autouse=True)
def _is_stored(stored: Collector) -> None:
    """There is something before what comes."""


def say(collector: Collector, component: str, text: str) -> None:
    """Have a component send a message."""
    number = next(NUMBERS)
    body = f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"said":"{text}"}}}}'
    records = [message(500 + number, 600 + number, time.time_ns(), "request", body)]
    send(collector, component, [], records)


def test_what_comes_is_shown_and_counted_while_paused(
    open_page: OpenPage, stored: Collector
) -> None:
    """Once each, the newest on top; what passed meanwhile is shown on going on."""
    page = open_page("/live")
    rows = page.locator("#live tbody tr")
    expect(page.get_by_role("status").last).to_contain_text("Shows what comes")
    say(stored, "talker", "first word")
    expect(rows.first).to_contain_text("first word")
    page.get_by_role("button", name="Pause").click()
    say(stored, "talker", "second word")
    expect(page.locator("#state")).to_have_text("Paused; 1 passed meanwhile")
    assert rows.filter(has_text="second word").count() == 0
    page.get_by_role("button", name="Go on").click()
    expect(rows.first).to_contain_text("second word")
    expect(rows.filter(has_text="first word")).to_have_count(1)
    assert violations(page) == []


def test_what_comes_is_filtered_as_a_list_is(open_page: OpenPage, stored: Collector) -> None:
    """By the address, which a click on a cell narrows."""
    page = open_page("/live?component=quiet-one")
    say(stored, "loud-one", "not for us")
    say(stored, "quiet-one", "for us")
    expect(page.locator("#live tbody tr").first).to_contain_text("for us")
    assert page.locator("#live tbody tr", has_text="not for us").count() == 0
    page = open_page("/live")
    page.get_by_role("link", name="quiet-one").first.click()
    expect(page).to_have_url(re.compile(r"/live\?component=quiet-one$"))


def test_without_scripts_nothing_offers_to_pause(open_page: OpenPage) -> None:
    """Neither Now nor Live goes on by itself then, so there is nothing to pause."""
    for path in ("/", "/live"):
        page = open_page(path, java_script_enabled=False)
        expect(page.get_by_role("button", name="Pause")).to_have_count(0)


def test_what_is_known_is_not_sent_again(client: httpx.Client) -> None:
    """A browser that looks while nothing comes gets a word and no rows."""
    address = "/live/rows?component=nobody"
    tag = client.get(address).headers["etag"]
    reply = client.get(address, headers={"if-none-match": tag})
    assert (reply.status_code, reply.content) == (304, b"")


def test_now_goes_on_by_itself(open_page: OpenPage, stored: Collector) -> None:
    """A new fault appears without loading the page anew, and does not while it is paused."""
    fail(stored, "now-broken")
    page = open_page("/?since=1h")
    page.evaluate("document.body.dataset.same = 'yes'")
    shown = page.locator("#shown")
    page.get_by_text("The same as a table").click()
    page.get_by_role("button", name="Pause").click()
    page.evaluate("asked = 0; go = fetch; fetch = (...all) => (asked += 1, go(...all)); 0")
    fail(stored, "now-breaks")
    look_again(page)
    assert page.evaluate("asked") == 0
    assert "now-breaks" not in shown.inner_text()
    page.get_by_role("button", name="Go on").click()

    def is_there() -> bool:
        look_again(page)
        return "now-breaks" in shown.inner_text()

    eventually(is_there)
    assert page.get_attribute("body", "data-same") == "yes"
    expect(page.locator("#shown details.table")).to_have_attribute("open", "")
    expect(page.locator("#shown time:not([data-local])")).to_have_count(0)
    assert violations(page) == []


def test_what_has_an_end_does_not_go_on(open_page: OpenPage) -> None:
    """A time until some moment stays as it was."""
    assert open_page("/?since=1h&until=1m").locator("#pause").count() == 0


def fail(collector: Collector, component: str) -> None:
    """Have a component record a call that failed."""
    number = next(NUMBERS)
    failed = call(500 + number, 600 + number, time.time_ns(), 0.1, error_type="timeout")
    send(collector, component, [failed], [])


def look_again(page: Page) -> None:
    """Come back to a tab, which then looks at once."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
