"""Promises about watched asyncio streams: they do what the streams do, and no more."""

import array
import asyncio
import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relayscope.conventions.attributes import CHANNEL_ID
from relayscope.instrumentation.hooks.pipes.asyncio_pipes import AsyncioPipes
from relayscope.instrumentation.hooks.pipes.lines import IncomingLines
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.examples import examples
from tests.fix_telemetry import Telemetry

ANSWER = b'{"jsonrpc":"2.0","id":1,"result":{"text":"x"}}'
LIMIT = 100

PIECES = st.sampled_from(
    [ANSWER + b"\n", ANSWER, ANSWER[:9], ANSWER[9:], b"\n", b"[1", b"x" * LIMIT]
)
NUMBERS = st.sampled_from([-1, 0, 1, 5, 1000])
Step = tuple[str, tuple[Any, ...]]
READS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.sampled_from(["read", "readexactly"]), st.tuples(NUMBERS)),
    st.tuples(st.just("readuntil"), st.tuples(st.sampled_from([b"\n", b"1", b""]))),
    st.tuples(
        st.sampled_from(["read", "readline", "readuntil", "at_eof", "__anext__"]), st.just(())
    ),
)
DATA = PIECES | st.sampled_from(
    [b"", bytearray(b"y\n"), memoryview(b"z\n"), array.array("b", b"1"), 5, None, "text", [1]]
)
WRITES: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("write"), st.tuples(DATA)),
    st.tuples(st.just("writelines"), st.tuples(st.lists(DATA, max_size=3) | DATA)),
    st.tuples(st.sampled_from(["drain", "can_write_eof", "is_closing", "close"]), st.just(())),
)

patiently = settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


async def tried(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Return what becomes of a call, or how it fails."""
    try:
        result = method(*arguments)
        return await result if asyncio.iscoroutine(result) else result
    except Exception as error:  # noqa: BLE001  # whatever one raises, the other shall
        return type(error), str(error)


def new_channel() -> Channel:
    """Return a channel that has spoken JSON-RPC, so that every line on it is recorded."""
    channel = Channel.of_pipes("peer")
    channel.speaks_jsonrpc = True
    return channel


def recorded(telemetry: Telemetry, channel: Channel) -> list[Any]:
    """Return the messages of a channel."""
    return [
        str(record.log_record.body).strip()
        for record in telemetry.records
        if (record.log_record.attributes or {})[CHANNEL_ID] == channel.id
    ]


def lines_of(data: bytes) -> list[str]:
    """Return the lines that may be messages."""
    return [line.decode() for line in data.split(b"\n") if line.strip()]


@patiently
@given(st.lists(PIECES), st.lists(READS))
def test_a_watched_stream_reads_as_the_stream_does(
    telemetry: Telemetry, pieces: list[bytes], steps: list[Step]
) -> None:
    """Text that arrives is recorded once, whether and however it is read."""
    channel = new_channel()

    async def compare() -> None:
        own, watched = asyncio.StreamReader(LIMIT), asyncio.StreamReader(LIMIT)
        text_exchange = TextExchange(telemetry.exchange)
        AsyncioPipes(text_exchange).watch_reader(watched, IncomingLines(text_exchange, channel))
        for reader in (own, watched):
            for piece in pieces:
                reader.feed_data(piece)
            reader.feed_eof()
        for name, arguments in steps:
            expected = await tried(getattr(own, name), arguments)
            assert await tried(getattr(watched, name), arguments) == expected, name

    asyncio.run(compare())

    assert recorded(telemetry, channel) == lines_of(b"".join(pieces))


@patiently
@given(st.lists(WRITES))
def test_a_watched_stream_writes_as_the_stream_does(
    telemetry: Telemetry, steps: list[Step]
) -> None:
    """The bytes that come through are the same, for any writes."""

    async def opened(end: int) -> asyncio.StreamWriter:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(end, "wb", 0)
        )
        return asyncio.StreamWriter(transport, protocol, None, loop)

    async def compare() -> list[bytes]:
        ends, others = zip(os.pipe(), os.pipe(), strict=True)
        own, watched = [await opened(other) for other in others]
        AsyncioPipes(TextExchange(telemetry.exchange)).watch_writer(watched, new_channel())
        try:
            for name, arguments in steps:
                expected = await tried(getattr(own, name), arguments)
                assert await tried(getattr(watched, name), arguments) == expected, (name, arguments)
        finally:
            own.close()
            watched.close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        through = []
        for end in ends:
            with os.fdopen(end, "rb") as file:
                through.append(file.read())
        return through

    through = asyncio.run(compare())

    assert through[0] == through[1]
