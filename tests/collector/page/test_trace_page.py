"""One trace in a real browser: what was said, found by clicking and by the keyboard."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import hostile_corpus
from tests.collector.page.conftest import cut_off
from tests.collector.page.traces import ahead, recent
from tests.collector.reading import samples
from tests.collector.reading.samples import HOSTILE_TRACE_ID, TRACE_ID

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

TRACE = f"/trace/{TRACE_ID.hex}"
CLOCKS_DIFFER = UUID("8bf92f3577b34da6a3ce929d0e0e4736")
VIEWS = ("ladder", "waterfall", "log")


@pytest.fixture(scope="module", autouse=True)
def _stored(shared_database_url: str, shared_collector: Collector) -> None:
    hostile_corpus.store(shared_collector)
    samples.store(shared_database_url, *recent(*samples.relayed_call()))
    samples.store(shared_database_url, *recent(*samples.hostile_call()), HOSTILE_TRACE_ID)


def pane(page: Page) -> str:
    """Return the text beside the trace."""
    return page.inner_text("#chosen")


@pytest.mark.parametrize("view", VIEWS)
def test_a_row_that_is_clicked_is_shown_beside_the_trace(open_page: OpenPage, view: str) -> None:
    """Without loading the page anew; the address then shows the same."""
    page = open_page(f"{TRACE}?view={view}")
    page.evaluate("document.body.dataset.same = 'yes'")

    page.click(".row:has-text('tools/call #1') >> nth=0")
    page.wait_for_selector("#chosen h2:has-text('tools/call #1')")

    assert page.get_attribute("body", "data-same") == "yes"
    assert '"timezone": "Europe/Berlin"' in pane(page)
    before = pane(page)
    page.goto(page.url)
    assert pane(page) == before


def test_what_the_relay_changed_is_beside_the_message(open_page: OpenPage) -> None:
    """The way on from the client's request: the relay gave it another id, and nothing else."""
    page = open_page(TRACE)
    page.click(".row:has-text('tools/call #3')")
    page.wait_for_selector("#chosen h2:has-text('tools/call #3')")

    said = pane(page)
    assert "The other end: tools/call #3" in said
    assert "✓ the same text" in said
    assert "Then: tools/call #1" in said
    assert "Every hop changes: $.id $.params._meta.traceparent" in said


def test_a_result_is_shown_as_the_model_received_it(open_page: OpenPage) -> None:
    """The text alone, unescaped."""
    page = open_page(TRACE)
    page.click(".row:has-text('result #3')")
    page.wait_for_selector("#chosen h3:has-text('As the model received it')")

    assert '{"timezone": "Europe/Berlin", "datetime":' in pane(page)


def test_the_selection_stays_from_view_to_view(open_page: OpenPage) -> None:
    """Each marks it in its own way, and none but it."""
    page = open_page(TRACE)
    page.click(".row:has-text('result #1')")
    page.wait_for_selector("#chosen h2:has-text('result #1')")

    for view in ("Waterfall", "Log", "Ladder"):
        page.click(f".tabs a:has-text('{view}')")
        page.wait_for_selector(f".tabs a[aria-current]:has-text('{view}')")
        expect(page.locator("#chosen h2")).to_contain_text("result #1")
        marked = page.locator(".row[aria-current]")
        expect(marked).to_have_count(1)
        expect(marked).to_contain_text("result #1")


def test_a_span_that_is_chosen_is_marked_at_its_request(open_page: OpenPage) -> None:
    """The ladder has no row of it; problems and lists of calls lead there."""
    page = open_page(f"{TRACE}?at=33f067aa0ba902b7")
    marked = page.locator(".row[aria-current]")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("tools/call")
    page.click(".row:has-text('result')")
    expect(marked).to_contain_text("result")

    page.click("#chosen a[data-chooses]:has-text('tools/call')")
    page.wait_for_selector("#chosen h2:has-text('tools/call')")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("tools/call")


