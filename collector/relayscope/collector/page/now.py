"""`/`: who calls whom, and what went wrong last, in a browser that goes on asking."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relayscope.collector.page.behind import behind
from relayscope.collector.page.call_map import Edge, call_map, edges
from relayscope.collector.page.interval import CHOICES
from relayscope.collector.page.problems import SECONDS, find
from relayscope.collector.page.recent import recent
from relayscope.collector.page.view import View
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.problems import SEVERITY, STATES, in_time
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.interval import Interval
    from relayscope.collector.page.page import Page
    from relayscope.collector.page.reader import Reader

_LATEST = 8
"""Problems that are shown; all are at `/problems`."""


async def now(request: Request) -> Response:
    """Show what happens."""
    page: Page = request.app.state.page
    time = await recent(page.reader, request.query_params)
    calls, found = await asyncio.gather(_calls(page.reader, time), find(page.reader, time))
    is_anything = True
    if not calls and not found.problems and not found.too_slow:
        (stored,) = await page.reader.rows(query("is_anything_stored"))
        is_anything = any(stored.values())
    asked = {"since": time.since, "until": time.until}
    return await page.render(
        request,
        "now.html",
        interval=time,
        choices=CHOICES,
        edges=calls or [],
        map=call_map(calls or []),
        problems=in_time(one for one in found.problems if one.kind not in STATES)[:_LATEST],
        states=[one for one in found.problems if one.kind in STATES],
        number_of_problems=len(found.problems),
        too_slow=(("who calls whom",) if calls is None else ()) + found.too_slow,
        kinds=SEVERITY,
        is_anything=is_anything,
        is_live=not time.given_until,
        statements=(*behind(asked, "who_calls_whom"), *found.statements),
    )


async def _calls(reader: Reader, time: Interval) -> list[Edge] | None:
    asked = {"since": time.since, "until": time.until}
    try:
        return edges(await reader.rows(query("who_calls_whom"), asked, seconds=SECONDS))
    except StatementTooSlow:
        return None


views = (View("/", "Now", now),)
