"""`/sql`: statements of the reader's own, and questions that are ready to run."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import orjson
from starlette.responses import Response

from relayscope.collector.page import sql_result
from relayscope.collector.page.errors import CrossSite, WrongAsk
from relayscope.collector.page.explanation import reason_of, status_of
from relayscope.collector.page.questions import questions
from relayscope.collector.page.view import View
from relayscope.collector.query import value_loaders
from relayscope.collector.query.errors import ReadingError, StatementTooSlow

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.adapt import AdaptersMap
    from starlette.requests import Request

    from relayscope.collector.page.page import Page
    from relayscope.collector.page.sql_result import Rows

SECONDS: Final = 30.0
"""Seconds that a statement may take."""

_SHOWN: Final = 500
"""Rows of the table."""

_DOWNLOADED: Final = 100_000

_CHARACTERS: Final = 2000
"""Of a value in the table; downloads have all of it."""

_TOO_SLOW: Final = (
    f"PostgreSQL gave it up after {SECONDS:.0f} seconds; a condition on the time makes most "
    "questions quick, and `relayscope sql --timeout` allows more"
)


async def sql(request: Request) -> Response:
    """Show the editor, and what the address asks."""
    page: Page = request.app.state.page
    statement = request.query_params.get("sql", "").strip()
    found, wrong, status = None, "", 200
    is_asked = bool(statement) and not _is_from_elsewhere(request)
    if is_asked:
        try:
            found = await _ask(page, statement, value_loaders.as_text, _SHOWN)
        except ReadingError as refused:
            wrong = _TOO_SLOW if isinstance(refused, StatementTooSlow) else reason_of(refused)
            status = status_of(refused)
    return await page.render(
        request,
        "sql.html",
        status=status,
        statement=statement,
        is_asked=is_asked,
        found=found,
        wrong=wrong,
        plot=sql_result.plot(found) if found else None,
        questions=questions(),
        shown=_SHOWN,
        characters=_CHARACTERS,
    )


async def download_csv(request: Request) -> Response:
    """Answer with the rows as CSV."""
    found = await _download(request, value_loaders.as_text)
    body = await asyncio.to_thread(_csv, found)
    return _file(body, "text/csv; charset=utf-8", "csv")


async def download_json(request: Request) -> Response:
    """Answer with the rows as a list of objects, in the forms of `relayscope sql --json`."""
    found = await _download(request, value_loaders.as_json)
    body = await asyncio.to_thread(_json, found)
    return _file(body, "application/json", "json")


async def _download(request: Request, values: Callable[[AdaptersMap], None]) -> Rows:
    """Read all rows of what the address asks.

    Raises:
        CrossSite: Another site's page links here.
        WrongAsk: It asks nothing, or for too much.
    """
    statement = request.query_params.get("sql", "").strip()
    if _is_from_elsewhere(request):
        raise CrossSite("another site's page asks this; open /sql to see the statement first")
    if not statement:
        raise WrongAsk("the address has no statement: sql=...")
    found = await _ask(request.app.state.page, statement, values, _DOWNLOADED)
    if found.has_more:
        raise WrongAsk(
            f"there are more than {_DOWNLOADED:,} rows; ask for fewer, or use `relayscope sql`, "
            "which passes them on as they come"
        )
    return found


async def _ask(
    page: Page, statement: str, values: Callable[[AdaptersMap], None], most: int
) -> Rows:
    if "\0" in statement:
        raise WrongAsk("the statement has a character that PostgreSQL does not take")
    asking = partial(sql_result.read, statement=statement, values=values, most=most)
    return await page.reader.run(asking, seconds=SECONDS)


def _is_from_elsewhere(request: Request) -> bool:
    """Return whether another site's page may link here. Such a statement is shown, and not run.

    Who had to log in first comes from our own form, and from wherever a link to that was.
    """
    site = request.headers.get("sec-fetch-site", "none")
    is_by_log_in = urlsplit(request.headers.get("referer", "")).path == "/login"
    return site not in {"none", "same-origin"} or is_by_log_in


def _csv(found: Rows) -> bytes:
    text = "".join(f"{line}\r\n" for line in sql_result.csv(found))
    return text.encode("utf-8", "replace")


def _json(found: Rows) -> bytes:
    return orjson.dumps(sql_result.objects(found), default=str)


def _file(body: bytes, media_type: str, ending: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="relayscope.{ending}"'}
    return Response(body, headers=headers, media_type=media_type)


views = (
    View("/sql", "SQL", sql),
    View("/sql.csv", "", download_csv),
    View("/sql.json", "", download_json),
    View("/api/sql", "", download_json),
)
