"""`relayscope trace --last`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

from tests.collector.reading import samples
from tests.collector.reading.samples import TRACE_ID, span

if TYPE_CHECKING:
    from relayscope.collector.query.records import Span
    from tests.collector.reading.conftest import Relayscope


def _call(number: int, start_ms: float, method: str, parent: str | None = None) -> Span:
    return span(
        f"{number:016x}",
        parent,
        "client",
        method,
        kind="client",
        times=(start_ms, start_ms + 1),
        method=method,
    )


def test_last_is_the_last_call_a_client_made(database_url: str, relayscope: Relayscope) -> None:
    """Not a later handshake, ping or notification, not an older trace that is still busy."""

    def trace_id(number: int) -> UUID:
        return UUID(int=number)

    wanted = trace_id(1)
    now = (time.time_ns() - samples.START) / 1e6
    for number, spans in {
        1: [_call(1, now - 5_000, "tools/call")],
        2: [_call(2, now - 9_000, "tools/call"), _call(3, now - 100, "tools/list", f"{2:016x}")],
        3: [_call(4, now - 1_000, "initialize")],
        4: [_call(5, now - 900, "notifications/initialized")],
        5: [_call(6, now - 800, "ping")],
        6: [_call(7, now + 86_400_000, "tools/call")],
    }.items():
        samples.store(database_url, spans, [], trace_id(number))
    assert relayscope("trace", "--last").stdout.startswith(f"trace {wanted.hex}\n")


def test_last_is_whatever_there_is_if_nothing_was_called(
    database_url: str, relayscope: Relayscope
) -> None:
    """A handshake that failed is worth a look when it is all there is."""
    empty = relayscope("trace", "--last")
    assert (empty.returncode, empty.stderr) == (1, "Error: no trace is stored yet\n")
    samples.store(database_url, [_call(1, 0, "initialize")], [])
    result = relayscope("trace", "--last")
    assert result.stdout.startswith(f"trace {TRACE_ID.hex}\n")


def test_last_is_a_call_that_nobody_has_answered(database_url: str, relayscope: Relayscope) -> None:
    """It has no span yet, and is what somebody looks for whose call hangs."""
    now = (time.time_ns() - samples.START) / 1e6
    samples.store(database_url, [_call(1, now - 5_000, "tools/call")], [], UUID(int=1))
    open_call = _call(2, now - 900, "tools/call")
    asked = samples.message(open_call, now - 900, "sent", '{"id":1,"method":"tools/call"}')
    samples.store(database_url, [], [asked], UUID(int=2))
    assert relayscope("trace", "--last").stdout.startswith(f"trace {UUID(int=2).hex}\n")
