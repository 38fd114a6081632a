"""A list is found in two steps: which rows it has, and then all that these say."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, LiteralString
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relayscope.collector.page.list_filter import ListFilter
from relayscope.collector.page.list_rows import first_rows, following, statement
from relayscope.collector.query.database import reading
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.list_kind import CALLS, ORDERS, TRACES
from relayscope.collector.query.lookback import EARLIEST, LATEST
from relayscope.collector.query.named_query import rows_of
from relayscope.conventions.attributes import GEN_AI_TOOL_NAME, JSONRPC_REQUEST_ID, MESSAGE_ODD
from tests.collector.reading import samples
from tests.collector.reading.conftest import settings_for
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from relayscope.collector.query.list_kind import ListKind
    from relayscope.collector.query.records import Record, Span

PATIENCE_SECONDS: Final = 60.0

CALLS_MADE: Final = 48
TRACES_MADE: Final = 16
START: Final = datetime.fromtimestamp(samples.START // 10**9, UTC)
TOOLS: Final = ("first", "second", "third")


def a_call(number: int) -> tuple[list[Span], list[Record]]:
    """Two at a time begin together, and every seventh take as long."""
    began = (number // 2) * 60_000
    where = samples.span(
        f"{number + 1:016x}",
        None,
        f"component {number % 4}",
        "tools/call",
        kind="client" if number % 3 else "server",
        times=(began, began + 1 + number % 7),
        error=("tool_error", None) if number % 5 == 0 else None,
    )
    call = {JSONRPC_REQUEST_ID: str(number), GEN_AI_TOOL_NAME: TOOLS[number % 3]}
    where.attributes.update(call)
    odd = {MESSAGE_ODD: "duplicate_answer"} if number % 6 == 0 else {}
    request = f'{{"id": {number}, "method": "tools/call", "params": {{}}}}'
    answer = f'{{"id": {number}, "result": {{"n": {number}}}}}'
    return [] if number % 11 == 0 else [where], [
        samples.message(where, began + 0.1, "sent", request, **call),
        samples.message(where, began + 0.9, "received", answer, **call, **odd),
    ]


@pytest.fixture(scope="module")
def reader(shared_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A reader of calls a minute apart and at once, quick and slow, failed, odd, without a span."""
    for trace in range(TRACES_MADE):
        spans, records = [], []
        for number in range(trace, CALLS_MADE, TRACES_MADE):
            made, said = a_call(number)
            spans += made
            records += said
        samples.store(shared_database_url, spans, records, UUID(int=trace + 1))
    with reading(settings_for(shared_database_url), timeout=60) as connection:
        yield connection


def all_rows(connection: psycopg.Connection[Any], asked: ListFilter) -> list[dict[str, Any]]:
    """The rows of a list as its one statement gives them, without an upper bound."""
    since, until = asked.times
    times = {"since": since or EARLIEST, "until": until or LATEST}
    given = asked.bound() | {"characters": 4000, "most": 10_000}
    return rows_of(connection, statement(asked, given), given | times)


def keys(rows: Sequence[dict[str, Any]], asked: ListFilter) -> list[Any]:
    """By what the rows are sorted: those that are alike in it may come in any order."""
    by = asked.kind.time if asked.sort == "time" else asked.sort
    lasted = [row[by] if by != "duration" or row[by] else row.get("waited") for row in rows]
    return [(one, row[asked.kind.time]) for one, row in zip(lasted, rows, strict=True)]


