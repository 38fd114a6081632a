"""A collector with the sample traces of a moment ago, and one of which every text is markup."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from relayscope.collector.query.records import Record, Span
from tests.collector.reading import samples
from tests.fix_collector import Collector

MARKUP_TRACE_ID = UUID("6bf92f3577b34da6a3ce929d0e0e4736")

MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg/onload=alert(3)>"
    "javascript:alert(4){{7*7}}${7*7}{%raw%}</pre></style><style>*{display:none}</style>"
    "\u202e\u2066__proto__"
)
"""Runs, hides, loads and turns around what is around it, where it is taken for more than text."""

_MINUTE = 60 * 10**9


def moved(spans: list[Span], records: list[Record], by: int) -> tuple[list[Span], list[Record]]:
    """The same at another time: retention removes what is old."""
    return (
        [replace(one, start=one.start + by, end=one.end + by) for one in spans],
        [replace(one, time=one.time + by) for one in records],
    )


def marked_up_call() -> tuple[list[Span], list[Record]]:
    """A call of which every text is markup, and its request longer than a list shows."""
    where = samples.span(
        "77f067aa0ba902b7",
        None,
        MARKUP,
        f"tools/call {MARKUP}",
        kind="client",
        times=(30_000, 30_001),
        error=(MARKUP, MARKUP),
        method="tools/call",
    )
    extra = {
        "relayscope.peer": MARKUP,
        "relayscope.message.odd": MARKUP,
        "mcp.method.name": MARKUP,
        "gen_ai.tool.name": MARKUP,
        "jsonrpc.request.id": MARKUP,
        MARKUP: MARKUP,
    }
    params = {"name": MARKUP, MARKUP: MARKUP, "long": "x" * 10_000}
    body = json.dumps({"method": "tools/call", "id": 1, "params": params})
    error = json.dumps({"id": 1, "error": {"code": 1, "message": MARKUP}})
    log = samples.log(where, MARKUP, 30_000.2, (17, MARKUP), f"{MARKUP}\n{MARKUP}")
    return [where], [
        samples.message(where, 30_000.1, "sent", body, **extra),
        samples.message(where, 30_000.8, "received", error, **extra),
        replace(log, event_name=MARKUP, attributes={MARKUP: {MARKUP: MARKUP}}),
    ]


@pytest.fixture(scope="module")
def stored(shared_collector: Collector, shared_database_url: str) -> Collector:
    """A collector whose page shows the sample traces, as of a minute ago."""
    by = time.time_ns() - samples.START - 2 * _MINUTE
    relayed = moved(*samples.relayed_call(), by)
    samples.store(shared_database_url, *relayed)
    hostile = moved(*samples.hostile_call(), by)
    samples.store(shared_database_url, *hostile, samples.HOSTILE_TRACE_ID)
    marked_up = moved(*marked_up_call(), by)
    samples.store(shared_database_url, *marked_up, MARKUP_TRACE_ID)
    return shared_collector


@pytest.fixture
def client(stored: Collector) -> Iterator[httpx.Client]:
    """A program that asks the page of that collector."""
    with httpx.Client(base_url=f"http://{stored.page}", trust_env=False, timeout=60) as asking:
        yield asking


def violations(page: Page) -> list[str]:
    """Return the faults that axe-core finds in a page."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def cut_off(page: Page) -> list[str]:
    """No element has more in it than can be seen where nothing scrolls; a cell's `…` says so."""
    found: list[str] = page.locator("main, main *, aside, aside *").evaluate_all(
        """all => all.filter(one => one.clientWidth > 0
                && (one.scrollWidth > one.clientWidth + 1
                    || one.scrollHeight > one.clientHeight + 1)
                && getComputedStyle(one).overflowX !== "visible"
                && getComputedStyle(one).textOverflow !== "ellipsis"
                && getComputedStyle(one).clipPath === "none")
            .map(one => one.outerHTML.slice(0, 120))"""
    )
    return found
