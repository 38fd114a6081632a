"""`/live`: records as they come, in a browser that asks every second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from relayscope.collector.page.list_filter import ListFilter
from relayscope.collector.page.list_rows import SECONDS, bound_of, find, statement
from relayscope.collector.page.lists import narrowing, statements
from relayscope.collector.page.view import View
from relayscope.collector.query.filters import FILTERS
from relayscope.collector.query.list_kind import RECORDS
from relayscope.collector.query.lookback import LATEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from relayscope.collector.page.page import Page

_KIND: Final = RECORDS._replace(
    filters=tuple(name for name in RECORDS.filters if name not in {"since", "until"})
)
"""Records as they come, which no time can be asked for."""

LATE: Final = timedelta(seconds=30)
"""Records are told by their own time, and arrive when their process has sent them: a second later,
as a rule. How much later they are still shown is how much is looked at each time."""

MOST: Final = 200
"""Records of one look: what is on a screen or two; the page says when there were more."""

_CHARACTERS: Final = 400


async def live(request: Request) -> Response:
    """Show the newest records, and go on."""
    page: Page = request.app.state.page
    asked = ListFilter.read(_KIND, request.query_params.multi_items())
    found = await find(page.reader, asked)
    return await page.render(
        request,
        "live.html",
        kind=_KIND,
        asked=asked,
        rows=_with_keys(found.rows),
        narrowed=narrowing(asked, "/live"),
        definitions=FILTERS,
        most=MOST,
        statements=statements(asked, found),
    )


async def live_rows(request: Request) -> Response:
    """Answer with rows of what has come within the last seconds; 304 if those are known."""
    page: Page = request.app.state.page
    asked = ListFilter.read(_KIND, request.query_params.multi_items())
    bound = await bound_of(page.reader, asked) | {"characters": _CHARACTERS, "most": MOST}
    window = {"since": datetime.now(UTC) - LATE, "until": LATEST}
    found = await page.reader.rows(statement(asked, bound), bound | window, seconds=SECONDS)
    rows = _with_keys(found)
    tag = f'"{_digest([row["key"] for row in rows])}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    response = await page.render(
        request, "live_rows.html", rows=rows, narrowed=narrowing(asked, "/live")
    )
    response.headers["etag"] = tag
    return response


def _with_keys(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each with what tells it from all others."""
    return [{**row, "key": _digest(row)} for row in rows]


def _digest(value: object) -> str:
    return blake2b(repr(value).encode("utf-8", "replace"), digest_size=12).hexdigest()


views = (
    View("/live", "Live", live),
    View("/live/rows", "", live_rows),
)
