"""Calls that a relay keeps before it asks anybody: a lock, a queue, work of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from relayscope.conventions.attributes import (
    ERROR_ANSWERED_ABOVE,
    ERROR_TYPE,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    PEER,
)
from relayscope.storage import Batch, Writer, rows
from tests.collector.reading.problems import asked, problems
from tests.storage.samples import batch, span

if TYPE_CHECKING:
    from sqlalchemy import Engine

SECOND = 10**9


def relayed(*, seconds: float, asked_after: tuple[float, ...]) -> list[Batch]:
    """A call that took a relay some seconds, and the calls that it made for it, to `alpha`."""
    start = time.time_ns() - 60 * SECOND
    said = {MCP_METHOD_NAME: "tools/call", JSONRPC_REQUEST_ID: "1"}
    served = span(
        start=start, end=start + round(seconds * SECOND), kind=2, span_id=b"served..",
        attributes=rows.jsonb(said | {GEN_AI_TOOL_NAME: "alpha_search"}),
    )  # fmt: skip
    legs = []
    for place, after in enumerate(asked_after):
        at = start + round(after * SECOND)
        ends = {
            kind: span(
                start=at, end=at, kind=kind, span_id=b"%d%07d" % (kind, place),
                parent_span_id=b"served.." if kind == 3 else b"3%07d" % place,
                attributes=rows.jsonb(said | {GEN_AI_TOOL_NAME: "search", PEER: "127.0.0.1:9"}),
            )
            for kind in (2, 3)
        }  # fmt: skip
        legs += [batch(spans=[ends[3]]), batch(service="alpha", spans=[ends[2]])]
    return [batch(spans=[served]), *legs]


def test_a_call_that_a_relay_keeps_is_told_as_the_relays(database_url: str, engine: Engine) -> None:
    """With how long it was kept, of how long it took, and who was asked then."""
    writer = Writer(engine)
    writer.write(relayed(seconds=9.5, asked_after=(9,)))
    writer.close()
    said = "relay kept tool alpha_search for up to 9.00 s, of 9.50 s that it took, before it asked"
    assert f"{said} alpha" in problems(database_url)


@pytest.mark.parametrize(
    ("seconds", "asked_after"),
    [(0.9, (0.8,)), (9.5, (2,)), (9.5, (0.1, 9)), (9.5, ())],
    ids=["soon", "not most of it", "somebody else before", "nobody"],
)
def test_a_relay_that_asks_soon_or_nobody_keeps_nothing(
    database_url: str, engine: Engine, seconds: float, asked_after: tuple[float, ...]
) -> None:
    """The time is that of who was asked, or of a tool of its own."""
    writer = Writer(engine)
    writer.write(relayed(seconds=seconds, asked_after=asked_after))
    writer.close()
    assert "kept tool" not in problems(database_url)


@pytest.mark.parametrize(
    ("peer", "readers", "told"),
    [("127.0.0.1:9", (), 1), ("127.0.0.1:10", (), 0), ("127.0.0.1:9", ("alpha",), 0)],
    ids=["unread", "another address", "killed after reading"],
)
def test_a_call_that_a_backend_has_no_record_of_is_told_so(
    database_url: str, engine: Engine, peer: str, readers: tuple[str, ...], told: int
) -> None:
    """One that hangs reads nothing: by the address it is known who should have read it.

    One that was killed has no span of what it read, but the message.
    """
    said = {MCP_METHOD_NAME: "tools/call", JSONRPC_REQUEST_ID: "2", GEN_AI_TOOL_NAME: "search"}
    start = time.time_ns() - 50 * SECOND
    unread = span(
        start=start, end=start + 3 * SECOND, kind=3, span_id=b"unread..", trace_id=b"another." * 2,
        status=2, attributes=rows.jsonb(said | {PEER: peer, ERROR_TYPE: ERROR_ANSWERED_ABOVE}),
    )  # fmt: skip
    writer = Writer(engine)
    writer.write([*relayed(seconds=2, asked_after=(0.1,)), batch(spans=[unread])])
    message = asked(seconds_ago=49, by=b"readers.", direction="received", trace_id=b"another." * 2)
    writer.write([batch(service=reader, logs=[message]) for reader in readers])
    writer.close()
    shown = problems(database_url)
    assert f"relay got no answer from {peer} for tool search" in shown
    assert shown.count("alpha, which answered there shortly before, has no record of it") == told
