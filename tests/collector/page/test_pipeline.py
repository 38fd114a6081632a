"""The view of what becomes of telemetry: numbers over time, losses, and times of retention."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from relayscope.collector.page.figure_history import (
    Key,
    Sample,
    items,
    latencies,
    requests,
    waiting,
)
from relayscope.collector.page.pipeline import kept, step_of
from relayscope.storage import Policy
from tests.collector.page.conftest import violations
from tests.fix_collector import Collector
from tests.fix_page import OpenPage
from tests.fix_programs import eventually

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ITEMS = "relayscope_items_total"
BUCKET = "relayscope_commit_seconds_bucket"


@pytest.fixture(autouse=True)
def _is_stored(stored: Collector) -> None:
    """All of these look at a collector that has stored something."""


def samples(*values: dict[Key, float]) -> list[Sample]:
    """Looks every 10 seconds."""
    return [Sample(NOON + number * timedelta(seconds=10), one) for number, one in enumerate(values)]


def test_counts_become_rates() -> None:
    """No rate is below 0, also when a process is forgotten and its counts with it."""
    stored, rejected = Key(ITEMS, "stored"), Key(ITEMS, "rejected")
    seen = samples({stored: 0}, {stored: 100, rejected: 5}, {stored: 50, rejected: 5})
    found = items(seen)
    assert [value for _, value in found["stored"]] == [10, 0]
    assert [value for _, value in found["rejected"]] == [0.5, 0]
    assert requests(seen) == {}


def test_what_was_refused_is_told_apart_by_its_code() -> None:
    """Requests with any other code than OK were refused."""
    name = "relayscope_requests_total"
    ok, full = Key(name, code="OK"), Key(name, code="RESOURCE_EXHAUSTED")
    found = requests(samples({ok: 0, full: 0}, {ok: 20, full: 10}))
    assert found == {
        "accepted": [(NOON + timedelta(seconds=10), 2.0)],
        "refused: RESOURCE_EXHAUSTED": [(NOON + timedelta(seconds=10), 1.0)],
    }


def test_what_waits_is_shown_as_it_is() -> None:
    """It is a state and no count."""
    found = waiting(samples({Key("relayscope_outage_waiting_bytes"): 7.0}))
    assert found["on disk for PostgreSQL"] == [(NOON, 7.0)]
    assert found["in memory"] == [(NOON, 0.0)]


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4))
def test_the_time_to_commit_is_within_the_bounds_of_its_bucket(counts: list[int]) -> None:
    """Half of all took no more than the bound by which half of all had come."""
    bounds = ("0.001", "0.01", "0.1", "+Inf")
    sums = [sum(counts[: at + 1]) for at in range(4)]
    keys = [Key(BUCKET, le=bound) for bound in bounds]
    found = latencies(
        samples(dict.fromkeys(keys, 3.0), {key: 3.0 + s for key, s in zip(keys, sums, strict=True)})
    )
    if not sums[-1]:
        assert found == {}
        return
    ((_, half),) = found["half of all commits"]
    first = next(at for at, one in enumerate(sums) if one >= sums[-1] / 2)
    edges = [0.0, 0.001, 0.01, 0.1, 0.1]
    assert edges[first] - 1e-9 <= half <= edges[first + 1] + 1e-9


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=400)))
def test_a_time_has_few_columns(length: timedelta) -> None:
    """However long it is."""
    assert length / step_of(length) <= 401


def test_retention_is_told_as_it_will_be() -> None:
    """By the age of its class, where it has one; what nothing says of stays."""
    policy = Policy({"log": timedelta(days=30)}, {"errors": timedelta(days=90)})
    row = {"from_time": NOON - timedelta(days=1), "to_time": NOON}
    rows: list[dict[str, Any]] = [
        {**row, "signal": "log", "class": "rest", "is_sealed": True},
        {**row, "signal": "log", "class": "errors", "is_sealed": True},
        {**row, "signal": "log", "class": None, "is_sealed": False},
        {**row, "signal": "span", "class": "rest", "is_sealed": True},
        {**row, "to_time": datetime.max.replace(tzinfo=UTC), "signal": "log", "class": "rest"}
        | {"is_sealed": True},
    ]
    days = [one["goes"] and (one["goes"] - NOON).days for one in kept(rows, policy)]
    assert days == [30, 90, 90, None, None]


def test_the_pipeline_is_plotted_with_its_tables_a_click_away(open_page: OpenPage) -> None:
    """Records that were stored, what is missing, and which partitions there are."""
    page = open_page("/pipeline?since=15m")
    expect(page.get_by_role("img", name=re.compile("Stored records"))).to_be_visible()
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("table", name=re.compile("Stored records"))).to_be_visible()
    expect(page.get_by_text(re.compile("^The database has .* MB"))).to_be_visible()
    page.get_by_text("when retention removes them").click()
    expect(page.locator("table").last).to_contain_text("written to")
    assert violations(page) == []


def test_figures_are_plotted_of_the_time_before_anybody_looked(open_page: OpenPage) -> None:
    """The collector keeps them; the page has only just been opened."""
    page = open_page("/pipeline?since=15m")
    plot = page.get_by_role("img", name=re.compile("^Waiting: .*in memory"))

    def is_plotted() -> bool:
        page.reload()
        return plot.is_visible()

    eventually(is_plotted)  # A collector that has just started has kept nothing yet.
    expect(page.locator("main")).to_contain_text("are kept for 3 days")


def test_of_a_time_without_figures_it_is_said(open_page: OpenPage) -> None:
    """No plot, and a sentence that says why."""
    page = open_page("/pipeline?since=2026-01-01T00:00Z&until=2026-01-02T00:00Z")
    expect(page.locator("main")).to_contain_text("Nothing is known of")
