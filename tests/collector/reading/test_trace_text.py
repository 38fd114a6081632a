"""A trace for people."""

from __future__ import annotations

import dataclasses
import io
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from relayscope.collector.query.trace_tree import build
from relayscope.collector.render.trace_text import Layout, Messages, trace_lines
from relayscope.conventions.attributes import MESSAGE_CUT, MESSAGE_SHA256
from tests.collector.reading import samples
from tests.collector.reading.samples import START, TRACE_ID, message, span
from tests.collector.reading.test_printable import OBEYED
from tests.collector.reading.test_trace_tree import records, spans

if TYPE_CHECKING:
    from relayscope.collector.query.records import Record, Span
    from relayscope.collector.query.trace_tree import Trace


GLANCE = """\
trace 4bf92f3577b34da6a3ce929d0e0e4736
{began} · 12.4 ms · 6 spans · 10 messages · 1 log record
client, iccm-relay, time-server
2 spans failed · 1 odd message

 0.00 ms  client  tools/call get_current_time  client · 12.4 ms  stdio
 0.05 ms  ├→ tools/call #3  206 B  {{"name":"get_current_time","arguments":{{"timezone":"Europe/B…
 0.61 ms  ├─ iccm-relay  tools/call get_current_time  server · 11.3 ms  stdio
 0.63 ms  │  ├← tools/call #3  206 B  as sent
 1.00 ms  │  ├─ iccm-relay  connect gates  client · 0.30 ms
          │  │    ✗ ConnectionRefusedError: Connect call failed ('127.0.0.1', 9150)
 1.31 ms  │  ├• WARN  backend gates is away
 1.44 ms  │  ├─ iccm-relay  tools/call get_current_time  client · 9.76 ms  127.0.0.1:9051
 1.50 ms  │  │  ├→ tools/call #1  220 B  {{"name": "get_current_time", "arguments": {{"timezone":…
 2.90 ms  │  │  ├─ time-server  tools/call get_current_time  server · 6.87 ms  127.0.0.1:48230
 2.95 ms  │  │  │  ├← tools/call #1  220 B  as sent
 9.70 ms  │  │  │  └→ result #1  178 B  text {{"timezone": "Europe/Berlin", "datetime": "2025-11…
11.10 ms  │  │  └← result #1  178 B  as sent
11.21 ms  │  ├─ iccm-relay  tools/list  client · 0.58 ms  ✗ unanswered  127.0.0.1:9052
11.30 ms  │  │  ├→ tools/list #2  33 B
11.50 ms  │  │  └← error -32603  74 B  ! orphan_answer  Unknown method
11.80 ms  │  └→ result #3  178 B  text {{"timezone": "Europe/Berlin", "datetime": "2025-11-23T10…
12.40 ms  └← result #3  178 B  as sent"""


def _lines(trace: Trace, layout: Layout) -> list[str]:
    return [line.plain for line in trace_lines(trace, layout)]


def test_a_relayed_call_can_be_taken_in_at_a_glance() -> None:
    """One line for each span and message, and one for a failure that has no room in its own."""
    trace = build(TRACE_ID, *samples.relayed_call())
    began = f"{datetime.fromtimestamp(START / 1e9, UTC):%Y-%m-%d %H:%M:%S.123 UTC}"
    text = "\n".join(_lines(trace, Layout(Messages.GIST, 96)))
    assert text == GLANCE.format(began=began)


def test_all_text_of_every_message_can_be_shown() -> None:
    """`--full` wraps each text below its line; put together again it is what was said."""
    some_spans, some_records = samples.relayed_call()
    lines = _lines(build(TRACE_ID, some_spans, some_records), Layout(Messages.WHOLE, 100))
    texts = "".join(line.lstrip(" │") for line in lines)
    for record in some_records:
        assert (record.body or "").replace(" ", "") in texts.replace(" ", "")
    assert max(map(cell_len, lines)) <= 100


def test_in_a_pipe_a_message_is_one_line_with_all_its_text() -> None:
    """So that `grep` finds it."""
    some_spans, some_records = samples.relayed_call()
    lines = _lines(build(TRACE_ID, some_spans, some_records), Layout(Messages.LINE))
    for record in some_records:
        assert any(line.endswith(f"  {record.body}") for line in lines)


@given(
    st.lists(spans(), max_size=10),
    st.lists(records(), max_size=10),
    st.sampled_from(Messages),
    st.integers(20, 200),
)
def test_any_trace_can_be_shown(
    some_spans: list[Span], some_records: list[Record], messages: Messages, width: int
) -> None:
    """Broken, skewed, from 1970 to 2554, or empty: there are lines, and they fit."""
    trace = build(TRACE_ID, some_spans, some_records)
    lines = _lines(trace, Layout(messages, width))
    assert lines
    if messages is Messages.GIST:
        assert max(map(cell_len, lines[1:])) <= width


