"""`/setup`: which components are known, what is wrong with them, and how to add one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relayscope.collector.page.behind import behind
from relayscope.collector.page.call_map import edges
from relayscope.collector.page.instructions import instructions
from relayscope.collector.page.interval import CHOICES
from relayscope.collector.page.recent import recent
from relayscope.collector.page.view import View
from relayscope.collector.query.problems import MOST, STATES, read
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.page import Page


async def setup(request: Request) -> Response:
    """Show who is known, and how to become so."""
    page: Page = request.app.state.page
    time = await recent(page.reader, request.query_params)
    asked = {"since": time.since, "until": time.until}
    components, undelivered, dropped, calls = await asyncio.gather(
        page.reader.rows(query("components"), asked),
        page.reader.rows(query("undelivered"), asked | {"most": MOST}),
        page.reader.rows(query("dropped"), asked | {"most": MOST}),
        page.reader.rows(query("who_calls_whom"), asked),
    )
    problems = [*read("undelivered", undelivered), *read("dropped", dropped)]
    return await page.render(
        request,
        "setup.html",
        interval=time,
        choices=CHOICES,
        components=components,
        states={
            row["component"]: [
                problem
                for problem in problems
                if problem.kind in STATES and problem.component == row["component"]
            ]
            for row in components
        },
        unrecorded=[edge for edge in edges(calls) if not edge.is_recorded],
        how=instructions(page.settings, request.url.hostname or "127.0.0.1"),
        is_token_needed=bool(page.settings.tokens),
        statements=behind(
            asked | {"most": MOST}, "components", "undelivered", "dropped", "who_calls_whom"
        ),
    )


views = (View("/setup", "Set-up", setup),)
