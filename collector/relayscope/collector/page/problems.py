"""`/problems`: what is wrong, the most severe first, with its evidence and a link to the place."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final, LiteralString, NamedTuple

from relayscope.collector.page.behind import Statement, behind
from relayscope.collector.page.interval import CHOICES, Interval
from relayscope.collector.page.recent import recent
from relayscope.collector.page.view import View
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.failed_calls import explained_by
from relayscope.collector.query.problem_limit import at_limit, called
from relayscope.collector.query.problems import (
    MOST,
    READERS,
    SEVERITY,
    Problem,
    ranked,
    read,
    rows_of,
)
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.page import Page
    from relayscope.collector.page.reader import Reader


SECONDS: Final = 8.0
"""Seconds for each kind of problem; beyond them, the others are shown."""


class Found(NamedTuple):
    """The problems, and the SQL behind all of them.

    Attributes:
        too_slow: The kinds that took too long to look for.
        at_limit: The kinds of which `MOST` are told, and which may have more.
    """

    problems: list[Problem]
    too_slow: tuple[str, ...]
    at_limit: tuple[str, ...]
    statements: tuple[Statement, ...]


async def find(reader: Reader, time: Interval) -> Found:
    """Ask for all kinds at once."""
    asked = {"since": time.since, "until": time.until, "most": MOST}

    async def answer(name: LiteralString) -> list[dict[str, Any]] | None:
        try:
            return await reader.run(partial(rows_of, name=name, bound=asked), seconds=SECONDS)
        except StatementTooSlow:
            return None

    answers = dict(zip(READERS, await asyncio.gather(*map(answer, READERS)), strict=True))
    explained = explained_by(answers["failed_calls"] or (), asked)
    return Found(
        ranked(problem for name, found in answers.items() for problem in read(name, found or ())),
        tuple(called(name) for name, found in answers.items() if found is None),
        at_limit(answers, MOST),
        (
            *behind(asked, *READERS),
            *(one for name, about in explained for one in behind(about, name)),
        ),
    )


async def problems(request: Request) -> Response:
    """Show what is wrong."""
    page: Page = request.app.state.page
    time = await recent(page.reader, request.query_params)
    kind = request.query_params.get("kind", "")
    found = await find(page.reader, time)
    is_anything = True
    if not found.problems and not found.too_slow:
        (stored,) = await page.reader.rows(query("is_anything_stored"))
        is_anything = any(stored.values())
    return await page.render(
        request,
        "problems.html",
        interval=time,
        choices=CHOICES,
        kind=kind,
        kinds=SEVERITY,
        numbers=Counter(problem.kind for problem in found.problems),
        problems=[problem for problem in found.problems if kind in ("", problem.kind)],
        too_slow=found.too_slow,
        at_limit=found.at_limit,
        is_anything=is_anything,
        most=MOST,
        statements=found.statements,
    )


views = (View("/problems", "Problems", problems),)
