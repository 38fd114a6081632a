"""Promises of every view that the navigation leads to, also of telemetry that is hostile."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from relayscope.storage import create_engine
from tests import hostile_corpus
from tests.collector.page.conftest import cut_off
from tests.fix_programs import eventually
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

CONTRAST = ["color-contrast", "link-in-text-block"]
"""Rules of axe-core about colours."""

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
        assert len(page.content()) < 500_000, path
        assert page.locator("header nav a").count() == len(views), path
        assert page.locator("main h1").count() == 1, path
        assert page.locator("main script, main iframe, main [onerror], main [onload]").count() == 0
        assert "49" not in page.locator("main .component").all_inner_texts()
        links = page.locator("main a").evaluate_all(
            "all => all.map(one => new URL(one.getAttribute('href'), location).origin)"
        )
        assert set(links) <= {f"http://{recorded.page}"}, path


def test_what_is_compared_withstands_it_too(recorded: Collector, open_page: OpenPage) -> None:
    """Two peers, two messages, and two traces, whatever they are called and say."""
    page = open_page("/compare")
    names = (*hostile_corpus.TEXTS, "giant")
    for place, (left, right) in enumerate(pairwise(names)):
        if place % 2 and right != "giant":
            continue
        traces = [f"{hostile_corpus.TRACE + place + more:032x}" for more in (0, 1)]
        for what, sides in (
            ("traces", traces),
            ("peers", [left, right]),
            ("messages", [f"{left}/1", f"{right}/1"]),
        ):
            query = urlencode(dict(zip(("left", "right"), sides, strict=True)))
            page.goto(f"/compare/{what}?{query}")
            case = (what, left[:40], right[:40])
            assert len(page.content()) < 500_000, case
            assert page.locator("header nav a").count() > 0, case
            assert page.locator("main h1").count() == 1, case
            assert "This cannot be shown" not in page.inner_text("main"), case
            assert page.locator("main :is(script, iframe, [onerror], [onload])").count() == 0
            links = page.locator("main a").evaluate_all(
                "all => all.map(one => new URL(one.getAttribute('href'), location).origin)"
            )
            assert set(links) <= {f"http://{recorded.page}"}, case


def test_every_view_can_be_read_by_everybody(recorded: Collector, open_page: OpenPage) -> None:
    """axe-core finds nothing against WCAG 2.2 AA with all open; in dark it looks at colours."""
    page = open_page("/", color_scheme="light")
    views = page.locator("header nav a").evaluate_all("all => all.map(one => one.pathname)")
    found = {}
    for path in views:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        results = [Axe().run(page)]
        page.emulate_media(color_scheme="dark")
        results.append(Axe().run(page, options={"runOnly": CONTRAST}))
        page.emulate_media(color_scheme="light")
        if any(one.violations_count for one in results):
            found[path] = [one.generate_report() for one in results]
    assert found == {}


def test_every_view_fits_a_telephone_a_wide_screen_and_paper(
    recorded: Collector, open_page: OpenPage
) -> None:
    """Wider parts scroll by themselves; on paper, where nothing does, all of each is there."""
    page = open_page("/", color_scheme="dark")
    views = page.locator("header nav a").evaluate_all("all => all.map(one => one.pathname)")
    for path in views:
        page.set_viewport_size({"width": 400, "height": 800})
        page.goto(f"{path}?since=2026-01-02T03:04:05Z&until=2026-01-02T04:05:06Z")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, f"{path} of a time"
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, path

        page.set_viewport_size({"width": 3840, "height": 2160})
        assert page.evaluate("document.documentElement.scrollWidth") <= 3840, path
        brand, content = (page.locator(one).bounding_box() for one in (".brand", "main"))
        assert brand is not None
        assert content is not None
        assert brand["x"] == content["x"], path
        assert content["width"] > 2000, path

        page.set_viewport_size({"width": 1000, "height": 700})
        page.emulate_media(media="print")
        assert page.locator("header.top").is_hidden()
        assert page.locator("main button:visible").count() == 0, path
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)", path
        assert cut_off(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 1000, path
        page.emulate_media(media="screen")


def test_a_telephone_shows_where_it_is(recorded: Collector, open_page: OpenPage) -> None:
    """The name of the view is in sight, and in place of the map is the table that says the same."""
    page = open_page("/", viewport={"width": 400, "height": 800})
    expect(page.get_by_role("table").first).to_be_visible()
    expect(page.get_by_role("group", name="Map of who calls whom")).to_be_hidden()
    for path in page.locator("header nav a").evaluate_all("all => all.map(one => one.pathname)"):
        page.goto(path)
        expect(page.locator("header nav [aria-current]")).to_be_in_viewport(ratio=0.9)


def test_where_colours_are_the_viewers_own_it_shows_where_it_is(
    recorded: Collector, open_page: OpenPage
) -> None:
    """With forced colours the view that is shown has a line below it, and the others have none."""
    page = open_page("/problems", forced_colors="active")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lines = page.locator("header nav a").evaluate_all(
        "all => all.map(one => [one.pathname, getComputedStyle(one).borderBottomColor])"
    )
    assert [path for path, colour in lines if colour != ground] == ["/problems"]


def test_what_scrolls_is_reached_by_keyboard(recorded: Collector, open_page: OpenPage) -> None:
    """On a telephone, too: what was said of a problem, where it is longer than its room."""
    page = open_page("/", viewport={"width": 400, "height": 800})
    for path in ("/", "/problems"):
        page.goto(path)
        assert page.locator(".evidence").count() > 0
        found = Axe().run(page, options={"runOnly": ["scrollable-region-focusable"]})
        assert found.violations_count == 0, found.generate_report()
        assert page.locator(".evidence:not([tabindex='0'])").count() == 0


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
    """Nobody waits for all because of one: here, for what asks who has asked for levels."""
    engine = create_engine(shared_database_url)
    with engine.begin() as connection:
        lock = "lock table relayscope_store.level_agent in access exclusive mode"
        connection.exec_driver_sql(lock)
        page = open_page("/problems")
        left_out = page.locator(".reason", has_text="takes too long for this time").inner_text()
        shown = page.locator("article", has_text="odd").count()
    engine.dispose()
    assert "missing records" in left_out
    assert shown > 0

    def is_whole() -> bool:
        page.reload()
        return "takes too long" not in page.inner_text("main")

    eventually(is_whole)


def test_texts_are_copied(recorded: Collector, open_page: OpenPage) -> None:
    """The button says so, and the clipboard has the command."""
    page = open_page("/setup", permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("setTimeout = () => 0")  # The word would go again before it is looked for.
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert "relayscope-instrument" in page.evaluate("navigator.clipboard.readText()")
