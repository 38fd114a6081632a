"""Levels on the page: what `relayscope level` does, by whom it may be done."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.collector.page.conftest import MARKUP, violations
from tests.fix_collector import Collector, StartCollector
from tests.fix_levels import listed
from tests.fix_page import OpenPage

TOKENS = {"read": "canary-read-0123456789", "admin": "canary-admin-0123456789"}
SETTING = json.dumps(
    [{"name": f"a-{role}", "token": token, "role": role} for role, token in TOKENS.items()]
)
FORM = {"component": "relay", "level": "TRACE", "seconds": "600"}


def csrf(page: str) -> str:
    """Return the CSRF token of a page's forms."""
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_a_level_is_set_and_reset_by_clicking(
    open_page: OpenPage, shared_collector: Collector
) -> None:
    """It is what the command line lists; who changed what stays to be seen."""
    page = open_page("/levels")
    page.get_by_label("component", exact=True).fill("relay")
    page.get_by_label("level", exact=True).select_option("DEBUG")
    page.get_by_text("Only some of its messages").click()
    page.get_by_label("peer", exact=True).fill("*:9060")
    page.get_by_role("button", name="Set", exact=True).click()
    rules = page.locator("table").first.locator("tbody tr")
    expect(rules).to_have_count(1)
    expect(rules).to_contain_text("peer=*:9060")
    (rule,) = listed(shared_collector)["rules"]
    assert (rule["component"], rule["level"], rule["by"]) == ("relay", "DEBUG", "page")
    assert rule["until"] is not None
    assert violations(page) == []
    page.get_by_role("button", name="Reset peer=*:9060 of relay").click()
    expect(page.locator("main")).to_contain_text("No rules hold")
    assert listed(shared_collector)["rules"] == []
    expect(page.locator("table").last).to_contain_text("reset")


def test_what_is_wrong_with_a_level_is_said_beside_the_form(open_page: OpenPage) -> None:
    """And what was filled in stays."""
    page = open_page("/levels")
    page.get_by_label("component", exact=True).fill("relay")
    page.get_by_text("Only some of its messages").click()
    page.get_by_label("peer", exact=True).fill("*:9060")
    page.get_by_label("the host's own log records").check()
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("the host's log records have no peer")
    expect(page.get_by_label("peer", exact=True)).to_have_value("*:9060")


def test_a_component_of_markup_is_text(open_page: OpenPage) -> None:
    """In the rules, and in the form that ends them."""
    page = open_page("/levels")
    page.get_by_label("component", exact=True).fill(MARKUP[:100])
    page.get_by_role("button", name="Set", exact=True).click()
    rules = page.locator("table").first.locator("tbody tr")
    expect(rules).to_contain_text("<script>alert(1)</script>")
    page.get_by_role("button", name="Reset all rules of").click()
    expect(page.locator("main")).to_contain_text("No rules hold")


def test_only_a_form_of_the_page_changes_levels(shared_collector: Collector) -> None:
    """Another site's page cannot: it has no token of a form, and says where it is from."""
    with httpx.Client(
        base_url=f"http://{shared_collector.page}", trust_env=False, timeout=60
    ) as client:
        assert client.post("/levels/set", data=FORM).status_code == 403
        token = csrf(client.get("/levels").text)
        elsewhere = {"sec-fetch-site": "cross-site", "origin": "http://evil.example"}
        reply = client.post("/levels/set", data=FORM | {"csrf": token}, headers=elsewhere)
        assert reply.status_code == 403
        assert listed(shared_collector)["rules"] == []


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """The names of the tokens."""
    return {role: f"a-{role}" for role in TOKENS}


def test_changing_levels_takes_an_admin(
    start_collector: StartCollector, names: dict[str, str]
) -> None:
    """Readers see the levels; an admin may change them, and is named in the list of changes."""
    collector = start_collector(environment={"RELAYSCOPE_TOKENS": SETTING})
    for role, token in TOKENS.items():
        with httpx.Client(
            base_url=f"http://{collector.page}", trust_env=False, timeout=60
        ) as client:
            form = {"token": token, "csrf": csrf(client.get("/login").text)}
            assert client.post("/login", data=form).status_code == 303
            shown = client.get("/levels").text
            assert ('action="/levels/set"' in shown) == (role == "admin")
            token_of_form = csrf(shown)
            reply = client.post("/levels/set", data=FORM | {"csrf": token_of_form})
            assert reply.status_code == (303 if role == "admin" else 403)
            if role == "admin":
                rules = client.get("/api/levels").json()["rules"]
                assert [rule["by"] for rule in rules] == [names[role]]
