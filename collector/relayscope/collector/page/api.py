"""The lists as JSON: the same questions, in the words of the command line's `--json`."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final, LiteralString

from starlette.responses import Response

from relayscope.collector.page import cost, pipeline
from relayscope.collector.page.api_description import CHARACTERS, MOST_CHARACTERS, description
from relayscope.collector.page.errors import WrongAsk
from relayscope.collector.page.interval import interval
from relayscope.collector.page.json_rows import json_rows
from relayscope.collector.page.list_filter import ListFilter
from relayscope.collector.page.list_rows import bound_of, first_rows, following, remaining
from relayscope.collector.page.problems import find
from relayscope.collector.page.view import View
from relayscope.collector.query.list_kind import CALLS, LOGS, MESSAGES, RECORDS, TRACES
from relayscope.collector.query.queries import query
from relayscope.collector.query.trace_id import is_row_number, parse_trace_id
from relayscope.collector.query.traces import load
from relayscope.collector.render.trace_json import trace_json

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from uuid import UUID

    from psycopg import Connection
    from starlette.requests import Request

    from relayscope.collector.page.page import Page
    from relayscope.collector.query.cost import Listing, Text
    from relayscope.collector.query.list_kind import ListKind

_SUMS: Final[tuple[LiteralString, ...]] = ("components", "service_calls", "delivery")

_RECORDS: Final = 20_000
"""Spans and records of one trace at most, as `complete` says."""


async def tell_list(kind: ListKind, request: Request) -> Response:
    """Answer with the rows of a list."""
    page: Page = request.app.state.page
    pairs = request.query_params.multi_items()
    characters = _characters(request.query_params.get("characters", ""))
    asked = ListFilter.read(kind, [(name, value) for name, value in pairs if name != "characters"])

    seconds = remaining()

    def ask(statement: LiteralString, bound: dict[str, object]) -> Coroutine[Any, Any, Any]:
        return json_rows(page.reader, statement, bound, seconds=seconds())

    bound = await bound_of(page.reader, asked) | {"characters": characters}
    found = await first_rows(ask, asked, bound)
    after = following(asked, found)
    return page.json(
        {
            "rows": [{name: row[name] for name in kind.columns} for row in found.rows],
            "next": after and f"{request.url.path}?{after.query}",
            "looked_back_to": found.looked_to,
            "characters": characters,
        }
    )


async def tell_stats(request: Request) -> Response:
    """Answer with what was stored, who called whom, and what is missing."""
    page: Page = request.app.state.page
    time = interval(request.query_params)
    bound: dict[str, object] = {"since": time.since, "until": time.until}
    rows = [
        {"view": name, **row}
        for name in _SUMS
        for row in await json_rows(page.reader, query(name), bound)
    ]
    return page.json({"rows": rows})


async def tell_problems(request: Request) -> Response:
    """Answer with what is wrong, the most severe first."""
    page: Page = request.app.state.page
    found = await find(page.reader, interval(request.query_params, "1d"))
    return page.json(
        {
            "rows": [asdict(one) for one in found.problems],
            "too_slow": found.too_slow,
            "at_limit": found.at_limit,
        }
    )


def _definitions(listing: Listing) -> Iterator[tuple[str | None, int, Text]]:
    """Yield its tools; what is of none that can be read has no name."""
    for tool in listing.tools:
        yield tool.name, tool.calls, tool
    if listing.rest.characters or listing.recorded is None:
        yield None, 0, listing.rest


async def tell_cost(request: Request) -> Response:
    """Answer with what definitions and results of tools come to."""
    page: Page = request.app.state.page
    found = await cost.find(page.reader, interval(request.query_params))
    definitions = [
        {"view": "definitions", "component": one.component, "peer": one.peer, "tool": name}
        | {"time": one.time, "trace_id": one.trace_id, "message_id": one.message_id}
        | {"characters": text.characters, "bytes": text.bytes, "tokens": text.tokens}
        | {"calls": calls, "truncated": one.is_cut, "size": one.size}
        for one in found.listings
        for name, calls, text in _definitions(one)
    ]
    results = [{"view": "results", **asdict(one), "tokens": one.tokens} for one in found.called]
    return page.json({"rows": definitions + results})


async def tell_pipeline(request: Request) -> Response:
    """Answer with what is stored and missing, and how long it is kept."""
    page: Page = request.app.state.page
    found = await pipeline.find(page, interval(request.query_params))
    parts = ("stored", "delivery", "dropped", "partitions")
    rows = [{"view": part, **row} for part in parts for row in getattr(found, part)]
    return page.json({"rows": rows, "database_bytes": found.database_bytes})


async def tell_trace(request: Request) -> Response:
    """Answer with all of a trace."""
    page: Page = request.app.state.page
    given = request.path_params["trace_id"]
    try:
        ids = None if is_row_number(given) else parse_trace_id(given)
    except ValueError:
        ids = None
    if ids is None or ids.first != ids.last:
        raise WrongAsk("the address has no trace id: 32 hex digits, or a UUID")
    text = await page.reader.run(partial(_trace, ids.first))
    return Response(text, media_type="application/json")


def _trace(trace_id: UUID, connection: Connection[Any]) -> str:
    return trace_json(load(connection, trace_id, limit=_RECORDS))


async def tell_description(request: Request) -> Response:
    """Answer with what there is to ask, as OpenAPI has it."""
    page: Page = request.app.state.page
    return page.json(description(LISTS))


def _characters(given: str) -> int:
    if not given:
        return CHARACTERS
    if given.isascii() and given.isdigit() and 0 < int(given[:9]) <= MOST_CHARACTERS:
        return int(given)
    raise WrongAsk(f"characters={given[:20]}: expected a number up to {MOST_CHARACTERS}")


def _handler(kind: ListKind) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    return partial(tell_list, kind)


LISTS: Final = {
    "traces": TRACES,
    "calls": CALLS,
    "messages": MESSAGES,
    "logs": LOGS,
    "tail": RECORDS,
}
"""Each by its path, which is the name of the command that shows the same."""

views = (
    *(View(f"/api/{path}", "", _handler(kind)) for path, kind in LISTS.items()),
    View("/api/stats", "", tell_stats),
    View("/api/problems", "", tell_problems),
    View("/api/cost", "", tell_cost),
    View("/api/pipeline", "", tell_pipeline),
    View("/api/trace/{trace_id}", "", tell_trace),
    View("/api/openapi.json", "", tell_description),
)
