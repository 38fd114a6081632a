"""Calls that are slow, or repeated, on each leg of their way, and are told where that began."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

import pytest

from relayscope.conventions.attributes import (
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    PEER,
)
from relayscope.storage import Batch, Writer, rows
from tests.collector.reading.problems import problems, told
from tests.storage.samples import batch, log, span

if TYPE_CHECKING:
    from sqlalchemy import Engine

MS: Final = 10**6
CALLS: Final = 20


def relayed(
    number: int,
    *,
    ms: tuple[int, int, int] = (3, 2, 1),
    held_ms: int = 0,
    question: str = "",
    sent: int = 1,
) -> list[Batch]:
    """A call of a client through a relay, and the ms that client, relay and backend took."""
    start = time.time_ns() - (60_000 - number) * MS
    trace = b"%016d" % number
    asked = f'{{"name":"search","arguments":{{"query":{json.dumps(question or str(number))}}}}}'
    said = {MCP_METHOD_NAME: "tools/call", JSONRPC_REQUEST_ID: "1", GEN_AI_TOOL_NAME: "search"}

    def leg(service: str, kind: int, ids: tuple[bytes, bytes | None], took: int, at: int) -> Batch:
        span_id, parent = ids
        own = said | {PEER: {"client": "stdio", "relay": "127.0.0.1:9"}.get(service, "stdio")}
        direction = "sent" if kind == 3 else "received"
        of_it = {"trace_id": trace, "span_id": span_id}
        request = log(
            f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{asked}}}', at=at,
            attributes=rows.jsonb(own | {MESSAGE_KIND: "request", MESSAGE_DIRECTION: direction}),
            **of_it,
        )  # fmt: skip
        call = span(
            start=at, end=at + took * MS, kind=kind, parent_span_id=parent,
            attributes=rows.jsonb(own), **of_it,
        )  # fmt: skip
        return batch(service=service, spans=[call], logs=[request])

    return [
        leg("client", 3, (b"client..", None), ms[0], start),
        leg("relay", 2, (b"served..", b"client.."), ms[0], start),
        *(
            leg("relay", 3, (b"made%04d" % one, b"served.."), ms[1], start + (held_ms + one) * MS)
            for one in range(sent)
        ),
        leg("alpha", 2, (b"alpha...", b"made0000"), ms[2], start + held_ms * MS),
    ]


def written(engine: Engine, *calls: list[Batch]) -> None:
    """Write all of these records."""
    writer = Writer(engine)
    writer.write([one for call in calls for one in call])
    writer.close()


@pytest.mark.parametrize(
    ("ms", "held_ms", "who"),
    [
        ((2010, 2000, 1990), 0, "relay waited up to 2.00 s for tool search of alpha"),
        ((2010, 5, 1), 0, "client waited up to 2.01 s for tool search of relay"),
        ((2010, 5, 1), 1990, "relay kept tool search for up to 1.99 s"),
    ],
    ids=["the backend is slow", "the relay is slow", "the relay keeps it"],
)
def test_a_slow_call_is_told_once_where_it_began(
    database_url: str, engine: Engine, ms: tuple[int, int, int], held_ms: int, who: str
) -> None:
    """All who wait for a slow one are slow, and only the last of them is to blame."""
    usual = [relayed(number) for number in range(CALLS)]
    written(engine, *usual, relayed(CALLS, ms=ms, held_ms=held_ms))
    said = problems(database_url)
    assert who in said
    assert [kind for _, kind in told(database_url)] == ["slow"]


@pytest.mark.parametrize(
    ("asked", "sent", "who"), [(6, 1, ["client"]), (1, 6, ["relay"]), (6, 2, ["relay", "client"])]
)
def test_a_repeated_call_is_told_by_who_repeats_it(
    database_url: str, engine: Engine, asked: int, sent: int, who: list[str]
) -> None:
    """A relay that passes on each of them is not; one that tries again by itself is."""
    written(engine, *(relayed(number, question="same", sent=sent) for number in range(asked)))
    assert told(database_url) == [(one, "repeated") for one in who]
