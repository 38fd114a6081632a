"""Cost: what the results of tools come to in a model's context, images by their own rule."""

from __future__ import annotations

import json
import random
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from relayscope.collector.query.tokens import MOST_OF_IMAGE
from relayscope.conventions.attributes import LONGEST_TARGET
from tests.collector.page.conftest import violations
from tests.fix_collector import PATIENCE
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

LARGE = b64encode(random.Random(21).randbytes(30_000)).decode()
"""Of an image that the collector replaces by a marker."""

MEASURED = b64encode(
    b"GIF89a" + (640).to_bytes(2, "little") + (480).to_bytes(2, "little") + bytes(20_000)
).decode()
"""Of one that says its pixels, which its marker has."""

SMALL = b64encode(random.Random(22).randbytes(150)).decode()
"""Of one that it leaves as it is."""


def result(*content: dict[str, Any]) -> str:
    """Return a tool's result."""
    return json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"content": content}})


def image(data: str) -> dict[str, str]:
    """Return an image of a result."""
    return {"type": "image", "mimeType": "image/png", "data": data}


def resource(data: str, media_type: str) -> dict[str, Any]:
    """Return an embedded resource of a result."""
    held = {"uri": "file:///a", "mimeType": media_type, "blob": data}
    return {"type": "resource", "resource": held}


@pytest.fixture(scope="module")
def painted(shared_collector: Collector) -> dict[str, str]:
    """The results of five tools, by their names, which a collector has stored."""
    now = time.time_ns() - 30 * SECOND
    said = {"type": "text", "text": "word " * 2000}
    results = {
        "paint": result(image(LARGE), said, image(LARGE)),
        "draw": result(image(MEASURED), image(MEASURED)),
        "icons": result(*[image(SMALL)] * 40),
        "embed": result(resource(MEASURED, "image/gif"), resource(SMALL, "application/pdf")),
        "read": result(said, {"type": "text", "text": json.dumps(image(SMALL))}),
    }
    for number, (tool, body) in enumerate(results.items(), 1):
        at = now + number * SECOND
        extra = {"gen_ai.tool.name": tool}
        trace, span = 0xC057 + number, 0xC0 + number
        send(
            shared_collector,
            "studio",
            [call(trace, span, at, attributes=extra)],
            [message(trace, span, at, "result", body, extra=extra)],
        )
    return results


def test_an_image_counts_by_its_own_rule_and_not_as_text(
    painted: dict[str, str], shared_collector: Collector
) -> None:
    """This holds of kept, other and embedded ones; an image that a text speaks of is text."""
    address = f"http://{shared_collector.page}/api/cost"
    reply = httpx.get(address, trust_env=False, timeout=PATIENCE).json()
    rows = {row["tool"]: row for row in reply["rows"] if row["component"] == "studio"}

    found = {
        tool: (row["images"], row["image_bytes"], row["image_tokens"]) for tool, row in rows.items()
    }
    assert found == {
        "paint": (2, 2 * len(LARGE), 2 * MOST_OF_IMAGE),
        "draw": (2, 2 * len(MEASURED), 2 * 410),
        "icons": (40, 40 * len(SMALL), 40 * MOST_OF_IMAGE),
        "embed": (1, len(MEASURED), 410),
        "read": (0, 0, 0),
    }
    for tool, row in rows.items():
        size = len(painted[tool])
        assert row["bytes"] == size
        assert row["tokens"] == -(-(size - row["image_bytes"]) // 4)


@pytest.mark.usefixtures("painted")
def test_the_page_says_how_images_are_counted(open_page: OpenPage) -> None:
    """The rule is named, and which count as the most that they may be."""
    page = open_page("/cost")
    table = page.get_by_role("group", name="Results by tool")
    expect(table.locator("tr", has_text="paint")).to_contain_text("2: ≤ 3,200 tokens")
    expect(table.locator("tr", has_text="draw")).to_contain_text("2: ≈ 820 tokens")
    expect(table.locator("tr", has_text="read")).not_to_contain_text("≤")
    expect(page.locator("main")).to_contain_text("the rule that Anthropic publishes")
    of_studio = table.locator("tr", has_text="studio")
    expect(of_studio.locator("td[data-unit='result']")).to_have_count(5)
    assert violations(page) == []


def tools(*descriptions: str) -> str:
    """Return a list of tools, as compact as a server may send it."""
    listed = [
        {"name": f"tool_{number}", "description": text, "inputSchema": {"type": "object"}}
        for number, text in enumerate(descriptions)
    ]
    return json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"tools": listed}})


SIZE = 1_100_000
"""Bytes on the wire of the list that was cut, of which far fewer were recorded."""


@pytest.fixture(scope="module")
def offered(shared_collector: Collector) -> dict[str, str]:
    """Lists of tools that a component got, one cut, and some with what `jsonb` cannot hold."""
    whole = tools(*["word " * 100] * 50)
    deep = "[" * 3000 + "]" * 3000
    lists = {
        "plain": tools("word " * 100),
        "with-nul": tools("word \0 " * 200, "word"),
        "half-a-pair": tools("word").replace("word", r"\ud800" + "word" * 300),
        "deep": tools("word " * 150).replace("}]}}", f'}},{{"name":"deep","x":{deep}}}]}}}}'),
        # Before the end of the tenth tool.
        "cut": whole[: whole.index('"tool_10"') - 100],
    }
    now = time.time_ns() - 30 * SECOND
    for number, (peer, body) in enumerate(lists.items(), 1):
        extra: dict[str, str | int] = {
            "mcp.method.name": "tools/list",
            "relayscope.peer": peer,
        }
        if peer == "cut":
            extra["relayscope.message.sha256"] = "00" * 32
            extra["relayscope.message.size"] = SIZE
        trace, span = 0xC157 + number, 0xC1 + number
        at = now + number * SECOND
        record = message(trace, span, at, "result", body, sequence=number, extra=extra)
        send(shared_collector, "shopper", [], [record])
    return lists


