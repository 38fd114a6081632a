"""`/`: who calls whom, and what went wrong last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relayscope.collector.page.interval import CHOICES, interval
from relayscope.collector.page.view import View
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.page import Page


async def now(request: Request) -> Response:
    """Show what happens."""
    page: Page = request.app.state.page
    time = interval(request.query_params)
    rows = await page.reader.rows(
        query("service_calls"), {"since": time.since, "until": time.until}
    )
    return page.render(request, "now.html", interval=time, choices=CHOICES, calls=rows)


views = (View("/", "Now", now),)
