"""Common parts of every view of the page, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fix_page import OpenPage


def test_the_page_opens_at_the_address_that_serve_prints(open_page: OpenPage) -> None:
    """If nothing is stored, the page says so, and leads to how to record something."""
    problems = open_page("/problems").inner_text("main")
    assert "Nothing is stored yet" in problems
    assert "Nothing failed" not in problems
    page = open_page("/")

    assert page.title() == "Now · relayscope"
    assert "Nothing is stored yet" in page.inner_text("main")
    page.get_by_role("link", name="How to record something").click()
    page.get_by_role("heading", name="Record a program").wait_for()


def test_what_is_not_there_is_said_in_words(open_page: OpenPage) -> None:
    """An address that leads nowhere, and one with a time that is none, get a page that says so."""
    assert "there is no such page" in open_page("/nothing").inner_text("main")
    assert "a time that is none" in open_page("/?since=yesterdayish").inner_text("main")
    for path in ("/", "/problems"):
        shown = open_page(f"{path}?since=5m&until=10m").inner_text("main")
        assert "nothing can be of that time" in shown
    shown = open_page("/problems?since=2016-01-01&until=2016-01-02").inner_text("main")
    assert "in since" not in shown


def test_times_are_in_the_zone_of_who_looks(open_page: OpenPage) -> None:
    """UTC is in the title of each."""
    page = open_page("/", timezone_id="Asia/Tokyo")
    page.evaluate(
        """async () => {
            const time = document.createElement("time");
            time.dateTime = "2026-11-28T20:00:00.123Z";
            time.title = "2026-11-28 20:00:00 UTC";
            document.querySelector("main").append(time);
            (await import("/static/page.js")).localTimes();
        }"""
    )

    shown = page.locator("main time")
    assert "05:00:00" in shown.inner_text()
    assert shown.get_attribute("title") == "2026-11-28 20:00:00 UTC"
