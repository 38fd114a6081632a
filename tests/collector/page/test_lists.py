"""Traces, calls, messages and logs in a browser: found by clicking, kept in the address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.collector.page.conftest import MARKUP, MARKUP_TRACE_ID, violations
from tests.collector.reading.samples import TRACE_ID
from tests.fix_collector import Collector
from tests.fix_page import OpenPage

LISTS = ("traces", "calls", "messages", "logs")


@pytest.fixture(autouse=True)
def _is_stored(stored: Collector) -> None:
    """All of these look at the sample traces."""


def texts(page: Page) -> list[str]:
    """Return the texts of the rows, once all are there and their times in the viewer's zone."""
    page.wait_for_load_state()
    expect(page.locator("tbody time:not([data-local])")).to_have_count(0)
    return page.locator("tbody tr").all_inner_texts()


def test_a_cell_narrows_its_list_and_back_widens_it(open_page: OpenPage) -> None:
    """The filter is in the address: a link to it shows the same rows, and so does going back."""
    page = open_page("/")
    page.get_by_role("link", name="Calls", exact=True).click()
    page.wait_for_url("**/calls")  # It is loaded to its end then.
    rows = page.locator("tbody tr")
    everything = rows.count()
    assert everything > 1
    page.get_by_role("link", name="iccm-relay").first.click()
    expect(page).to_have_url(re.compile("component=iccm-relay"))
    page.get_by_role("link", name="127.0.0.1:9051").first.click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Europe/Berlin")
    assert "component=iccm-relay" in page.url
    copied = open_page(page.url)
    assert texts(copied) == texts(page)
    page.go_back()
    page.go_back()
    expect(rows).to_have_count(everything)


def test_a_filter_is_taken_away_by_its_name(open_page: OpenPage) -> None:
    """Each that is given is shown with a link that leaves the others."""
    page = open_page("/messages?component=client&component=iccm-relay&kind=request")
    page.get_by_role("link", name="Take away component client").click()
    expect(page).to_have_url(re.compile(r"\?component=iccm-relay&kind=request$"))
    page.get_by_role("link", name="Take all away").click()
    expect(page).to_have_url(re.compile("/messages$"))


def test_the_form_is_used_by_keyboard(open_page: OpenPage) -> None:
    """A text to look for, a choice among what may be several, and Enter."""
    page = open_page("/messages?component=iccm-relay")
    page.get_by_label("holds the text").focus()
    page.keyboard.type("Unknown method")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "component=iccm-relay" in page.url
    page.get_by_text("More filters").focus()
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="request").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Nothing that is stored fits.")


def test_a_call_shows_its_request_beside_its_answer(open_page: OpenPage) -> None:
    """Both as they were, and where it is in its trace."""
    page = open_page("/calls?component=time-server")
    page.locator("summary").filter(has_text="Europe/Berlin").click()
    request = page.get_by_role("group", name="Request").locator("pre")
    answer = page.get_by_role("group", name="Answer").locator("pre")
    expect(request).to_contain_text('"method": "tools/call"')
    expect(answer).to_contain_text('"isError": false')
    left, right = request.bounding_box(), answer.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    place = page.get_by_role("link", name="Its place in the trace").get_attribute("href")
    assert place == f"/trace/{TRACE_ID.hex}?at=33f067aa0ba902b7"


def test_of_a_long_text_a_list_has_the_beginning(open_page: OpenPage) -> None:
    """As much as people read there; and it says that the text goes on."""
    page = open_page(f"/calls?trace={MARKUP_TRACE_ID.hex}")
    request = page.get_by_role("group", name="Request", include_hidden=True).locator("pre")
    text = request.text_content() or ""
    assert text.endswith("xxx…")
    assert len(text) < 4100, "and what cannot be seen is written out"


def test_a_list_is_narrowed_to_one_odd_mark(open_page: OpenPage) -> None:
    """By a click on it, as on whatever else a row says."""
    page = open_page("/messages?odd=true")
    rows = page.locator("tbody tr")
    assert rows.count() > 1
    page.get_by_role("link", name="orphan answer").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("orphan answer")
    expect(page).to_have_url(
        re.compile("odd=true.*attribute=relayscope.message.odd%3Dorphan_answer")
    )
    assert page.get_by_role("link", name="orphan answer").count() == 0