@pytest.mark.parametrize("messages", Messages)
def test_hostile_text_is_shown_and_not_obeyed(messages: Messages) -> None:
    """Names, keys, values, bodies and errors are plain text, and so is what looks like markup."""
    trace = build(TRACE_ID, *samples.hostile_call())
    printed = io.StringIO()
    console = Console(file=printed, markup=False, emoji=False, highlight=False, soft_wrap=True)
    for line in trace_lines(trace, Layout(messages, 200)):
        console.print(line)
    text = printed.getvalue().replace("\n", "")
    assert not {char for char in text if unicodedata.category(char) in OBEYED}
    assert r"\x1b]0;owned\x07" in text
    assert "[red]:boom:" in text


def test_a_text_that_was_cut_is_not_shown_as_whole() -> None:
    """In every form; a result of which only an image was left out is whole."""
    where = span("1" * 16, None, "a", "tools/call x", kind="client", times=(0, 5))
    mark = {MESSAGE_SHA256: "ab" * 32}
    whole = message(where, 1, "received", '{"id":7,"result":"[BINARY:image/png:9:ab]"}', **mark)
    cut = dataclasses.replace(whole, body='{"id":7,"result":"xx', time=whole.time + 1)
    words = "! Cut: 20 B of 43 B were recorded (RELAYSCOPE_BODY_LIMIT)"
    for form, said in {
        Messages.GIST: "! cut",
        Messages.LINE: words,
        Messages.WHOLE: words,
    }.items():
        lines = _lines(build(TRACE_ID, [where], [whole, cut]), Layout(form, 120))
        assert [said in line for line in lines if "result #7" in line] == [False, True]
    busy = dataclasses.replace(cut, attributes=cut.attributes | {MESSAGE_CUT: "busy"})
    lines = _lines(build(TRACE_ID, [where], [busy]), Layout(Messages.WHOLE, 120))
    assert any("(too much was waiting to be searched for secrets)" in line for line in lines)


def test_ten_thousand_spans_in_a_chain_stay_within_the_width() -> None:
    """Beyond some depth lines say how deep they are instead of moving to the right."""
    chain = [
        span(f"{n:016x}", f"{n - 1:016x}" if n else None, "a", "x", kind="client", times=(n, n))
        for n in range(10_000)
    ]
    lines = _lines(build(TRACE_ID, chain, []), Layout(Messages.GIST, 100))
    assert "(9999) └─ a  x" in lines[-1]


def test_what_is_broken_is_said() -> None:
    """Parents that were not recorded, cycles, clocks that differ, and messages without a span."""
    spans = [
        span("1" * 16, "f" * 16, "a", "orphan", kind="server", times=(0, 5)),
        span("2" * 16, "3" * 16, "a", "hen", kind="client", times=(1, 5)),
        span("3" * 16, "2" * 16, "a", "egg", kind="client", times=(2, 5)),
        span("4" * 16, "1" * 16, "b", "early", kind="server", times=(-2.5, 5)),
    ]
    lost = dataclasses.replace(message(spans[0], 3, "received", '{"id": 1}'), span_id=None)
    lines = _lines(build(TRACE_ID, spans, [lost]), Layout(Messages.GIST, 100))
    assert lines[3:] == [
        "2 roots · 1 span not recorded · clocks differ at 1 span",
        "",
        " 0.00 ms  span ffffffffffffffff, not recorded",
        " 0.00 ms  └─ a  orphan  server · 5.00 ms",
        "-2.50 ms     └─ b  early  server · 7.50 ms  ! starts 2.50 ms before its parent",
        " 1.00 ms  a  hen  client · 4.00 ms  ! its parent 3333333333333333 is below it",
        " 2.00 ms  └─ a  egg  client · 3.00 ms",
        ' 3.00 ms  ← orphan #1  9 B  {"id": 1}',
    ]


def test_a_log_record_tells_its_exception() -> None:
    """Its type and message stand behind the text; the stack is shown where all of it is."""
    stack = 'Traceback (most recent call last):\n  File "relay.py", line 7\nValueError: no\n'
    where = span("1" * 16, None, "a", "tools/call x", kind="client", times=(0, 5))
    said = {"exception.type": "ValueError", "exception.message": "no"}
    record = samples.log(where, "a", 1, (17, "ERROR"), "handler failed")
    failed = dataclasses.replace(record, attributes=said | {"exception.stacktrace": stack})
    trace = build(TRACE_ID, [where], [failed])
    for layout in (Layout(Messages.GIST, 120), Layout(Messages.LINE)):
        [line] = [line for line in _lines(trace, layout) if "handler failed" in line]
        assert line.endswith("handler failed · ValueError: no")
    whole = [line.strip(" │") for line in _lines(trace, Layout(Messages.WHOLE, 120))]
    assert whole[-4:] == ["handler failed", *map(str.strip, stack.splitlines())]
    [line] = [one for one in _lines(trace, Layout(Messages.LINE, has_stacks=True)) if "File" in one]
    assert r"last):\n  File" in line
    bare = dataclasses.replace(failed, attributes=said)
    lines = _lines(build(TRACE_ID, [where], [bare]), Layout(Messages.WHOLE, 120))
    assert lines[-1].strip(" │") == "ValueError: no"