def test_no_text_of_a_definition_hides_what_a_list_of_tools_costs(
    offered: dict[str, str], shared_collector: Collector
) -> None:
    """Neither what `jsonb` cannot hold does, nor what is deeper than Python reads."""
    address = f"http://{shared_collector.page}/api/cost"
    reply = httpx.get(address, trust_env=False, timeout=PATIENCE).json()
    rows = [row for row in reply["rows"] if row["component"] == "shopper"]

    def told(peer: str) -> list[tuple[str | None, bool]]:
        return [
            (row["tool"], row["truncated"])
            for row in rows
            if row["view"] == "definitions" and row["peer"] == peer
        ]

    assert {row["calls"] for row in rows if row["view"] == "definitions" and row["tool"]} == {0}
    assert told("plain") == [("tool_0", False)]
    assert told("with-nul") == [("tool_0", False), ("tool_1", False)]
    assert told("half-a-pair") == [("tool_0", False)]
    assert told("deep") == [("tool_0", False), (None, False)]
    assert told("cut") == [*((f"tool_{number}", True) for number in range(9)), (None, True)]
    for peer, body in offered.items():
        came_to = sum(row["characters"] for row in rows if row["peer"] == peer)
        assert len(body) * 0.8 < came_to <= len(body), peer


@pytest.mark.usefixtures("offered")
def test_a_list_of_tools_that_was_cut_says_so_and_ranks_by_its_size(open_page: OpenPage) -> None:
    """It is more than what can be counted, and never nothing."""
    page = open_page("/cost")
    listings = page.locator(".listing", has_text="shopper")
    expect(listings).to_have_count(5)
    expect(listings.first).to_contain_text("is offered more than 9 tools by cut: more than")
    expect(listings.first).to_contain_text("of 1.1 MB")
    expect(listings.first).to_contain_text("what is missing counts as nothing")
    expect(page.locator("main")).not_to_contain_text("was not recorded")
    expect(listings.filter(has_text="by with-nul")).to_contain_text("offered 2 tools")
    assert violations(page) == []


def test_a_tool_whose_calls_fail_is_not_told_as_never_called(
    shared_collector: Collector, open_page: OpenPage
) -> None:
    """A definition is needed by who calls it, whatever comes of it."""
    at = time.time_ns() - 30 * SECOND
    peer = {"relayscope.peer": "shop"}
    listed = message(
        0xC257, 0xC2, at, "result", tools("a", "b"), extra=peer | {"mcp.method.name": "tools/list"}
    )
    called = call(
        0xC258, 0xC3, at, error_type="-32603", attributes=peer | {"gen_ai.tool.name": "tool_1"}
    )
    send(shared_collector, "buyer", [called], [listed])

    listing = open_page("/cost").locator(".listing", has_text="buyer")
    expect(listing).to_contain_text("1 never called")
    # Those of the most costly list are shown at once, those of the others when they are asked for.
    expect(listing.locator("tr", has_text="tool_0")).to_contain_text("never called")
    failing = listing.locator("tr", has_text="tool_1")
    expect(failing).not_to_contain_text("never called")
    expect(failing.locator("a")).to_have_text("1")


def test_a_tool_with_a_longer_name_than_is_kept_of_it_is_told_with_its_calls(
    shared_collector: Collector, open_page: OpenPage
) -> None:
    """Also in the list of these calls, to which their number leads."""
    at, name = time.time_ns() - 30 * SECOND, f"very_{'long_' * 40}name"
    peer = {"relayscope.peer": "epic"}
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": name}]}})
    listed = message(
        0xC457, 0xC4, at, "result", text, extra=peer | {"mcp.method.name": "tools/list"}
    )
    called = call(0xC458, 0xC5, at, attributes=peer | {"gen_ai.tool.name": name[:LONGEST_TARGET]})
    send(shared_collector, "bard", [called], [listed])

    page = open_page("/cost")
    listing = page.locator(".listing", has_text="bard")
    expect(listing).not_to_contain_text("never called")
    page.goto(f"http://{shared_collector.page}{listing.locator('td a').get_attribute('href')}")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_list_without_an_end_does_not_hide_the_lists_of_others(
    shared_collector: Collector,
) -> None:
    """However often it was asked for since."""
    at = time.time_ns() - 30 * SECOND
    kind = {"mcp.method.name": "tools/list"}
    lists = [
        message(
            0xC357, 0xC300 + number, at + number, "result", tools("a"), sequence=number,
            extra=kind | {"relayscope.peer": "endless" if number else "ended"},
        )
        for number in range(250)
    ]  # fmt: skip
    send(shared_collector, "reader", [], lists)
    address = f"http://{shared_collector.page}/api/cost"
    reply = httpx.get(address, trust_env=False, timeout=PATIENCE).json()
    assert {row["peer"] for row in reply["rows"] if row["component"] == "reader"} == {
        "ended",
        "endless",
    }
