"""The page in a real browser: Debian's Chromium, driven by Playwright.

Its headless shell is the same engine without windows, and takes half the time of all a test's
processes (53 instead of 110 s for `test_trace_page.py`). A machine without either leaves these
tests out and says so; `RELAYSCOPE_TEST_CHROMIUM=required`, as `.ci/run` has it, makes them fail
there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.fix_collector import PATIENCE

if TYPE_CHECKING:
    from tests.fix_collector import Collector

CHROMIUM = Path("/usr/bin/chromium")
HEADLESS_SHELL = Path("/usr/bin/chromium-headless-shell")

NOT_WANTED = (
    # A process that is ready for a page that may come: a sixth of what a page costs a test.
    "SpareRendererForSitePerProcess",
    # What Playwright turns off by the same option, of which Chromium heeds the last.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
"""Features of Chromium."""

ARGUMENTS = [
    f"--disable-features={','.join(NOT_WANTED)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Seen:
    """Record of what a page did and should not have done."""

    origin: str
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Keep dialogs, errors of scripts and of the console, and requests to anywhere else."""

        def asked(request: Any) -> None:
            if not request.url.startswith((self.origin, "data:")):
                self.complaints.append(f"request to {request.url}")

        def said(message: Any) -> None:
            # That a page was refused is no error of what it shows.
            if message.type == "error" and "the server responded with" not in message.text:
                self.complaints.append(f"console: {message.text}")

        def dialog(shown: Any) -> None:
            self.complaints.append(f"dialog: {shown.message}")
            shown.dismiss()

        page.on("request", asked)
        page.on("console", said)
        page.on("dialog", dialog)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))


OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file: while it runs, no test can have an event loop."""
    installed = next((each for each in (HEADLESS_SHELL, CHROMIUM) if each.exists()), None)
    if installed is None:
        why = f"no browser: {HEADLESS_SHELL} is missing (apt-get install chromium-headless-shell)"
        if os.environ.get("RELAYSCOPE_TEST_CHROMIUM") == "required":
            pytest.fail(why)
        pytest.skip(why)
    # As all else here: on machines that do much else.
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=installed, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser, shared_collector: Collector) -> Iterator[OpenPage]:
    """Open a path of the shared collector's page; fails if a page did what it should not.

    Further arguments are those of a context: `viewport`, `color_scheme`, `timezone_id`.
    """
    seen = Seen(f"http://{shared_collector.page}")
    contexts = []

    def open_path(path: str, **context: Any) -> Page:
        made = browser.new_context(**{"base_url": seen.origin, "timezone_id": "UTC"} | context)
        contexts.append(made)
        # A page starts its process when somebody first looks, on machines that do much else.
        made.set_default_timeout(PATIENCE * 1000)
        page = made.new_page()
        seen.watch(page)
        page.goto(path)
        return page

    yield open_path
    for context in contexts:
        context.close()
    assert seen.complaints == []
