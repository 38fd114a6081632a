"""The text of a message that is chosen in a trace, in a real browser."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from playwright.sync_api import expect

from relayscope.conventions.attributes import MESSAGE_SHA256, MESSAGE_SIZE
from tests.collector.page.traces import recent
from tests.collector.reading import samples
from tests.otlp_messages import call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

CUT_TRACE_ID = UUID("7bf92f3577b34da6a3ce929d0e0e4736")
GIF = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def test_what_a_result_costs_a_model_is_said(
    open_page: OpenPage, shared_collector: Collector
) -> None:
    """A text by a tokenizer, an image by its pixels, and that an image is none."""
    content = [
        {"type": "text", "text": "hello world"},
        {"type": "image", "mimeType": "image/gif", "data": GIF},
        {"type": "image", "mimeType": "image/png", "data": "aGVsbG8="},
    ]
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"content": content}})
    now = time.time_ns()
    send(
        shared_collector,
        "painter",
        [call(0xF1, 0xF2, now)],
        [message(0xF1, 0xF2, now, "result", body)],
    )
    page = open_page(f"/trace/{0xF1:032x}")
    page.click(".row:has-text('result #7')")
    said = page.locator(".content > p:first-child")
    expect(said.nth(0)).to_have_text("text · 2 tokens")
    expect(said.nth(1)).to_have_text("image image/gif · 1 \u00d7 1 px ≈ 1 token")
    expect(said.nth(2)).to_have_text("image image/png · no browser can show it")


def test_a_text_that_was_cut_is_not_shown_as_whole(
    open_page: OpenPage, shared_collector: Collector
) -> None:
    """Both sizes stand with the text, and where its contents would."""
    now = time.time_ns()
    said = json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"content": "x" * 80_000}})
    mark: dict[str, str | int] = {MESSAGE_SHA256: "ab" * 32, MESSAGE_SIZE: 1_114_202}
    send(
        shared_collector,
        "cutter",
        [call(0xF3, 0xF4, now)],
        [message(0xF3, 0xF4, now, "result", said[:70_000], extra=mark)],
    )
    page = open_page(f"/trace/{0xF3:032x}")
    page.click(".row:has-text('result #7')")
    cut = "Cut: 70.0 kB of 1.1 MB were recorded (RELAYSCOPE_BODY_LIMIT)"
    for heading in ("Message", "As the model received it"):
        section = page.locator("#chosen section", has=page.get_by_role("heading", name=heading))
        expect(section.locator(".explained")).to_have_text(cut)
    expect(page.get_by_role("link", name="Show all that was recorded")).to_be_visible()


def test_texts_that_begin_alike_are_not_called_the_same(
    open_page: OpenPage, shared_database_url: str
) -> None:
    """Both were cut, and the digests of all that was said differ."""
    spans, records = recent(*samples.relayed_call())
    cut = [
        replace(one, attributes=one.attributes | {MESSAGE_SHA256: one.component}) for one in records
    ]
    samples.store(shared_database_url, spans, cut, CUT_TRACE_ID)
    page = open_page(f"/trace/{CUT_TRACE_ID.hex}")
    page.click(".row:has-text('tools/call #3')")
    expect(page.locator("#chosen .hop").first).to_contain_text("Not compared")


def test_a_text_is_copied_as_it_was_said(open_page: OpenPage, shared_collector: Collector) -> None:
    """All of it, with characters that the page writes out because nobody can see them."""
    unseen = "soft\u00adhyphen \U0001f468\u200d\U0001f469 \u0645\u06cc\u200c \u202e \\u202e\r\n\t"
    content = [{"type": "text", "text": unseen}, {"type": "text", "text": "x" * 70_000}]
    result = {"jsonrpc": "2.0", "id": 7, "result": {"content": content}}
    body = "\ufeff\n" + json.dumps(result, ensure_ascii=False)
    now = time.time_ns()
    send(
        shared_collector,
        "talker",
        [call(0xF7, 0xF8, now)],
        [message(0xF7, 0xF8, now, "result", body)],
    )
    page = open_page(f"/trace/{0xF7:032x}", permissions=["clipboard-read", "clipboard-write"])
    page.click(".row:has-text('result #7')")
    page.click("summary:has-text('Exactly as it was said')")
    exact = page.locator(".exactly pre")
    expect(exact).to_contain_text("soft\\xadhyphen")
    assert exact.locator(".escape").all_inner_texts()[:3] == ["\\ufeff", "\\xad", "\\u200d"]
    page.evaluate("setTimeout = () => 0")  # The word would go again before it is looked for.
    page.get_by_role("link", name="Copy the text").click()
    page.get_by_role("link", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == body
