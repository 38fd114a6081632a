"""`/problems`: what is wrong, the most severe first, with its evidence and a link to the place."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from relayscope.collector.page.interval import CHOICES, Interval, interval
from relayscope.collector.page.view import View
from relayscope.collector.query.problems import MOST, READERS, SEVERITY, Problem, ranked, read
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.page import Page
    from relayscope.collector.page.reader import Reader


async def find(reader: Reader, time: Interval) -> list[Problem]:
    """Ask for all kinds at once."""
    asked = {"since": time.since, "until": time.until, "most": MOST}
    answers = await asyncio.gather(*(reader.rows(query(name), asked) for name in READERS))
    return ranked(
        problem for name, rows in zip(READERS, answers, strict=True) for problem in read(name, rows)
    )


async def problems(request: Request) -> Response:
    """Show what is wrong."""
    page: Page = request.app.state.page
    time = interval(request.query_params, "1d")
    kind = request.query_params.get("kind", "")
    found = await find(page.reader, time)
    return page.render(
        request,
        "problems.html",
        interval=time,
        choices=CHOICES,
        kind=kind,
        kinds=SEVERITY,
        numbers=Counter(problem.kind for problem in found),
        problems=[problem for problem in found if kind in ("", problem.kind)],
    )


views = (View("/problems", "Problems", problems),)
