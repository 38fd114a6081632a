"""Promises about server-sent events: what is found does not depend on how they come in."""

import json

from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.hooks.http.sse import EventStream

MESSAGES = st.dictionaries(st.sampled_from(["id", "method", "result"]), st.text()).map(json.dumps)
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream of events, and the data in it: of one line, or of several."""
    text, data = "", []
    for message in draw(st.lists(MESSAGES, max_size=4)):
        end = draw(ENDS)
        parts = message.split(" ") if draw(st.booleans()) else [message]
        text += draw(st.sampled_from(["", f"event: message{end}", f": nothing{end}"]))
        text += "".join(f"data: {part}{end}" for part in parts)
        text += draw(st.sampled_from(["", f"id: 1{end}"])) + end
        data.append("\n".join(parts).encode())
    return text.encode(), data


@given(streams(), st.data())
def test_events_are_found_however_they_are_cut(
    stream: tuple[bytes, list[bytes]], data: st.DataObject
) -> None:
    """Each event's data is given once, as it is, wherever the pieces end."""
    text, expected = stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    events = EventStream()

    found = [
        each
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)
        for each in events.feed(text[start:end])
    ]

    assert found == expected
    assert events.is_between_events


def test_a_line_of_data_that_is_json_is_an_event_when_it_ends() -> None:
    """The next line is awaited only if the event may go on."""
    events = EventStream()

    assert list(events.feed(b'data: {"a": 1}')) == []
    assert list(events.feed(b"\n")) == [b'{"a": 1}']
    assert not events.is_between_events
    assert list(events.feed(b"\n")) == []
    assert events.is_between_events
    assert list(events.feed(b'data: {"a":\n')) == []
    assert list(events.feed(b"data: 1}\n")) == []
    assert list(events.feed(b"\n")) == [b'{"a":\n1}']
