"""Pages that are open while the collector, PostgreSQL or the log-in goes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.collector.page.traces import recent
from tests.collector.reading import samples
from tests.fix_collector import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.fix_collector import Collector, StartCollector

    OpenAt = Callable[[Collector, str], Page]

TRACE = f"/trace/{samples.TRACE_ID.hex}"


@pytest.fixture
def open_at(browser: Browser) -> Iterator[OpenAt]:
    """Open a path of a collector that the test ends; what cannot be had is no fault here."""
    contexts = []

    def open_path(collector: Collector, path: str) -> Page:
        context = browser.new_context(
            base_url=f"http://{collector.page}",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_path
    for context in contexts:
        context.close()


def test_a_trace_says_that_the_collector_does_not_answer(
    start_collector: StartCollector, database_url: str, open_at: OpenAt
) -> None:
    """In place of what was chosen before, with a way to try again that works once it is back."""
    samples.store(database_url, *recent(*samples.relayed_call()))
    collector = start_collector()
    page = open_at(collector, TRACE)
    page.keyboard.press("j")
    page.wait_for_selector("#chosen h2:has-text('tools/call #3')")
    collector.stop()

    page.keyboard.press("j")
    expect(page.locator("#chosen")).to_have_text("The collector does not answer. Try again")
    page.get_by_role("link", name="Copy as JSON").click()
    said = page.locator(".trace > .unavailable")
    expect(said).to_contain_text("The collector does not answer.")

    start_collector(environment={"RELAYSCOPE_PAGE": collector.page})
    said.get_by_role("button", name="Try again").click()
    expect(said).to_have_count(0)
    page.locator("#chosen").get_by_role("button", name="Try again").click()
    chosen = page.locator(".row[aria-current] .label").text_content() or ""
    expect(page.locator("#chosen h2")).to_contain_text(chosen)