def test_a_trace_is_read_with_the_keyboard_alone(open_page: OpenPage) -> None:
    """Tab leads to one row, `j` and `k` step, `a` goes to the answer, `o` to the other end."""
    page = open_page(TRACE)
    page.keyboard.press("j")
    page.wait_for_selector("#chosen h2:has-text('tools/call #3')")
    page.keyboard.press("o")
    page.wait_for_selector("#chosen p:has-text('iccm-relay')")
    page.keyboard.press("a")
    page.wait_for_selector("#chosen h2:has-text('result #3')")
    page.keyboard.press("k")
    page.wait_for_selector("#chosen .badge:has-text('orphan answer')")
    page.keyboard.press("2")
    page.wait_for_selector(".waterfall .row[tabindex='0']")
    page.wait_for_load_state()  # Keys are heard by then.
    expect(page.locator(".row[tabindex='0']")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("BERLIN")
    page.keyboard.press("Enter")
    page.wait_for_selector("output:has-text('found')")


def test_the_content_of_a_trace_is_reached_by_keyboard(open_page: OpenPage) -> None:
    """The page stays, with what is chosen; and the browser's way back still leads back."""
    page = open_page(TRACE)
    page.keyboard.press("j")
    page.wait_for_selector("#chosen h2:has-text('tools/call #3')")
    page.evaluate("document.body.dataset.same = 'yes'")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    expect(page).to_have_url(re.compile("#content$"))
    assert page.get_attribute("body", "data-same") == "yes"
    page.go_back()
    assert page.get_attribute("body", "data-same") == "yes"
    page.go_back()
    page.wait_for_selector("body:not([data-same]) #chosen h2:has-text('Nothing is chosen')")


def test_a_text_is_found_also_where_it_is_folded(open_page: OpenPage) -> None:
    """Rows that hold it are opened, and the keyboard goes from one to the next."""
    page = open_page(f"{TRACE}?view=waterfall&depth=1")
    assert page.locator(".row").count() == 1

    page.fill(".find input[type=search]", "2025-11-23t10:07:34")
    page.click("text=Find")
    page.wait_for_selector("output:has-text('4 found')")
    page.wait_for_load_state()  # Keys are heard by then.
    expect(page.locator("li.found")).to_have_count(4)
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    for _ in range(2):
        page.keyboard.press("n")
        page.wait_for_selector("li.found .row[aria-current]")


def test_kinds_levels_and_brief_spans_are_hidden(open_page: OpenPage) -> None:
    """By a form, whose answer is the address; what is hidden is counted."""
    page = open_page(f"{TRACE}?view=waterfall")
    page.click("summary:has-text('What is shown')")
    page.uncheck("label:has-text('requests') input")
    page.fill("label:has-text('at least') input", "7")
    page.click("button:has-text('Show')")
    page.wait_for_selector(".said:has-text('brief')")
    page.wait_for_load_state()

    shown = page.inner_text(".waterfall")
    assert "→ tools/call" not in shown
    assert "connect gates" in shown, "what failed is shown, however brief it was"
    assert "without=request" in (page.get_attribute(".tabs a >> nth=0", "href") or "")


def test_a_span_is_folded_and_opened_again(open_page: OpenPage) -> None:
    """The number of what is folded opens it."""
    page = open_page(f"{TRACE}?view=waterfall")
    whole = page.locator(".row").count()
    page.click("a.fold >> nth=1")
    page.wait_for_selector("a.fold:has-text('+')")
    page.wait_for_load_state()
    assert page.locator(".row").count() < whole
    page.click("a.fold:has-text('+')")
    expect(page.locator(".row")).to_have_count(whole)


def test_a_trace_is_copied_as_json(open_page: OpenPage) -> None:
    """The same as `relayscope trace --json` prints."""
    page = open_page(TRACE)
    address = page.get_attribute("a[data-copies]", "href") or ""
    said = page.request.get(address).text()

    assert json.loads(said)["trace_id"] == str(TRACE_ID)
    assert len(json.loads(said)["messages"]) == 10


def test_the_beginning_of_an_id_leads_to_its_trace(open_page: OpenPage) -> None:
    """As lists show it; what is none is told in words."""
    assert open_page("/trace/4bf92f35").url.endswith(TRACE)
    assert "32 hex digits" in open_page("/trace/nonsense").inner_text("main")
    assert "no trace" in open_page(f"/trace/{'1' * 32}").inner_text("main")


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_telemetry_stays_text(open_page: OpenPage, view: str) -> None:
    """Every row of a trace of escapes can be chosen, and none does anything."""
    page = open_page(f"/trace/{HOSTILE_TRACE_ID.hex}?view={view}")
    for place in range(page.locator(".row").count()):
        page.keyboard.press("j")
        expect(page.locator(".row").nth(place)).to_have_attribute("aria-current", "true")
    page.wait_for_selector("#chosen h2")

    text = page.inner_text("body")
    assert "\\x1b" in text
    assert "\u202e" not in text


@pytest.mark.parametrize("view", VIEWS)
def test_a_trace_withstands_what_telemetry_says(
    shared_collector: Collector, open_page: OpenPage, view: str
) -> None:
    """Markup as component, tool, key and text is text; so it is beside another trace."""
    page = open_page("/compare")
    for number in range(len(hostile_corpus.TEXTS) + 1):
        trace = f"{hostile_corpus.TRACE + number:032x}"
        page.goto(f"/trace/{trace}?view={view}")
        page.keyboard.press("j")
        page.wait_for_selector("#chosen h2:not(:has-text('Nothing'))")
        assert len(page.inner_text("body")) < 200_000
        assert page.locator("header nav a").count() > 5
        assert page.locator("main h1, aside h2").count() == 2
        assert (
            page.locator("body script, iframe, [onerror], [onload], base, meta[http-equiv]").count()
            == 0
        )
        links = page.locator("a").evaluate_all(
            "all => all.map(one => new URL(one.getAttribute('href'), location).origin)"
        )
        assert set(links) == {f"http://{shared_collector.page}"}


def test_a_trace_lasts_as_long_as_by_one_clock(
    open_page: OpenPage, shared_database_url: str
) -> None:
    """Its heading says what the waterfall shows: an hour between clocks is none of the trace's."""
    call = ahead("time-server", -3_600_000, *recent(*samples.relayed_call()))
    samples.store(shared_database_url, *call, CLOCKS_DIFFER)

    page = open_page(f"/trace/{CLOCKS_DIFFER.hex}")
    expect(page.locator(".facts").first).to_contain_text("12.4 ms, by one clock")
    expect(page.locator(".clocks")).to_contain_text("time-server is shown +59 min")
    page.click("text=Show them as they are")
    expect(page.locator(".facts").first).to_contain_text("1 h 0 min")


def test_a_time_that_is_dragged_over_is_seen_closer(open_page: OpenPage) -> None:
    """The chosen row stays so, rows beyond have no bar, and the address says which time."""
    page = open_page(f"{TRACE}?view=waterfall&at=33f067aa0ba902b7")
    bars = page.locator(".waterfall .row.span svg .bar")
    assert bars.count() == 6
    scale = page.locator(".axis svg").bounding_box()
    assert scale is not None
    x, y, width = scale["x"], scale["y"] + 60, scale["width"]
    page.mouse.move(x + width * 0.9, y)
    page.mouse.down()
    page.mouse.move(x + width * 0.7, y)
    expect(page.locator(".band")).to_be_visible()
    page.mouse.move(x + width * 0.6, y)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"at=33f067aa0ba902b7&between=\d+-\d+$"))
    page.wait_for_load_state()
    assert "The bars show the time from" in page.inner_text(".zoomed")
    assert 0 < bars.count() < 6
    page.click("text=Show all of the trace")
    expect(bars).to_have_count(6)
    assert "between" not in page.url


