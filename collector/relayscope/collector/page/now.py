"""`/`: who calls whom, and what went wrong last."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relayscope.collector.page.call_map import call_map, edges
from relayscope.collector.page.interval import CHOICES, interval
from relayscope.collector.page.problems import find
from relayscope.collector.page.view import View
from relayscope.collector.query.problems import SEVERITY, STATES, in_time
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.page import Page

_LATEST = 8
"""Problems that are shown; all are at `/problems`."""


async def now(request: Request) -> Response:
    """Show what happens."""
    page: Page = request.app.state.page
    time = interval(request.query_params)
    asked = {"since": time.since, "until": time.until}
    rows, problems, stored = await asyncio.gather(
        page.reader.rows(query("who_calls_whom"), asked),
        find(page.reader, time),
        page.reader.rows(query("is_anything_stored")),
    )
    found = edges(rows)
    return page.render(
        request,
        "now.html",
        interval=time,
        choices=CHOICES,
        edges=found,
        map=call_map(found),
        problems=in_time(one for one in problems if one.kind not in STATES)[:_LATEST],
        states=[one for one in problems if one.kind in STATES],
        number_of_problems=len(problems),
        kinds=SEVERITY,
        is_anything=next(iter(stored[0].values())),
    )


views = (View("/", "Now", now),)
