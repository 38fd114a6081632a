"""Promises about watched files: they do what the files do, and no more."""

import array
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from relayscope.conventions.attributes import CHANNEL_ID, CHANNEL_SEQUENCE
from relayscope.conventions.events import EVENT_MESSAGE, EVENT_SEND_FAILED
from relayscope.instrumentation.hooks.pipes.lines import IncomingLines, OutgoingLines
from relayscope.instrumentation.hooks.pipes.watched_reader import WatchedReader
from relayscope.instrumentation.hooks.pipes.watched_writer import watched_writer
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry
from tests.instrumentation.hooks.pipes.watched_files import (
    OF_ANY,
    READS,
    Files,
    Step,
    close,
    compare,
    patiently,
    step,
)

ANSWER = '{"jsonrpc":"2.0","id":1,"result":{"text":"ü"}}'

OPENINGS: list[dict[str, Any]] = [
    {"mode": "b"},
    {"mode": "b", "buffering": 0},
    {"mode": "", "encoding": "utf-8"},
    {"mode": "", "encoding": "utf-8", "buffering": 1, "newline": "\r\n"},
    {"mode": "", "encoding": "utf-8", "errors": "surrogateescape", "newline": ""},
    {"mode": "", "encoding": "ascii"},
    {"mode": "", "encoding": "latin-1", "errors": "replace", "newline": "\n"},
    {"mode": "", "encoding": "utf-16"},
]
PIECES = st.sampled_from(
    [ANSWER, ANSWER + "\n", ANSWER[:9], ANSWER[9:], "\n", "\r\n", "\r", " ", "{}", "[1", "\udcff"]
) | st.text("aü€😀 \r\n", max_size=5)
DATA = (
    PIECES
    | PIECES.map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.sampled_from(
        [
            b"",
            "",
            bytearray(b"x\n"),
            memoryview(b"y\n"),
            memoryview(b"abcdef")[::2],
            memoryview(b"12345678").cast("B", (2, 4)),
            array.array("i", [1, 2]),
            5,
            None,
            [1],
            [b"a"],
        ]
    )
)
NO_OBJECTS = st.sampled_from([ANSWER + "\n", ANSWER[:9], ANSWER[9:], "\n", " \r\n", "[1", "x\ny"])
"""Pieces of lines. An object that is written without its end is taken for all of its line."""

WRITES = st.one_of(
    step("write", DATA), step("writelines", st.lists(DATA, max_size=3) | DATA), step("flush")
)


Waits = Literal["waits", "does not wait"]
WAITS: st.SearchStrategy[Waits] = st.sampled_from(["waits", "does not wait"])


def recorded(telemetry: Telemetry, channel: Channel) -> list[Any]:
    """Return the messages of a channel, but for those that could not be sent."""
    bodies: dict[Any, Any] = {}
    for record in [*(each.log_record for each in telemetry.records), *telemetry.events]:
        attributes = record.attributes or {}
        if attributes.get(CHANNEL_ID) == channel.id:
            sequence = attributes.get(CHANNEL_SEQUENCE)
            if record.event_name == EVENT_SEND_FAILED:
                del bodies[sequence]
            elif record.event_name == EVENT_MESSAGE:
                bodies[sequence] = record.body
    return [body.strip() for body in bodies.values()]


def lines_of(data: bytes) -> list[str]:
    """Return the lines that may be messages."""
    lines = (line.decode("utf-8", "backslashreplace").strip() for line in data.split(b"\n"))
    return [line for line in lines if line]


def new_channel() -> Channel:
    """Return a channel that has spoken JSON-RPC, so that every line on it is recorded."""
    channel = Channel.of_pipes("peer")
    channel.speaks_jsonrpc = True
    return channel


def opened(end: int, access: str, opening: dict[str, Any]) -> Any:
    """Open an end of a pipe."""
    return os.fdopen(end, **{**opening, "mode": access + opening["mode"]})