def test_the_keyboard_sees_a_time_closer(open_page: OpenPage) -> None:
    """Around what is chosen, less and more, and all of it again."""
    page = open_page(f"{TRACE}?view=waterfall")
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("between="))
    page.wait_for_load_state()
    closer = stretch(page)
    page.keyboard.press("+")
    expect(page.locator(".zoomed")).not_to_contain_text(closer)
    page.wait_for_load_state()
    page.keyboard.press("-")
    expect(page.locator(".zoomed")).to_contain_text(closer)
    page.wait_for_load_state()
    page.keyboard.press("0")
    expect(page.locator(".zoomed")).to_contain_text("Drag over the bars")


def stretch(page: Page) -> str:
    """The time that bars show, in words."""
    return page.inner_text(".zoomed").removesuffix("Show all of the trace").strip()


@pytest.mark.parametrize(
    "between", ["5-5", "9-3", "-1-4", "x", "1-", "999999999999999999-9999999999999999999", "²-³"]
)
def test_a_time_that_is_none_shows_all(open_page: OpenPage, between: str) -> None:
    """As if the address had not said it."""
    page = open_page(f"{TRACE}?view=waterfall&between={between}")
    assert "Drag over the bars" in page.inner_text(".zoomed")


@pytest.mark.parametrize("view", VIEWS)
def test_on_paper_a_trace_is_whole(open_page: OpenPage, view: str) -> None:
    """A part that scrolls on a screen is printed to its end, and the chosen row comes after."""
    page = open_page(f"{TRACE}?view={view}", viewport={"width": 1000, "height": 700})
    page.click(".row:has-text('tools/call #3') >> nth=0")
    page.wait_for_selector("#chosen section")
    page.emulate_media(media="print")
    expect(page.locator("header.top")).to_be_hidden()
    expect(page.locator(".trace > .bar")).to_be_hidden()
    assert cut_off(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1000
    shown = page.locator(".rows li").evaluate_all(
        "all => all.map(one => getComputedStyle(one).contentVisibility)"
    )
    assert set(shown) <= {"visible"}
    assert page.locator(".row.span .bar:visible").count() == (6 if view == "waterfall" else 0)
    row, said = page.locator(".row").last.bounding_box(), page.locator("#chosen").bounding_box()
    assert row is not None
    assert said is not None
    assert row["y"] < said["y"]


@pytest.mark.parametrize("width", [800, 1440])
def test_a_duration_is_whole_or_not_drawn(open_page: OpenPage, width: int) -> None:
    """A bar that leaves no room before or behind itself has its duration in the row alone."""
    page = open_page(f"{TRACE}?view=waterfall")
    page.set_viewport_size({"width": width, "height": 900})
    inside = page.locator(".waterfall .row svg text").evaluate_all(
        "texts => texts.map(text => {"
        " const box = text.getBoundingClientRect();"
        " const all = text.ownerSVGElement.getBoundingClientRect();"
        " return box.left >= all.left && box.right <= all.right + 1; })"
    )
    assert inside
    assert all(inside)


@pytest.mark.parametrize("view", VIEWS)
def test_a_trace_fits_a_telephone(open_page: OpenPage, view: str) -> None:
    """Wider parts scroll by themselves."""
    page = open_page(f"{TRACE}?view={view}", viewport={"width": 400, "height": 800})
    page.click(".row:has-text('tools/call #3') >> nth=0")
    page.wait_for_selector("#chosen section")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_everybody_can_read_a_trace(open_page: OpenPage, view: str, scheme: str) -> None:
    """axe-core finds no violation, in light and dark colours."""
    page = open_page(f"{TRACE}?view={view}&depth=9", color_scheme=scheme)
    page.click(".row:has-text('result #3') >> nth=0")
    page.wait_for_selector("#chosen section")
    for summary in page.query_selector_all("summary"):
        summary.click()

    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
