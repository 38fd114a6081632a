"""Promises about messages that are too large to be parsed."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.hooks.http.sse import EventStream
from relayscope.instrumentation.traffic.long_text import MOST_KEPT, Gathering, LongText, shortened
from relayscope.instrumentation.traffic.message import Kind, Message
from relayscope.instrumentation.traffic.partial_parse import partially_parsed

MANY: list[Any] = [[]] * 500_000
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"id": 1, "method": "tools/call", "params": {"name": "t", "arguments": MANY}},
            (Kind.REQUEST, 1, "tools/call", "t"),
        ),
        ({"method": "x", "params": MANY}, (Kind.NOTIFICATION, None, "x", "")),
        ({"id": "a", "result": {"content": MANY}}, (Kind.RESULT, "a", "", "")),
        ({"result": {"content": MANY}, "id": 'a"}'}, (Kind.RESULT, None, "", "")),
        ({"result": {"content": MANY}, "id": 3, "jsonrpc": "2.0"}, (Kind.RESULT, 3, "", "")),
        ({"result": {"content": MANY, "id": 3}}, (Kind.RESULT, None, "", "")),
        (
            {"error": {"code": -1, "message": "no", "data": MANY}, "id": None},
            (Kind.ERROR, None, "", ""),
        ),
        ({"params": MANY, "id": 5, "method": "ping"}, (Kind.REQUEST, 5, "ping", "")),
        ([MANY], (Kind.UNPARSABLE, None, "", "")),
    ],
)
@pytest.mark.parametrize("form", ["text", "bytes", "long text"])
def test_a_large_message_is_read_at_its_ends(
    message: Any, expected: tuple[Any, ...], form: str
) -> None:
    """Its kind and id are known without parsing all of it; context is not put into it."""
    text: Any = json.dumps(message)
    if form != "text":
        text = text.encode()
    if form == "long text":
        text = LongText(text[:MOST_KEPT], text[-1024:], len(text), "")

    read = Message.of_text(text)

    assert (read.kind, read.id, read.method, read.target) == expected
    assert not read.takes_meta


def test_a_large_message_keeps_its_parent_and_its_failure() -> None:
    """The context that it came with stands before what is large, and so does what failed."""
    params = {"_meta": {"traceparent": TRACEPARENT}, "name": "t", "arguments": MANY}
    request = Message.of_text(json.dumps({"id": 1, "method": "tools/call", "params": params}))
    result = {"content": MANY, "isError": True}
    answer = Message.of_text(json.dumps({"result": result, "id": 1}))

    assert request.meta == {"traceparent": TRACEPARENT}
    assert answer.is_tool_error


def test_a_large_message_of_few_elements_is_parsed() -> None:
    """A picture costs what it is long, and is read as any other message."""
    result = {"content": [{"type": "image", "data": "A" * 3_000_000}], "isError": True}

    answer = Message.of_text(json.dumps({"result": result, "id": 1}))

    assert answer.result == result


def test_nothing_that_a_peer_chooses_is_remembered_whole() -> None:
    """Until a request is answered, its id, method and URI take a bounded room, and still pair."""
    long = "x" * 1_000_000
    request = Message.of_text(
        json.dumps({"id": long, "method": long, "params": {"uri": long, "name": long}})
    )

    head = request.head()

    assert len(str(head)) < 10_000
    assert head.id == request.head().head().id


@given(
    st.lists(
        st.tuples(st.sampled_from([b"data: a", b"data:b", b"data", b"id: 1", b": c", b""])),
        min_size=1,
    ),
    st.sampled_from([b"\n", b"\r\n"]),
    st.integers(1, 7),
)
def test_events_are_the_same_however_they_are_cut(
    lines: list[tuple[bytes]], newline: bytes, size: int
) -> None:
    """An event's data is what stands on its data lines, whatever pieces it comes in."""
    text = newline.join(line for (line,) in lines) + newline + newline
    expected = []
    data: list[bytes] = []
    for part in text.split(newline):
        if part.startswith(b"data:"):
            data.append(part[5:].removeprefix(b" "))
        if not part:
            expected += [b"\n".join(data)] if data else []
            data = []

    stream = EventStream()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    found = [event for piece in pieces for event in stream.feed(piece)]

    assert found == expected
    assert stream.is_between_events


def test_an_event_without_an_end_is_known_by_its_digest() -> None:
    """Of a very long event its beginning is kept, and its whole size and digest are known."""
    stream = EventStream()
    megabyte = b"x" * 1_000_000
    list(stream.feed(b"event: message\ndata: "))
    for _ in range(40):
        assert list(stream.feed(megabyte)) == []

    (event,) = stream.feed(b"\r\n\r\n")

    assert isinstance(event, LongText)
    assert event.size == 40_000_000
    assert event.sha256 == hashlib.sha256(megabyte * 40).hexdigest()


@given(st.lists(st.text() | st.binary()))
def test_what_is_gathered_is_what_was_given(parts: list[str | bytes]) -> None:
    """Pieces of text and of bytes make one text."""
    gathering = Gathering()
    for part in parts:
        gathering.add(part)
    whole = [
        part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts
    ]

    assert gathering.take() == b"".join(whole)
    assert len(gathering) == 0


def test_a_text_at_hand_is_shortened_as_one_in_pieces() -> None:
    """Size and digest are those of its UTF-8."""
    text = "ü" * MOST_KEPT

    short = shortened(text)

    assert isinstance(short, LongText)
    assert (short.size, short.sha256) == (
        2 * MOST_KEPT,
        hashlib.sha256(text.encode()).hexdigest(),
    )


@given(st.text(alphabet='{}[]",:\\ abidresultparms1'))
def test_no_text_makes_reading_its_ends_raise(text: str) -> None:
    """Any text is read as members by their name."""
    assert isinstance(partially_parsed("{" + text), dict)
