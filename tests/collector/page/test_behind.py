"""The SQL behind what is shown: it runs as it stands, and finds what is shown."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from relayscope.collector.page.behind import written
from tests.collector.page.conftest import MARKUP_TRACE_ID, violations
from tests.collector.reading.samples import TRACE_ID
from tests.examples import examples

if TYPE_CHECKING:
    import httpx

    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

TEXT_AREA = re.compile(r'<textarea id="sql-[^>]*>\n(.*?)</textarea>', re.DOTALL)
STORABLE = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
OTHERS = {
    "/": 14,
    "/problems": 13,
    "/cost": 5,
    "/pipeline": 6,
    "/setup": 4,
    "/live": 1,
    "/levels": 1,
    "/compare": 1,
    "/compare/peers?left=time-server&right=iccm-relay": 1,
    f"/compare/traces?left={TRACE_ID.hex}&right={MARKUP_TRACE_ID.hex}": 4,
    f"/trace/{TRACE_ID.hex}": 2,
    f"/trace/{TRACE_ID.hex}?at=33f067aa0ba902b7": 3,
    f"/trace/{MARKUP_TRACE_ID.hex}": 2,
}
"""Views that are no lists, with how many statements are behind each."""


@pytest.fixture(autouse=True)
def _is_stored(stored: Collector) -> None:
    """All of these ask about the sample traces."""


def behind(client: httpx.Client, address: str) -> list[str]:
    """Return the statements that a view shows."""
    reply = client.get(address)
    assert reply.status_code == 200, address
    return [unescape(one) for one in TEXT_AREA.findall(reply.text)]


@pytest.mark.parametrize(
    "address",
    [
        "calls",
        "calls?component=iccm-relay&failed=true&limit=3",
        "calls?sort=duration&order=ascending&slower_than=1ms&limit=2",
        "calls?odd=true&text=timezone",
        "traces?limit=1",
        "traces?failed=true&sort=messages",
        f"traces?trace={TRACE_ID.hex}",
        "traces?text=Europe%2FBerlin&attribute=mcp.method.name%3Dtools%2Fcall",
        "traces?text=said+by+nobody",
        "messages?kind=result&direction=received&limit=2",
        "messages?text=%22id%22&sort=size",
        "messages?attribute=jsonrpc.request.id%3D1&attribute=network.transport%3Dpipe",
        "logs?level=error&limit=4",
        "logs?all=true&text=a",
        "logs?text=50%25+of+what+nobody+said",
    ],
)
def test_the_statement_of_a_list_finds_its_rows(client: httpx.Client, address: str) -> None:
    """Whatever it is filtered and sorted by; `/api/` tells the same list."""
    (statement,) = behind(client, address)
    joint = "&" if "?" in address else "?"
    shown = client.get(f"/api/{address}{joint}characters=4000").json()["rows"]

    reply = client.get("/sql.json", params={"sql": statement})

    assert reply.status_code == 200, (statement, reply.text)
    rows = zip(shown, reply.json(), strict=True)
    found = [{name: row[name] for name in told} for told, row in rows]
    assert found == shown
    for nothing in ("relayscope_store.fits(component, NULL)", "NULL::jsonb[] is null"):
        assert f"and {nothing}" not in " ".join(statement.split()).replace("( ", ""), nothing


@pytest.mark.parametrize("address", OTHERS)
def test_every_other_statement_runs_too(client: httpx.Client, address: str) -> None:
    """Each with the values that the view was made with."""
    statements = behind(client, address)
    assert len(statements) == OTHERS[address]
    for statement in statements:
        reply = client.get("/sql.json", params={"sql": statement})
        assert reply.status_code == 200, (statement, reply.text)


def test_the_statements_of_a_trace_find_its_spans_and_records(client: httpx.Client) -> None:
    """As many as its JSON has."""
    spans, records = behind(client, f"/trace/{TRACE_ID.hex}")
    told = client.get(f"/trace/{TRACE_ID.hex}/json").json()
    found = [client.get("/sql.json", params={"sql": one}).json() for one in (spans, records)]

    assert {row["span_id"] for row in found[0]} == {one["span_id"] for one in told["spans"]}
    assert sum(row["event_name"] == "mcp.message" for row in found[1]) == len(told["messages"])


def test_the_statement_of_two_messages_finds_their_differences(client: httpx.Client) -> None:
    """Also where their texts are longer than a page shows."""
    rows = client.get("/api/messages", params={"trace": MARKUP_TRACE_ID.hex}).json()["rows"]
    left, right = (row["message_id"] for row in rows)
    (statement,) = behind(client, f"/compare/messages?left={quote(left)}&right={quote(right)}")
    differences = client.get("/api/diff", params={"left": left, "right": right}).json()

    found = client.get("/sql.json", params={"sql": statement}).json()
    assert found
    assert found == differences["rows"]


def test_a_statement_is_run_by_keyboard(open_page: OpenPage) -> None:
    """From the list to its rows in the SQL view, and nothing on the way keeps anybody out."""
    page = open_page("/calls?failed=true")
    rows = page.locator("table.list tbody tr")
    expect(rows).not_to_have_count(0)
    shown = rows.count()
    page.get_by_text("SQL behind this").press("Enter")
    assert violations(page) == []
    page.get_by_role("button", name="Run calls in SQL").press("Enter")
    expect(page).to_have_url(re.compile("/sql"))
    expect(page.locator(".result tbody tr")).to_have_count(shown)


@settings(max_examples=examples(100))
@given(st.lists(STORABLE, min_size=1, max_size=3))
def test_any_value_is_written_as_it_is(shared_database_url: str, values: list[str]) -> None:
    """Nobody's text becomes SQL, and what cannot be seen has its number."""
    asked = {"one": values[0], "all": values, "none": None}
    text = written("select %(one)s::text, %(all)s::text[], %(none)s::text, 5 %% 3", asked)

    assert text.isprintable()
    with psycopg.connect(shared_database_url) as connection:
        row = connection.execute(text.encode()).fetchone()
    assert row == (values[0], values, None, 2)
