"""Traces, calls, messages and logs, as lists that their addresses filter."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from relayscope.collector.page import trace_outline
from relayscope.collector.page.behind import Statement, written
from relayscope.collector.page.errors import WrongAsk
from relayscope.collector.page.interval import CHOICES
from relayscope.collector.page.list_filter import ListFilter
from relayscope.collector.page.list_rows import find, following, statement
from relayscope.collector.page.view import View
from relayscope.collector.page.words import LONGEST
from relayscope.collector.query.filters import FILTERS
from relayscope.collector.query.list_kind import CALLS, LOGS, MESSAGES, TRACES
from relayscope.collector.query.queries import query
from relayscope.conventions.attributes import MESSAGE_ODD
from relayscope.conventions.odd_traffic import OddTraffic

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.list_rows import Found
    from relayscope.collector.page.page import Page
    from relayscope.collector.page.reader import Reader
    from relayscope.collector.query.list_kind import ListKind


async def show_list(kind: ListKind, request: Request) -> Response:
    """Show the rows of a list that fit what the address asks for."""
    page: Page = request.app.state.page
    asked = ListFilter.read(kind, request.query_params.multi_items())
    found = await find(page.reader, asked)
    is_anything = bool(found.rows) or await _is_anything(page.reader)
    return await page.render(
        request,
        "list.html",
        kind=kind,
        asked=asked,
        found=found,
        following=following(asked, found),
        narrowed=narrowing(asked, f"/{kind.name}"),
        definitions=FILTERS,
        times=CHOICES,
        outlines=await _outlines(page.reader, found.rows) if kind is TRACES else {},
        outline_size=(trace_outline.WIDTH, trace_outline.HEIGHT),
        is_anything=is_anything,
        statements=statements(asked, found),
    )


def statements(asked: ListFilter, found: Found) -> list[Statement]:
    """The SQL behind the rows of a list."""
    if not found.bound:
        return []
    return [Statement(asked.kind.name, written(statement(asked, found.bound), found.bound))]


def narrowing(asked: ListFilter, path: str) -> Callable[[str, str | None], str | None]:
    """Return a maker of links that narrow a list to what one of its cells says."""

    @cache
    def narrowed(name: str, value: str | None) -> str | None:
        if not value or len(value) > LONGEST or name not in asked.kind.filters:
            return None
        try:
            found = _marked(asked, value) if name == "odd" else asked.having(name, value)
        except WrongAsk:  # a stranger has said it, and no filter takes it
            return None
        return None if found == asked else f"{path}?{found.query}"

    return narrowed


def _marked(asked: ListFilter, mark: str) -> ListFilter:
    """Of odd messages those with a mark, which is an attribute; of calls all that have odd ones.

    A method of one's own has a mark and is not odd.
    """
    odd = asked if mark == OddTraffic.NOT_MCP else asked.having("odd", "true")
    return odd if odd.kind is CALLS else odd.having("attribute", f"{MESSAGE_ODD}={mark}")


async def _is_anything(reader: Reader) -> bool:
    (row,) = await reader.rows(query("is_anything_stored"))
    return any(row.values())


async def _outlines(reader: Reader, traces: Sequence[Any]) -> dict[Any, Any]:
    if not traces:
        return {}
    spans = await reader.rows(trace_outline.STATEMENT, trace_outline.parameters(traces))
    return trace_outline.outlines(spans)


def _handler(kind: ListKind) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    return partial(show_list, kind)


views = tuple(
    View(f"/{kind.name}", kind.name.capitalize(), _handler(kind))
    for kind in (TRACES, CALLS, MESSAGES, LOGS)
)
