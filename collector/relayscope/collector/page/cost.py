"""`/cost`: what servers put into a model's context."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from relayscope.collector.page.behind import Statement, behind
from relayscope.collector.page.interval import CHOICES
from relayscope.collector.page.plot import Series, bars
from relayscope.collector.page.recent import recent
from relayscope.collector.page.view import View
from relayscope.collector.query import tokens
from relayscope.collector.query.cost import listings, results
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.queries import query
from relayscope.collector.query.tokens import (
    BYTES_OF_TOKEN,
    MOST_OF_IMAGE,
    PIXELS_OF_TOKEN,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.interval import Interval
    from relayscope.collector.page.page import Page
    from relayscope.collector.page.reader import Reader
    from relayscope.collector.query.cost import Listing, Results

_COLUMNS: Final = 60
"""Of the plot."""

_MOST: Final = 200
"""Tools whose results are summed up, those with the most bytes."""


LARGEST: Final = 100
"""Results in which images are looked for: each text takes up to 1 ms to read."""

_LEAST: Final = MOST_OF_IMAGE * BYTES_OF_TOKEN
"""Bytes from which on a result is less than its text would be, if that is an image."""

_IMAGE_SECONDS: Final = 3.0
"""Seconds to look for images: beyond them, the sums are shown without."""


class Found(NamedTuple):
    """The definitions of tools, and what their results come to.

    Attributes:
        listings: The definitions.
        called: The results of each tool.
        has_images: False if it took too long to look for images.
        statements: The SQL behind it.
    """

    listings: Sequence[Listing]
    called: Sequence[Results]
    has_images: bool
    statements: Sequence[Statement]


async def find(reader: Reader, time: Interval) -> Found:
    """Ask what definitions and results of tools come to."""
    asked = {
        "since": time.since,
        "until": time.until,
        "most": _MOST,
        "least": _LEAST,
        "largest": LARGEST,
        "pixels": PIXELS_OF_TOKEN,
        "most_tokens": MOST_OF_IMAGE,
    }
    listed, rows, calls, images = await asyncio.gather(
        reader.rows(query("listed_tools"), asked),
        reader.rows(query("called_tools"), asked),
        reader.rows(query("calls_of_tools"), asked),
        _images(reader, asked),
    )
    called = results(rows, images or ())
    return Found(
        # The first that counts tokens loads the tokenizer.
        await asyncio.to_thread(listings, listed, calls),
        called,
        images is not None,
        behind(asked, "listed_tools", "called_tools", "calls_of_tools", "images_of_tools"),
    )


async def _images(reader: Reader, asked: dict[str, object]) -> Sequence[Any] | None:
    try:
        return await reader.rows(query("images_of_tools"), asked, seconds=_IMAGE_SECONDS)
    except StatementTooSlow:
        return None


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
        has_images=found.has_images,
        largest=LARGEST,
        statements=(*found.statements, *behind(asked, "results_over_time")),
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
