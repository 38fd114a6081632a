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
