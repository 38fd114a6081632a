"""Two messages, peers and traces beside each other."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from relayscope.collector.page.compare.alignment import aligned, likeness
from relayscope.collector.page.compare.peers import outside
from relayscope.collector.page.trace.exchange import Exchange
from relayscope.collector.page.trace.places import Places
from relayscope.collector.page.trace.steps import Signal
from relayscope.collector.query.trace_tree import build
from tests.collector.page.traces import concurrent, recent, relayed, traces
from tests.collector.reading import samples
from tests.collector.reading.samples import TRACE_ID
from tests.otlp_messages import message, send

if TYPE_CHECKING:
    from relayscope.collector.page.trace.steps import Step
    from relayscope.collector.query.trace_tree import Trace
    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

SHORTER = UUID("6bf92f3577b34da6a3ce929d0e0e4736")


def steps(trace: Trace) -> tuple[Step, ...]:
    """Return the steps of a trace."""
    return Exchange.of(Places(trace)).steps


@settings(max_examples=40)
@given(traces(), traces())
def test_every_step_of_both_traces_is_there_in_its_order(one: Trace, other: Trace) -> None:
    """This holds for any two traces, alike or not."""
    left, right = steps(one), steps(other)
    pairs = aligned(left, right).pairs

    def told(all_of_it: tuple[Step, ...]) -> list[Step]:
        return [step for step in all_of_it if isinstance(step, Signal) or step.severity]

    assert [pair.left for pair in pairs if pair.left is not None] == told(left)
    assert [pair.right for pair in pairs if pair.right is not None] == told(right)
    for pair in pairs:
        if pair.is_same:
            assert pair.left is not None
            assert pair.right is not None
            assert likeness(pair.left) == likeness(pair.right)


def test_a_trace_parts_from_itself_nowhere() -> None:
    """Ids and times do not count."""
    assert aligned(steps(relayed()), steps(relayed())).parts_at is None
    assert aligned(steps(concurrent(3)), steps(concurrent(3))).parts_at is None


def test_the_first_divergence_is_told() -> None:
    """A connection that was refused in one of them, and all that is the same after it."""
    some_spans, some_records = samples.relayed_call()
    healthy = build(
        TRACE_ID, [one for one in some_spans if "connect" not in one.name], some_records
    )
    found = aligned(steps(relayed()), steps(healthy))

    assert found.parts_at == 1
    parting = found.pairs[1]
    assert parting.left is not None
    assert parting.left.label == "connect gates"
    assert parting.right is None
    assert all(pair.is_same for pair in found.pairs if pair is not parting)


def answered(result: dict[str, Any], error: tuple[str, str | None] | None = None) -> Trace:
    """Return a call of a tool, and the result that it got; `error` is that of its span."""
    asked = samples.span(
        "77f067aa0ba902b7",
        None,
        "client",
        "tools/call divide",
        kind="client",
        times=(0, 2),
        error=error,
    )
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {}})
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})
    said = [
        samples.message(asked, 0.1, "sent", request),
        # As much of it as a trace loads.
        replace(samples.message(asked, 1.9, "received", answer), body=answer[:600]),
    ]
    return build(TRACE_ID, [asked], said)


def test_a_tool_that_failed_parts_two_traces_at_its_result() -> None:
    """By what the result says, or by its span where the text is too long to be loaded."""
    content = [{"type": "text", "text": "no zero"}]
    long = [{"type": "text", "text": "no zero " * 200}]
    well, failed = ({"content": content, "isError": is_error} for is_error in (False, True))
    tool_error = ("tool_error", None)

    assert aligned(steps(answered(well)), steps(answered(failed))).parts_at == 1
    found = aligned(
        steps(answered({"content": long})),
        steps(answered({"content": long, "isError": True}, tool_error)),
    )
    assert found.parts_at == 1
    assert aligned(steps(answered(failed)), steps(answered(failed, tool_error))).parts_at is None


def test_answers_with_another_text_are_told_but_part_nothing() -> None:
    """A time in a result differs in each call, and is no reason why one works and one does not."""
    one, other = (
        {"content": [{"type": "text", "text": text}]} for text in ("it is one", "it is two")
    )
    found = aligned(steps(answered(one)), steps(answered(other)))

    assert found.parts_at is None
    assert found.otherwise_at == (1,)
    assert aligned(steps(answered(one)), steps(answered(one))).otherwise_at == ()


@pytest.fixture(scope="module")
def _stored(shared_database_url: str) -> None:
    some_spans, some_records = recent(*samples.relayed_call())
    samples.store(shared_database_url, some_spans, some_records)
    healthy = [one for one in some_spans if "connect" not in one.name]
    samples.store(shared_database_url, healthy, some_records, SHORTER)


@pytest.mark.usefixtures("_stored")
def test_two_traces_are_ladders_beside_each_other(open_page: OpenPage) -> None:
    """With a line where they part; a trace leads there."""
    page = open_page(f"/trace/{TRACE_ID.hex}")
    page.click(".tools a:has-text('Compare')")
    page.fill("form[action='/compare/traces'] [name=right]", SHORTER.hex[:8])
    page.click("form[action='/compare/traces'] button")
    page.wait_for_selector(".beside .ladder")

    expect(page.locator(".ladder .steps")).to_have_count(2)
    expect(page.locator("main")).to_contain_text("they part at step 2")
    expect(page.locator(".row.found")).to_have_count(1)
    expect(page.locator(".row.found")).to_contain_text("connect gates")


@pytest.mark.usefixtures("_stored")
def test_two_peers_are_compared_path_by_path_with_the_messages(open_page: OpenPage) -> None:
    """A message that only one of them sends links to its trace."""
    page = open_page("/compare")
    page.fill("form[action='/compare/peers'] [name=left]", "time-server")
    page.fill("form[action='/compare/peers'] [name=right]", "iccm-relay")
    page.click("form[action='/compare/peers'] button")
    page.wait_for_selector("tbody tr")
    page.click("tbody a:has-text('iccm-relay') >> nth=0")
    page.wait_for_selector("#chosen h2")

    assert "/trace/" in page.url


def test_messages_are_found_also_where_a_text_is_json(
    open_page: OpenPage, shared_collector: Collector
) -> None:
    """A path goes on into such a text, as no jsonpath does; other rows keep their messages too."""
    for number, (component, text) in enumerate((("one", '{"a": 1}'), ("other", '{"b": 2}'))):
        result = {"content": [{"type": "text", "text": text}], component: True}
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "result": result})
        said = {"relayscope.message.direction": "sent", "mcp.method.name": "tools/call"}
        sent = message(0xC0 + number, 0xC0, time.time_ns(), "result", body, extra=said)
        send(shared_collector, component, [], [sent])
    page = open_page("/compare/peers?left=one&right=other")
    within = page.locator("tbody tr", has_text="::json")
    assert within.count() > 0
    assert page.locator("tbody tr").count() > within.count()
    assert page.locator("tbody tr", has_not=page.locator("a.to")).count() == 0


def test_the_context_of_a_trace_is_no_difference_of_peers(
    open_page: OpenPage, shared_collector: Collector
) -> None:
    """Each message has its own; only that one peer has none at all is told."""
    contexts = (
        ("here", {"traceparent": f"00-{1:032x}-{1:016x}-01", "x": 1}),
        ("there", {"traceparent": f"00-{2:032x}-{2:016x}-01", "x": 2}),
        ("nowhere", {"x": 2}),
    )
    for number, (component, context) in enumerate(contexts):
        params = {"name": "x", "_meta": context}
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})
        sent = message(0xE0 + number, 0xE0, time.time_ns(), "request", body)
        send(shared_collector, component, [], [sent])
    page = open_page("/compare/peers?left=here&right=there")
    assert "$.params._meta.x" in page.inner_text("tbody")
    assert "traceparent" not in page.inner_text("tbody")
    page = open_page("/compare/peers?left=here&right=nowhere")
    assert "$.params._meta.traceparent" in page.inner_text("tbody")


@given(st.text(alphabet='$.a":\\[]jsoné', max_size=40))
def test_a_path_is_cut_at_a_text_that_is_json_and_nowhere_else(path: str) -> None:
    """A key is in quotes there if it is no plain name, and may say whatever it likes."""
    quoted = f"$.a.{json.dumps(path)}[0].text"
    assert outside(quoted) == quoted
    assert outside(f"{quoted}::json.{json.dumps(path)}") == quoted
    assert outside(f"{quoted}::json::json") == quoted


@pytest.mark.usefixtures("_stored")
def test_two_messages_differ_as_json(open_page: OpenPage) -> None:
    """The request as the client sent it, and as the relay sent it on; what is none is told."""
    page = open_page(f"/trace/{TRACE_ID.hex}")
    ids = []
    for label in ("tools/call #3", "tools/call #1"):
        page.click(f".row:has-text('{label}') >> nth=0")
        page.wait_for_selector(f"#chosen h2:has-text('{label}')")
        ids.append(page.inner_text("dt:text-is('message') + dd"))
    page.click("a:has-text('Compare it with another')")
    page.fill("form[action='/compare/messages'] [name=left]", ids[0])
    page.fill("form[action='/compare/messages'] [name=right]", ids[1])
    page.click("form[action='/compare/messages'] button")
    expect(page.locator("tbody")).to_contain_text("$.id")
    assert "is no id" in open_page("/compare/messages?left=x&right=y").inner_text("main")
    assert "no message" in open_page("/compare/messages?left=x/1&right=y/1").inner_text("main")


@pytest.mark.usefixtures("_stored")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "/compare",
        f"/compare/traces?left={TRACE_ID.hex}&right={SHORTER.hex}",
        "/compare/peers?left=time-server&right=iccm-relay",
    ],
)
def test_everybody_can_compare(open_page: OpenPage, path: str, scheme: str) -> None:
    """axe-core finds no violation, in light and dark colours."""
    found = Axe().run(open_page(path, color_scheme=scheme))
    assert found.violations_count == 0, found.generate_report()