@contextmanager
def reading(
    telemetry: Telemetry, channel: Channel, opening: dict[str, Any], data: bytes, waits: Waits
) -> Iterator[Files]:
    """Open two pipes for reading, with the same in them; one that does not wait has no end."""
    ends, others = zip(os.pipe(), os.pipe(), strict=True)
    for end, other in zip(ends, others, strict=True):
        os.write(other, data)
        os.set_blocking(end, waits == "waits")
        if waits == "waits":
            os.close(other)
    own, file = (opened(end, "r", opening) for end in ends)
    try:
        yield own, WatchedReader(file, IncomingLines(TextExchange(telemetry.exchange), channel))
    finally:
        close(own, file)
        for other in () if waits == "waits" else others:
            os.close(other)


@contextmanager
def writing(
    telemetry: Telemetry, channel: Channel, opening: dict[str, Any], waits: Waits
) -> Iterator[tuple[Files, list[bytes]]]:
    """Open two pipes for writing; what came through both is known in the end."""
    ends, others = zip(os.pipe(), os.pipe(), strict=True)
    through: list[bytes] = []
    for other in others:
        os.set_blocking(other, waits == "waits")
    own, file = (opened(other, "w", opening) for other in others)
    text_exchange = TextExchange(telemetry.exchange)
    lines = (
        OutgoingLines(text_exchange, channel, "\n"),
        OutgoingLines(text_exchange, channel, b"\n"),
    )
    watched = watched_writer(file, *lines)
    try:
        yield (own, watched), through
    finally:
        close(own, watched)
        for end in ends:
            with os.fdopen(end, "rb") as file:
                through.append(file.read())


@patiently
@given(st.sampled_from(OPENINGS), st.lists(PIECES), WAITS, st.lists(READS | OF_ANY))
def test_a_watched_reader_does_what_the_file_does(
    telemetry: Telemetry,
    opening: dict[str, Any],
    pieces: list[str],
    waits: Waits,
    steps: list[Step],
) -> None:
    """Values, their types, and errors are the same, whatever is done with it in whatever order."""
    data = "".join(pieces).encode("utf-8", "surrogateescape")

    with reading(telemetry, new_channel(), opening, data, waits) as files:
        compare(files, steps)


@patiently
@given(st.sampled_from(OPENINGS), WAITS, st.lists(WRITES | OF_ANY))
def test_a_watched_writer_does_what_the_file_does(
    telemetry: Telemetry, opening: dict[str, Any], waits: Waits, steps: list[Step]
) -> None:
    """The bytes that come through the pipe are the same as well."""
    with writing(telemetry, new_channel(), opening, waits) as (files, through):
        compare(files, steps)

    assert through[0] == through[1]


@patiently
@given(
    st.sampled_from(OPENINGS[:4]), st.lists(NO_OBJECTS | st.sampled_from([ANSWER])), st.lists(READS)
)
def test_what_was_read_is_recorded_once(
    telemetry: Telemetry, opening: dict[str, Any], pieces: list[str], steps: list[Step]
) -> None:
    """Each line is, and a last one without its end as well."""
    data = "".join(pieces).encode("utf-8", "replace")
    channel = new_channel()

    with reading(telemetry, channel, opening, data, "waits") as files:
        compare(files, [*steps, ("read", ())])

    assert recorded(telemetry, channel) == lines_of(data)


@patiently
@given(st.sampled_from(OPENINGS[:4]), WAITS, st.lists(step("write", NO_OBJECTS)))
def test_what_was_written_is_recorded_and_nothing_else(
    telemetry: Telemetry, opening: dict[str, Any], waits: Waits, steps: list[Step]
) -> None:
    """Text that the file refuses was not sent, and no record claims that it was."""
    channel = new_channel()

    with writing(telemetry, channel, opening, waits) as (files, through):
        compare(files, steps)

    assert recorded(telemetry, channel) == lines_of(through[1])
