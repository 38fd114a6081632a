"""`/cost`: what servers put into a model's context."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from relayscope.collector.page.interval import CHOICES
from relayscope.collector.page.plot import Series, bars
from relayscope.collector.page.recent import recent
from relayscope.collector.page.view import View
from relayscope.collector.query import tokens
from relayscope.collector.query.cost import listings
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.interval import Interval
    from relayscope.collector.page.page import Page
    from relayscope.collector.page.reader import Reader
    from relayscope.collector.query.cost import Listing

_COLUMNS: Final = 60
"""Of the plot."""

_MOST: Final = 200
"""Tools whose results are summed up, those with the most bytes."""


class Found(NamedTuple):
    """The definitions of tools, and rows of what their results come to."""

    listings: Sequence[Listing]
    called: Sequence[Mapping[str, Any]]


async def find(reader: Reader, time: Interval) -> Found:
    """Ask what definitions and results of tools come to."""
    asked = {"since": time.since, "until": time.until}
    listed, called = await asyncio.gather(
        reader.rows(query("listed_tools"), asked),
        reader.rows(query("called_tools"), asked | {"most": _MOST}),
    )
    # The first that counts tokens loads the tokenizer.
    return Found(await asyncio.to_thread(listings, listed, called), called)


async def cost(request: Request) -> Response:
    """Show it."""
    page: Page = request.app.state.page
    time = await recent(page.reader, request.query_params)
    end = min(time.until, datetime.now(UTC))
    step = max(timedelta(seconds=1), (end - time.since) / _COLUMNS)
    asked = {"since": time.since, "until": time.until, "step": step}
    found, over_time = await asyncio.gather(
        find(page.reader, time), page.reader.rows(query("results_over_time"), asked)
    )
    return await page.render(
        request,
        "cost.html",
        interval=time,
        choices=CHOICES,
        listings=found.listings,
        tokenizer=tokens.TOKENIZER if tokens.are_counted() else None,
        called=found.called,
        plot=bars(
            (
                (
                    Series(row["component"] or "unknown_service", row["peer"] or "unknown"),
                    row["time"],
                    row["bytes"] or 0,
                )
                for row in over_time
            ),
            time.since,
            max(end, time.since + step),
            step,
        ),
    )


views = (View("/cost", "Cost", cost),)