@st.composite
def filters(draw: st.DrawFn, kind: ListKind) -> ListFilter:
    """Filters of lists of calls or traces."""
    pairs = [("limit", str(draw(st.sampled_from((1, 2, 5, 20, 49, 100)))))]
    pairs.append(("sort", draw(st.sampled_from(("time", *kind.sorts)))))
    pairs.append(("order", draw(st.sampled_from(ORDERS))))
    for name, values in {
        "component": ("component 1", "component 2"),
        "tool": TOOLS,
        "outcome": ("ok", "tool_error"),
        "failed": ("true",),
        "odd": ("true",),
        "slower_than": ("3ms",),
        "text": ('"n": 17}', "tools/call", "said by nobody"),
        "attribute": (f"{JSONRPC_REQUEST_ID}=17", f"{GEN_AI_TOOL_NAME}=third"),
    }.items():
        if name in kind.filters and draw(st.integers(0, 3)) == 0:
            pairs.append((name, draw(st.sampled_from(values))))
    # There is always a beginning: without one, the greatest are looked for in the last day.
    since = START + timedelta(minutes=draw(st.sampled_from((-1, 0, 3, 10))))
    pairs.append(("since", since.isoformat()))
    if draw(st.booleans()):
        until = since + timedelta(minutes=draw(st.integers(1, 20)))
        pairs.append(("until", until.isoformat()))
    return ListFilter.read(kind, pairs)


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(asked=st.sampled_from((CALLS, TRACES)).flatmap(filters))
def test_a_list_in_two_steps_is_that_of_its_one_statement(
    reader: psycopg.Connection[Any], asked: ListFilter
) -> None:
    """Whatever it is filtered and sorted by: the same rows, each with all that it says."""

    async def ask(statement: LiteralString, bound: dict[str, object]) -> Sequence[dict[str, Any]]:
        return rows_of(reader, statement, bound)

    everything = all_rows(reader, asked)
    found = asyncio.run(first_rows(ask, asked, asked.bound() | {"characters": 4000}))
    assert keys(found.rows, asked) == keys(everything, asked)[: asked.most]
    assert [row for row in found.rows if row not in everything] == []
    assert (found.following is not None) == (len(everything) > asked.most)
    if found.following is not None:
        assert keys([found.following], asked) == [keys(everything, asked)[asked.most]]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [CALLS, TRACES], ids=lambda kind: kind.name)
def test_page_after_page_has_all_rows(
    reader: psycopg.Connection[Any], kind: ListKind, order: str
) -> None:
    """From either end; rows of one time are shown again rather than left out."""

    async def ask(statement: LiteralString, bound: dict[str, object]) -> Sequence[dict[str, Any]]:
        return rows_of(reader, statement, bound)

    asked: ListFilter | None = ListFilter.read(kind, [("limit", "5"), ("order", order)])
    assert asked is not None
    everything = all_rows(reader, asked)
    seen: list[dict[str, Any]] = []
    while asked is not None:
        found = asyncio.run(first_rows(ask, asked, asked.bound() | {"characters": 4000}))
        seen += [row for row in found.rows if row not in seen]
        asked = following(asked, found)
    assert sorted(seen, key=repr) == sorted(everything, key=repr)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [CALLS, TRACES], ids=lambda kind: kind.name)
@pytest.mark.parametrize("filters", [(), (("tool", "second"), ("outcome", "tool_error"))])
def test_what_took_too_long_is_looked_at_by_the_next_page(
    reader: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    kind: ListKind,
    order: str,
    filters: tuple[tuple[str, str], ...],
) -> None:
    """Each page says where its look ended, also if it found nothing; there the next one begins."""
    monkeypatch.setattr("relayscope.collector.page.list_rows.ROWS", 3)
    looks: list[dict[str, object]] = []

    async def ask(statement: LiteralString, bound: dict[str, object]) -> Sequence[dict[str, Any]]:
        if "most" in bound and bound["times"] is None:
            looks.append(bound)
            if len(looks) > 1:
                raise StatementTooSlow("too slow")
        return rows_of(reader, statement, bound)

    pairs = [("limit", "20"), ("order", order), ("since", START.isoformat()), *filters]
    asked: ListFilter | None = ListFilter.read(kind, pairs)
    assert asked is not None
    everything = all_rows(reader, asked)
    seen: list[dict[str, Any]] = []
    ends = []
    while asked is not None:
        looks.clear()
        found = asyncio.run(first_rows(ask, asked, asked.bound() | {"characters": 4000}))
        seen += [row for row in found.rows if row not in seen]
        ends.append(found.looked_to)
        asked = following(asked, found)
    assert sorted(seen, key=repr) == sorted(everything, key=repr)
    assert ends[0] is not None
    assert ends[-1] is None


def test_once_there_is_something_nobody_waits_for_more(
    reader: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look would never end; it is given up, and what the first has found is shown."""
    monkeypatch.setattr("relayscope.collector.page.list_rows.ROWS", 10)
    monkeypatch.setattr("relayscope.collector.page.list_rows._ENOUGH_SECONDS", 0.0)
    looks: list[dict[str, object]] = []

    async def ask(statement: LiteralString, bound: dict[str, object]) -> Sequence[dict[str, Any]]:
        if "most" in bound and bound["times"] is None:
            looks.append(bound)
            if len(looks) > 1:
                await asyncio.Event().wait()  # for ever
        return rows_of(reader, statement, bound)

    asked = ListFilter.read(CALLS, [("limit", "20"), ("since", START.isoformat())])
    bound = asked.bound() | {"characters": 4000}
    found = asyncio.run(asyncio.wait_for(first_rows(ask, asked, bound), PATIENCE_SECONDS))
    assert len(looks) == 2
    assert found.rows
    assert found.looked_to == looks[0]["since"]
