"""Access to the page, and defence against another site's page in the same browser."""

from __future__ import annotations

import http.client
import json
import pkgutil
import re
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from relayscope.collector import page as page_package
from relayscope.collector.page.security import local_path
from tests.fix_collector import PATIENCE, Collector, Reply, standard_environment
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser, Route

    from tests.fix_page import OpenPage

TOKENS = {
    "ingest": "canary-ingest-0123456789",
    "read": "canary-read-0123456789",
    "admin": "canary-admin-0123456789",
}
SETTING = json.dumps(
    [{"name": f"a-{role}", "token": token, "role": role} for role, token in TOKENS.items()]
)
FORM = {"content-type": "application/x-www-form-urlencoded"}
VIEWS = ("/", "/problems", "/cost", "/setup")


def ask(
    collector: Collector,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    form: Mapping[str, str] | None = None,
) -> Reply:
    """The page's answer to a request, without following where it leads."""
    connection = http.client.HTTPConnection(collector.page, timeout=PATIENCE)
    body = None if form is None else urlencode(form)
    with closing(connection):
        connection.request(
            "GET" if form is None else "POST",
            path,
            body,
            {**(FORM if form is not None else {}), **(headers or {})},
        )
        response = connection.getresponse()
        given = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, given, response.read())


def csrf(reply: Reply) -> str:
    """The token of the first form in a page."""
    found = re.search(rb'name="csrf" value="([0-9a-f]+)"', reply.body)
    assert found
    return found[1].decode()


def log_in(collector: Collector, token: str, **others: str) -> Reply:
    """Send the form of the log-in."""
    shown = ask(collector, "/login")
    return ask(collector, "/login", form={"csrf": csrf(shown), "token": token, **others})


