"""Evidence of the demo's calls in the database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import text

from relayscope.collector.demo.scenario import MISSING_TOOL, PUBLISHED_TOOL, WEBSOCKET_TOOL
from relayscope.collector.errors import CollectorError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Engine

_WAIT_SECONDS: Final = 20

_TRACES: Final = text("""
    select s.trace_id, s.component, s.name,
           count(*) filter (where x.kind in ('client', 'server')) as spans,
           (select count(*) from relayscope.messages as m
             where m.trace_id = s.trace_id) as messages
      from relayscope.spans as s
      join relayscope.spans as x using (trace_id)
     where s.parent_span_id is null
       and s.component = 'client'
       and s.start_time >= :since
     group by s.trace_id, s.component, s.name, s.start_time
     order by s.start_time
""")

_EXPECTED: Final = {
    # client and relay, relay and backend: two spans and four messages for each pair of peers
    f"tools/call {PUBLISHED_TOOL}": (4, 8),
    f"tools/call {WEBSOCKET_TOOL}": (4, 8),
    # the relay knows no backend for it: client and relay only
    f"tools/call {MISSING_TOOL}": (2, 4),
}


class Incomplete(CollectorError):
    """The traces of the demo's calls did not become complete in time."""


class Evidence(NamedTuple):
    """The trace ids of the client's calls, by span name; the latest where there are several."""

    traces: dict[str, UUID]


def wait_for_traces(engine: Engine, since: datetime) -> Evidence:
    """Wait until every trace of the demo is complete.

    Raises:
        Incomplete: One is not; the message says which.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        with engine.connect() as connection:
            rows = connection.execute(_TRACES, {"since": since}).all()
        found = {row.name: (row.spans, row.messages) for row in rows}
        missing = {name for name, counts in _EXPECTED.items() if found.get(name) != counts}
        if not missing:
            return Evidence({row.name: row.trace_id for row in rows})
        if time.monotonic() > deadline:
            raise Incomplete(
                "these traces are not complete: "
                + "; ".join(
                    f"{name} has (spans, messages) {found.get(name, (0, 0))}, "
                    f"expected {_EXPECTED[name]}"
                    for name in sorted(missing)
                )
            )
        time.sleep(0.1)
