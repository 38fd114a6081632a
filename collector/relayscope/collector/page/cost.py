"""`/cost`: what servers put into a model's context."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from relayscope.collector.page.interval import CHOICES
from relayscope.collector.page.plot import bars
from relayscope.collector.page.recent import recent
from relayscope.collector.page.view import View
from relayscope.collector.query.cost import listings
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.page import Page

_COLUMNS: Final = 60
"""Of the plot."""

_MOST: Final = 200
"""Tools whose results are summed up, those with the most bytes."""


async def cost(request: Request) -> Response:
    """Show what definitions and results of tools come to."""
    page: Page = request.app.state.page
    time = await recent(page.reader, request.query_params)
    end = min(time.until, datetime.now(UTC))
    step = max(timedelta(seconds=1), (end - time.since) / _COLUMNS)
    asked = {"since": time.since, "until": time.until}
    listed, called, over_time = await asyncio.gather(
        page.reader.rows(query("listed_tools"), asked),
        page.reader.rows(query("called_tools"), asked | {"most": _MOST}),
        page.reader.rows(query("results_over_time"), asked | {"step": step}),
    )
    return await page.render(
        request,
        "cost.html",
        interval=time,
        choices=CHOICES,
        listings=listings(listed, called),
        called=called,
        plot=bars(
            (
                (row["component"] or "unknown_service", row["time"], row["bytes"] or 0)
                for row in over_time
            ),
            time.since,
            max(end, time.since + step),
            step,
        ),
    )


views = (View("/cost", "Cost", cost),)
