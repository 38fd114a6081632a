"""Failures that were seen in the field are found by clicking, beginning at `/`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.fix_programs import eventually, host_environment, instrumented, line, python, run

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage
    from tests.fix_programs import Background

HELLO = line(id=1, method="initialize", params={}) + line(method="notifications/initialized")
CALL = {"name": "gates_create_document", "arguments": {}}


@pytest.fixture
def environment(shared_collector: Collector, tmp_path: Path) -> dict[str, str]:
    """The environment of a program that sends its records to the collector of the page."""
    return host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{shared_collector.grpc}",
        RELAYSCOPE_SPOOL_DIR=str(tmp_path / "spool"),
    )


def open_view(open_page: OpenPage, name: str) -> Page:
    """Begin at `/` and go to a view; it is there in the end, and can be loaded again."""
    page = open_page("/")
    page.click(f"nav >> text={name}")
    page.wait_for_url(f"**/{name.lower()}")
    return page


def follow(page: Page, place: str, link: str, until: str) -> None:
    """Click on a link in some place, once the page has it, and wait for what it leads to."""
    has_it = page.locator(place).filter(has=page.locator(link))
    reload_until(page, has_it)
    has_it.first.locator(link).first.click()
    page.wait_for_selector(until)


def reload_until(page: Page, wanted: Locator, count: int = 1) -> None:
    """Ask for the page again until so many are on it: programs deliver when they get to it."""

    def is_there() -> bool:
        if wanted.count() < count:
            page.reload()
        return wanted.count() >= count

    eventually(is_there)


def test_case_a_a_wrong_port_is_an_arrow_that_leads_to_nothing(
    open_page: OpenPage, environment: dict[str, str]
) -> None:
    """From the problems to the ladder: the relay could not connect, and to where it tried."""
    relay = instrumented("relay-a", python("websocket_relay.py", "gates=ws://127.0.0.1:1"))
    run(relay, environment, HELLO + line(id=3, method="tools/call", params=CALL))

    page = open_view(open_page, "Problems")
    follow(
        page, "article.problem:has-text('ConnectionRefusedError')", "a[href*='/trace/']", ".ladder"
    )
    page.click(".ladder .row.unanswered")
    page.wait_for_selector("#chosen h2:has-text('connect')")

    expect(page.locator(".heads")).to_contain_text("127.0.0.1:1")
    expect(page.locator("#chosen .explained")).to_contain_text("ConnectionRefusedError")


def test_case_b_a_client_that_never_lists_again_is_seen_by_what_is_missing(
    open_page: OpenPage, environment: dict[str, str]
) -> None:
    """The list of messages of the relay ends with `list_changed`."""
    program = (
        "import sys\nfor line in sys.stdin: print(line.replace('initialized', "
        "'tools/list_changed'), end='', flush=True)"
    )
    run(
        instrumented("relay-b", [sys.executable, "-c", program]),
        environment,
        line(method="notifications/initialized"),
    )

    page = open_view(open_page, "Messages")
    follow(
        page,
        "main tr:has-text('relay-b'):has-text('list_changed')",
        "a[href*='/trace/']",
        ".ladder",
    )
    page.wait_for_load_state()
    said = page.inner_text(".ladder")

    assert "notifications/tools/list_changed" in said
    assert "tools/list #" not in said


def test_case_c_an_answer_to_a_notification_is_conspicuous(
    open_page: OpenPage, environment: dict[str, str], background: Background
) -> None:
    """From the problems to its arrow, and what is wrong with it in words."""
    backend = instrumented("late-c", python("late_backend.py", "0.7", "0"))
    port = background.listening(backend, environment)
    relay = instrumented("relay-c", python("websocket_relay.py", f"late=ws://127.0.0.1:{port}"))
    run(relay, environment, line(id=1, method="initialize", params={}))

    page = open_view(open_page, "Problems")
    follow(
        page,
        "article.problem:has-text('late-c'):has-text('answers a notification')",
        "a[href*='/trace/']",
        ".ladder",
    )
    # Its own line: the middle of arrow and mark together is another row's where these lie closely.
    page.click(".ladder .row:has-text('! answer to notification') .hit")
    page.wait_for_selector("#chosen h2:has-text('error')")

    expect(page.locator("#chosen .explained")).to_contain_text("an answer to a notification")


def test_case_d_one_ladder_has_the_call_on_every_leg(
    open_page: OpenPage, environment: dict[str, str], background: Background
) -> None:
    """From the calls to the ladder: client, relay and backend, and what the relay changed."""
    port = background.websocket_backend("gates", environment, wrap=instrumented("gates-d", []))
    relay = instrumented("relay-d", python("websocket_relay.py", f"gates=ws://127.0.0.1:{port}"))
    run(relay, environment, HELLO + line(id=35, method="tools/call", params=CALL))

    page = open_view(open_page, "Calls")
    follow(
        page,
        "main tr:has-text('gates-d'):has-text('gates_create_document')",
        "a[href*='/trace/']",
        ".ladder",
    )
    reload_until(page, page.locator(".heads:has-text('relay-d'):has-text('gates-d')"))
    legs = page.locator(".ladder .row:has-text('tools/call gates_create_document')")
    reload_until(page, legs, 2)
    expect(legs).to_have_count(2)
    page.click(".ladder .row:has-text('tools/call gates_create_document #35')")
    page.wait_for_selector("#chosen h2:has-text('#35')")

    expect(page.locator("#chosen")).to_contain_text("Then: tools/call gates_create_document")
