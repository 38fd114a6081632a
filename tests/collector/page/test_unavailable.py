"""Pages that are open while the collector, PostgreSQL or the log-in goes away."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from sqlalchemy import make_url

from relayscope.storage import create_engine
from tests.collector.page.test_security import SETTING, TOKENS, ask
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


def with_a_choice(open_at: OpenAt, collector: Collector) -> Page:
    """The page of a trace, in which the first message is chosen."""
    page = open_at(collector, TRACE)
    page.keyboard.press("j")
    page.wait_for_selector("#chosen h2:has-text('tools/call #3')")
    return page


def test_a_trace_says_that_the_collector_does_not_answer(
    start_collector: StartCollector, database_url: str, open_at: OpenAt
) -> None:
    """In place of what was chosen before, with a way to try again that works once it is back."""
    samples.store(database_url, *recent(*samples.relayed_call()))
    collector = start_collector()
    page = with_a_choice(open_at, collector)
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


def let_in(server_url: str, database_url: str, *, everybody: bool) -> None:
    """Have PostgreSQL let everybody into a database; or nobody, also not who was in already."""
    name = make_url(database_url).database
    engine = create_engine(server_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"alter database {name} allow_connections {everybody}")
    with engine.begin() as connection:
        if not everybody:
            connection.exec_driver_sql(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            )
    engine.dispose()


def test_without_postgresql_a_page_says_what_to_do(
    start_collector: StartCollector, server_url: str, database_url: str, open_at: OpenAt
) -> None:
    """In its own words, as 503, with a way to try again; a trace that is open stays so."""
    samples.store(database_url, *recent(*samples.relayed_call()))
    collector = start_collector()
    page = with_a_choice(open_at, collector)
    let_in(server_url, database_url, everybody=False)

    said = b"PostgreSQL does not answer, so that nothing can be shown."
    asked = urlencode({"sql": "select 6 * 7 as answer"})
    for path in ("/", "/problems", "/traces", TRACE, f"/sql?{asked}", f"/sql.csv?{asked}"):
        answer = ask(collector, path)
        assert (answer.status, said in answer.body) == (503, True), path
        assert b"FATAL" not in answer.body, path
    assert b"select 6 * 7 as answer" in ask(collector, f"/sql?{asked}").body
    assert ask(collector, "/api/traces").status == 503
    page.keyboard.press("j")
    expect(page.locator("#chosen")).to_contain_text(said.decode())
    assert page.locator(".row").count() > 1
    other = page.context.new_page()
    other.goto("/traces?since=1h")
    expect(other.get_by_role("link", name="Try again")).to_be_visible()

    let_in(server_url, database_url, everybody=True)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#chosen h2")).to_be_visible()
    other.get_by_role("link", name="Try again").click()
    other.get_by_role("heading", name="Traces").wait_for()
    assert other.url.endswith("/traces?since=1h")


def log_in(page: Page) -> None:
    """Fill in the form of the log-in, which is open."""
    page.fill("#token", TOKENS["read"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()


def test_who_was_logged_out_is_told_so(
    start_collector: StartCollector, database_url: str, open_at: OpenAt
) -> None:
    """On each page that is open, with a link that leads back to it; after that, all go on."""
    samples.store(database_url, *recent(*samples.relayed_call()))
    collector = start_collector(environment={"RELAYSCOPE_TOKENS": SETTING})
    trace = open_at(collector, TRACE)
    log_in(trace)
    live, now, other = (trace.context.new_page() for _ in range(3))
    live.goto("/live?component=client")
    now.goto("/?since=1h")
    other.goto("/setup")
    other.get_by_role("button", name="Log out").click()
    other.wait_for_url("**/login")

    told = "You were logged out. Log in again"
    expect(live.locator("#state")).to_have_text(told)
    now.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(now.locator("#state")).to_have_text(told)
    trace.keyboard.press("j")
    expect(trace.locator("#chosen")).to_have_text(told)
    back = live.get_by_role("link", name="Log in again")
    expect(back).to_have_attribute(
        "href", f"/login?{urlencode({'next': '/live?component=client'})}"
    )

    chosen = trace.url
    trace.get_by_role("link", name="Log in again").click()
    log_in(trace)
    assert trace.url == chosen
    trace.wait_for_selector("#chosen h2:has-text('tools/call #3')")
    expect(live.locator("#state")).to_contain_text("Shows what comes")
