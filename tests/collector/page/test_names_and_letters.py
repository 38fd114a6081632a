"""Names of any length, and letters of any size: what is drawn stays in its place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

LONG = "W" * 400
TRACE = 0x77
ORDINARY = ("iccm-relay", "127.0.0.1:9051")
TELEPHONE: ViewportSize = {"width": 400, "height": 800}
DESK: ViewportSize = {"width": 1440, "height": 900}


@pytest.fixture(scope="module", autouse=True)
def _stored(shared_collector: Collector) -> None:
    at = time.time_ns() - 30 * SECOND
    pairs = (ORDINARY, (LONG, "x" * 300), ("client", LONG), ("wireless-mmm", "WWWWWWWWWWWWWWWW"))
    for place, (caller, callee) in enumerate(pairs):
        peer = {"relayscope.peer": callee, "relayscope.channel.id": f"channel {place}"}
        error = "tool_error" if caller == LONG else None
        span = call(TRACE + place, 1, at, 0.1234, attributes=peer, error_type=error)
        said = [
            message(TRACE + place, 1, at + sequence, kind, "{}", sequence=sequence, extra=peer)
            for sequence, kind in enumerate(("request", "result"))
        ]
        send(shared_collector, caller, [span], said)


def large_letters(page: Page) -> None:
    """Choose letters of twice the size, as a browser's settings do."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")


def beyond(page: Page, what: str, holder: str) -> list[str]:
    """Return the texts of some elements that leave what holds them, to any side by a pixel."""
    found: list[str] = page.locator(what).evaluate_all(
        """(all, holder) => all.filter((one) => {
            const of = (it) => it.getBoundingClientRect();
            const [inner, outer] = [of(one), of(one.closest(holder))];
            return inner.width && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
        }).map((one) => one.textContent.slice(0, 40))""",
        holder,
    )
    return found


def test_who_calls_whom_fits_a_telephone(open_page: OpenPage) -> None:
    """Names break where they have to, and the last column is in sight."""
    page = open_page("/", viewport=TELEPHONE)
    expect(page.locator("details.table tbody tr")).to_have_count(4)
    assert beyond(page, "details.table :is(td, th)", "section") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]


def test_a_long_name_pushes_nothing_out_of_a_list(open_page: OpenPage) -> None:
    """The findings of a trace are beside it on a desk."""
    page = open_page("/traces", viewport=DESK)
    expect(page.locator("tbody tr")).to_have_count(4)
    assert beyond(page, "td, th", ".table") == []


@pytest.mark.parametrize("letters", ["usual", "large"])
def test_a_name_in_the_map_ends_in_its_box(open_page: OpenPage, letters: str) -> None:
    """However wide its letters are, and whatever size the reader has chosen for them."""
    page = open_page("/", viewport=DESK)
    if letters == "large":
        large_letters(page)
    overlapping = page.locator(".map a:has(.box)").evaluate_all(
        """all => all.filter((one) => {
            const box = one.querySelector(".box").getBoundingClientRect();
            const name = one.querySelector(".name").getBoundingClientRect();
            return name.left < box.left || name.right > box.right
                || name.top < box.top || name.bottom > box.bottom;
        }).map((one) => one.textContent.trim().slice(0, 40))"""
    )
    assert overlapping == []
    size = page.locator(".map .name").first.evaluate(
        "one => one.getBoundingClientRect().height / one.offsetHeight"
    )
    assert size == pytest.approx(2 if letters == "large" else 1, rel=0.01)


def test_the_heads_of_a_ladder_do_not_overlap(open_page: OpenPage) -> None:
    """Each ends before the next begins."""
    page = open_page(f"/trace/{TRACE + 1:032x}?lanes=narrow", viewport=DESK)
    places = page.locator(".heads .name").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).map(({left, right}) => [left, right])"
    )
    assert len(places) == 2
    assert places[0][1] <= places[1][0]


def test_large_letters_fit_a_trace(open_page: OpenPage) -> None:
    """Times are whole on a desk, and on a telephone no word of what is pressed is broken."""
    page = open_page(f"/trace/{TRACE:032x}?view=waterfall", viewport=DESK)
    large_letters(page)
    assert cut(page, ".when") == []
    page.set_viewport_size(TELEPHONE)
    assert broken(page, ".tabs a, .find button") == []
    page.goto("/")
    large_letters(page)
    assert broken(page, "#pause, .times button") == []


def cut(page: Page, what: str) -> list[str]:
    """Return the texts that are wider than their place."""
    found: list[str] = page.locator(what).evaluate_all(
        "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1)"
        ".map((one) => one.textContent)"
    )
    return found


def broken(page: Page, what: str) -> list[str]:
    """Return the words that are on two lines; each of these elements has one word."""
    found: list[str] = page.locator(what).evaluate_all(
        """all => all.filter((one) => {
            const range = document.createRange();
            range.selectNodeContents(one);
            return new Set([...range.getClientRects()].map((it) => it.top)).size > 1;
        }).map((one) => one.textContent)"""
    )
    return found
