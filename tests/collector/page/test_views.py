"""What holds for every view that the navigation leads to, also of telemetry that is hostile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from relayscope.storage import create_engine
from tests import hostile_corpus
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

ANSWER = '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"found"}]}}'
REQUEST = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}'


@pytest.fixture(scope="module")
def recorded(shared_collector: Collector) -> Collector:
    """A collector with calls that went well, and with the hostile corpus."""
    now = time.time_ns() - 30 * SECOND
    tool = {"gen_ai.tool.name": "search", "relayscope.peer": "127.0.0.1:9051"}
    for number in range(6):
        at = now + number * SECOND
        send(
            shared_collector,
            "relay",
            [call(100 + number, 200 + number, at, 0.2, attributes=tool)],
            [
                message(100 + number, 200 + number, at, "request", REQUEST, extra=tool),
                message(
                    100 + number, 200 + number, at + 1, "result", ANSWER, sequence=2, extra=tool
                ),
            ],
        )
    hostile_corpus.store(shared_collector)
    return shared_collector


def test_every_view_withstands_what_telemetry_says(
    recorded: Collector, open_page: OpenPage
) -> None:
    """No dialog, no request elsewhere, no error; and the page is whole. `open_page` sees to it."""
    page = open_page("/")
    views = page.locator("header nav a").evaluate_all("all => all.map(one => one.pathname)")
    assert {"/", "/problems", "/cost", "/setup"} <= set(views)

    for path in views:
        page.goto(path)
        assert page.locator("header nav a").count() == len(views), path
        assert page.locator("main h1").count() == 1, path
        assert page.locator("main script, main iframe, main [onerror], main [onload]").count() == 0
        assert "49" not in page.locator("main .component").all_inner_texts()
        links = page.locator("main a").evaluate_all(
            "all => all.map(one => new URL(one.getAttribute('href'), location).origin)"
        )
        assert set(links) <= {f"http://{recorded.page}"}, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_can_be_read_by_everybody(
    recorded: Collector, open_page: OpenPage, scheme: str
) -> None:
    """axe-core finds nothing against WCAG 2.2 AA, in light and dark."""
    page = open_page("/", color_scheme=scheme)
    views = page.locator("header nav a").evaluate_all("all => all.map(one => one.pathname)")
    found = {}
    for path in views:
        page.goto(path)
        results = Axe().run(page)
        if results.violations_count:
            found[path] = results.generate_report()
    assert found == {}


def test_no_view_is_wider_than_a_telephone(recorded: Collector, open_page: OpenPage) -> None:
    """What is wider scrolls by itself."""
    page = open_page("/", viewport={"width": 400, "height": 800})
    views = page.locator("header nav a").evaluate_all("all => all.map(one => one.pathname)")
    for path in views:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, path


def test_the_content_is_reached_by_keyboard(recorded: Collector, open_page: OpenPage) -> None:
    """The first key leads past the navigation, and the next to what can be done there."""
    page = open_page("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_map_leads_to_the_calls(recorded: Collector, open_page: OpenPage) -> None:
    """A number on an arrow, and a box, are links with the filter of what they count."""
    page = open_page("/?since=1h")
    arrow = page.locator("svg a", has_text="6 calls")
    assert arrow.get_attribute("href") == (
        "/calls?component=relay&side=client&peer=127.0.0.1%3A9051&since=1h"
    )


def test_what_takes_too_long_is_said_and_the_rest_is_shown(
    recorded: Collector, shared_database_url: str, open_page: OpenPage
) -> None:
    """Nobody waits for all because of one: here, for whatever has to look at spans."""
    engine = create_engine(shared_database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("lock table relayscope_store.span in access exclusive mode")
        page = open_page("/problems")
        assert "takes too long for this time: failed calls" in page.inner_text("main")
        assert page.locator("article", has_text="odd").count() > 0
    engine.dispose()
    page.reload()
    assert "takes too long" not in page.inner_text("main")


def test_texts_are_copied(recorded: Collector, open_page: OpenPage) -> None:
    """The button says so, and the clipboard has the command."""
    page = open_page("/setup", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert "relayscope-instrument" in page.evaluate("navigator.clipboard.readText()")