@pytest.fixture(scope="module")
def guarded(
    shared_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """A collector with a token for each role."""
    environment = standard_environment(shared_database_url, tmp_path_factory.mktemp("guarded"))
    with Collector(environment=environment | {"RELAYSCOPE_TOKENS": SETTING}) as collector:
        yield collector.wait_until_ready()


@pytest.mark.parametrize("path", ["/", "/problems", "/static/page.css", "/login"])
def test_a_name_that_is_not_ours_leads_nowhere(shared_collector: Collector, path: str) -> None:
    """A stranger's name that leads to this port (DNS rebinding) gets nothing."""
    port = shared_collector.page.rpartition(":")[2]
    for name in (f"evil.example:{port}", "evil.example", f"127.0.0.1.evil.example:{port}"):
        assert ask(shared_collector, path, {"host": name}).status == 421
    for name in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert ask(shared_collector, path, {"host": name}).status in (200, 303)


def test_another_sites_page_cannot_have_a_question_asked(shared_collector: Collector) -> None:
    """An image, script, frame or fetch elsewhere gets no answer; a link that is followed does."""
    for mode, dest in (
        ("no-cors", "image"),
        ("no-cors", "script"),
        ("cors", "empty"),
        ("navigate", "iframe"),
    ):
        for site in ("cross-site", "same-site"):
            said = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
            assert ask(shared_collector, "/problems", said).status == 403

    followed = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    assert ask(shared_collector, "/problems", followed).status == 200


def test_another_sites_form_changes_nothing(guarded: Collector) -> None:
    """Not with the cookie, not with a token of another session, not from another origin."""
    cookie = log_in(guarded, TOKENS["read"]).headers["set-cookie"].partition(";")[0]
    page = ask(guarded, "/", {"cookie": cookie})
    other = csrf(ask(guarded, "/login"))

    def log_out(token: str, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(guarded, "/logout", {"cookie": cookie} | named, form={"csrf": token}).status

    assert log_out("") == 403
    assert log_out(other) == 403
    assert log_out(csrf(page), origin="http://evil.example") == 403
    assert log_out(csrf(page), origin="null") == 403
    assert log_out(csrf(page), origin="http://127.0.0.1:1") == 403
    assert log_out(csrf(page), sec_fetch_site="cross-site") == 403
    assert ask(guarded, "/", {"cookie": cookie}).status == 200
    assert log_out(csrf(page), origin=f"http://{guarded.page}") == 303
    assert ask(guarded, "/", {"cookie": cookie}).status == 303


def test_nothing_changes_but_by_a_form_of_ours(guarded: Collector) -> None:
    """Every path that takes more than looks wants our origin, and the token of the session."""
    cookie = log_in(guarded, TOKENS["admin"]).headers["set-cookie"].partition(";")[0]
    token = csrf(ask(guarded, "/", {"cookie": cookie}))
    ours = {"cookie": cookie, "origin": f"http://{guarded.page}"}
    changing = {
        view.path
        for module in pkgutil.iter_modules(page_package.__path__, f"{page_package.__name__}.")
        if not module.name.endswith("__main__")
        for view in getattr(import_module(module.name), "views", ())
        if view.methods != ("GET",)
    }
    assert changing == {"/login", "/logout", "/levels/set", "/levels/reset"}
    for path in changing:
        for headers, form in (
            (ours, {}),
            (ours, {"csrf": "0" * 64}),
            (ours | {"origin": "http://evil.example"}, {"csrf": token}),
            (ours | {"sec-fetch-site": "cross-site"}, {"csrf": token}),
            (ours | {"sec-fetch-site": "same-site"}, {"csrf": token}),
        ):
            assert ask(guarded, path, headers, form=form).status == 403, (path, headers, form)
    assert ask(guarded, "/", {"cookie": cookie}).status == 200


def test_a_link_from_elsewhere_shows_what_it_leads_to(browser: Browser, guarded: Collector) -> None:
    """To who has logged in; and of the same page nothing else arrives, nor changes anything."""
    ours = f"http://{guarded.page}"
    shared = f"""<!doctype html><title>chat</title>
        <a href="{ours}/traces?since=1h">the traces</a>
        <form method="post" action="{ours}/logout"><button>get out</button></form>
        <iframe src="{ours}/problems"></iframe>
        <script>
        window.got = [];
        window.over = Promise.allSettled(["cors", "no-cors"].map((mode) =>
            fetch("{ours}/problems", {{mode, credentials: "include"}}).then(
                (answer) => answer.text()).then((text) => text && got.push(text))));
        </script>"""
    context = browser.new_context(base_url=ours)
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.goto("/login")
    page.fill("#token", TOKENS["read"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    page.route(
        "http://chat.example/**",
        lambda route: route.fulfill(body=shared, content_type="text/html"),
    )
    page.goto("http://chat.example/")
    page.evaluate("window.over")
    assert page.evaluate("window.got") == []
    assert all("Problems" not in frame.content() for frame in page.frames[1:])
    page.get_by_role("button", name="get out").click()
    page.get_by_text("another site's page").wait_for()
    page.goto("http://chat.example/")
    page.get_by_role("link", name="the traces").click()
    page.get_by_role("heading", name="Traces").wait_for()
    assert page.url == f"{ours}/traces?since=1h"
    context.close()


def test_a_log_in_on_the_way_runs_no_statement(browser: Browser, guarded: Collector) -> None:
    """A statement that a link leads to is read before it is run, also by who logs in on the way."""
    context = browser.new_context(base_url=f"http://{guarded.page}")
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.goto(f"/sql?{urlencode({'sql': 'select 6 * 7 as answer'})}")
    page.fill("#token", TOKENS["read"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Read it before you run it").wait_for()
    assert page.locator(".result").count() == 0
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".result td")).to_have_text("42")
    context.close()


def test_with_tokens_nothing_is_shown_before_a_log_in(guarded: Collector) -> None:
    """Every view leads to the log-in, and back from there; programs are told so in JSON."""
    for path in VIEWS:
        refused = ask(guarded, f"{path}?since=1d")
        assert refused.status == 303
        assert refused.headers["location"] == f"/login?{urlencode({'next': f'{path}?since=1d'})}"
        assert refused.body == b""
    assert ask(guarded, "/api/nothing").status == 401
    assert ask(guarded, "/static/page.css").status == 200
    guessed = f"relayscope_session_{guarded.page.rpartition(':')[2]}=guessed"
    assert ask(guarded, "/problems", {"cookie": guessed}).status == 303


@pytest.mark.parametrize(("role", "status"), [("ingest", 403), ("read", 303), ("admin", 303)])
def test_a_token_that_may_read_becomes_a_session(
    guarded: Collector, role: str, status: int
) -> None:
    """Its cookie is for no script, of other sites only for their links, and has not the token."""
    answer = log_in(guarded, TOKENS[role], next="/cost?since=6h")

    assert answer.status == status
    if status == 303:
        assert answer.headers["location"] == "/cost?since=6h"
        cookie = answer.headers["set-cookie"]
        # A browser keeps one jar for all ports, and two collectors may be on one machine.
        assert cookie.startswith(f"relayscope_session_{guarded.page.rpartition(':')[2]}=")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert TOKENS[role] not in cookie
        shown = ask(guarded, "/cost", {"cookie": cookie.partition(";")[0]})
        assert shown.status == 200
        assert f"Log out a-{role}".encode() in shown.body
    else:
        assert "set-cookie" not in answer.headers


def test_a_token_that_nobody_has_is_refused(guarded: Collector) -> None:
    """And the log says who tried, not with what."""
    assert log_in(guarded, "canary-wrong-0123456789").status == 403
    eventually(
        lambda: "Unauthenticated" in [event["reason"] for event in guarded.events("log-in refused")]
    )
    assert "canary-wrong" not in json.dumps(guarded.log)


def test_a_bearer_token_reads_without_a_session(guarded: Collector) -> None:
    """As programs have it; the one that only sends records does not."""
    statuses = {
        role: ask(guarded, "/problems", {"authorization": f"Bearer {token}"}).status
        for role, token in TOKENS.items()
    }
    assert statuses == {"ingest": 403, "read": 200, "admin": 200}


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/\n/x"],
)
def test_a_log_in_leads_to_our_own_paths_only(target: str) -> None:
    """This holds for any target in a link to the log-in."""
    assert local_path(target) == "/"
    assert local_path("/trace/1?at=2") == "/trace/1?at=2"


@pytest.mark.parametrize("path", [*VIEWS, "/nothing", "/?since=never", "/static/page.js"])
def test_every_answer_binds_the_browser(shared_collector: Collector, path: str) -> None:
    """It runs and loads nothing but our own files, and shows the page in nobody's frame."""
    headers = ask(shared_collector, path).headers

    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers
    assert not [name for name in headers if name.startswith("access-control-")]


def test_an_attackers_page_in_the_same_browser_reads_nothing(
    browser: Browser, shared_collector: Collector
) -> None:
    """It loads what it can of the page; nothing of it arrives."""
    ours = f"http://{shared_collector.page}"
    attack = f"""<!doctype html><title>attack</title>
        <script src="{ours}/static/page.js"></script>
        <script>
        window.got = [];
        const tried = ["/", "/problems", "/static/page.css"].flatMap((path) => [
            fetch("{ours}" + path).then((answer) => answer.text()).then((text) => got.push(text)),
            fetch("{ours}" + path, {{mode: "no-cors"}}).then(
                (answer) => answer.text()).then((text) => text && got.push(text)),
            new Promise((done, failed) => {{
                const image = new Image();
                image.onload = done; image.onerror = failed;
                image.src = "{ours}/static/icon.svg?" + path;
            }}).then(() => got.push("image")),
        ]);
        window.over = Promise.allSettled(tried);
        </script>
        <iframe src="{ours}/"></iframe>"""

    def answer(route: Route) -> None:
        route.fulfill(body=attack, content_type="text/html")

    context = browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.route("http://attacker.example/**", answer)
    page.goto("http://attacker.example/")
    page.evaluate("window.over")

    assert page.evaluate("window.got") == []
    assert all("Problems" not in frame.content() for frame in page.frames[1:])
    context.close()


def test_a_person_logs_in_by_keyboard(browser: Browser, guarded: Collector) -> None:
    """The form is ready to be typed into, says what is wrong, and leads on."""
    context = browser.new_context(base_url=f"http://{guarded.page}")
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.goto("/setup")
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.type("canary-wrong-0123456789")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.type(TOKENS["read"])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Record a program").wait_for()

    expect(page.locator("main")).to_contain_text("TOKEN")
    page.wait_for_load_state()
    assert TOKENS["read"] not in page.content()
    page.get_by_role("button", name="Log out").press("Enter")
    page.get_by_role("heading", name="Log in").wait_for()
    context.close()


def test_what_is_asked_for_ends_with_who_asks(open_page: OpenPage) -> None:
    """Leaving a page is no error of the page."""
    page = open_page("/")
    page.evaluate("fetch('/problems', {signal: AbortSignal.timeout(1)}).catch(() => 0)")
    assert page.goto("/problems")