def test_a_trace_has_its_course_beside_it(open_page: OpenPage) -> None:
    """A bar for each span, and what was found in it as words."""
    page = open_page(f"/traces?trace={TRACE_ID.hex}")
    course = page.get_by_role("img", name="6 spans in 12.4 ms")
    expect(course.locator("rect")).to_have_count(6)
    expect(page.locator("tbody tr")).to_contain_text("2 failed")
    expect(page.locator("tbody tr")).to_contain_text("1 odd")


def test_a_long_list_goes_on_with_what_is_older(open_page: OpenPage) -> None:
    """To its end; no row is left out."""
    page = open_page("/messages?limit=1000")
    everything = texts(page)
    page = open_page("/messages?limit=4")
    seen: list[str] = []
    while True:
        seen += [row for row in texts(page) if row not in seen]
        older = page.get_by_role("link", name="Older")
        if not older.count():
            break
        page.goto(older.get_attribute("href") or "")
    assert set(seen) == set(everything)


def test_a_list_is_sorted_by_what_takes_longest(open_page: OpenPage) -> None:
    """In the address, as all else."""
    page = open_page("/calls?since=1d")
    page.get_by_label("sorted by").select_option("duration")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("sort=duration"))
    expect(page.locator("tbody tr").first).to_contain_text("12.3 ms")


def test_headings_sort_and_turn_around(open_page: OpenPage) -> None:
    """By clicking or by keyboard; which end is shown is said, also to who does not see the sign."""
    page = open_page("/calls?since=1d")
    page.get_by_role("link", name="duration").click()
    expect(page.get_by_role("columnheader", name="duration")).to_have_attribute(
        "aria-sort", "descending"
    )
    longest = texts(page)
    page.get_by_role("link", name="duration").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="duration")).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert texts(page)[0] != longest[0]
    expect(page.get_by_label("order", exact=True)).to_have_value("ascending")


def test_a_wrong_filter_is_named(open_page: OpenPage) -> None:
    """The page says in words what is wrong with an address."""
    assert "slower_than=fast: expected" in open_page("/calls?slower_than=fast").inner_text("main")
    assert "nobody: calls have" in open_page("/calls?nobody=1").inner_text("main")


def test_a_time_that_ends_before_it_begins_is_named(open_page: OpenPage) -> None:
    """Nothing can fit it, which is no word on what is stored."""
    page = open_page("/messages?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z")
    expect(page.locator(".empty")).to_contain_text("is not before that in “until”")
    page = open_page("/messages?since=2016-01-01T00:00:00Z&until=2016-01-02T00:00:00Z")
    expect(page.locator(".empty")).to_contain_text("Nothing that is stored fits")


def test_open_calls_are_said_to_be_elsewhere_than_in_traces(open_page: OpenPage) -> None:
    """A trace is listed by its spans, and who hangs has ended none."""
    page = open_page("/traces?since=2016-01-01T00:00:00Z&until=2016-01-02T00:00:00Z")
    page.locator(".empty").get_by_role("link", name="see all calls").click()
    page.get_by_role("heading", name="Calls", exact=True).wait_for()


@pytest.mark.parametrize("name", LISTS)
def test_what_strangers_say_is_text_in_every_list(open_page: OpenPage, name: str) -> None:
    """Nothing of it runs, loads or hides, and a list can be narrowed to it all the same."""
    page = open_page(f"/{name}")
    assert page.locator("tbody tr", has_text="<script>alert(1)</script>").count()
    page.locator("tbody a.component", has_text=MARKUP[:40]).first.click()
    expect(page.locator(".chips")).to_contain_text(MARKUP[:40])
    expect(page.locator("tbody tr", has_text="<script>alert(1)</script>")).not_to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_accessible(open_page: OpenPage, name: str, scheme: str) -> None:
    """axe-core finds nothing wrong, with all that can be opened open; nothing is cut at 400 px."""
    page = open_page(
        f"/{name}?since=1h", color_scheme=scheme, viewport={"width": 400, "height": 800}
    )
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
