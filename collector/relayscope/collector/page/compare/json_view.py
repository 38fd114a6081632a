"""`/api/diff` and `/api/peers`: what differs, in the words of the commands of these names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from relayscope.collector.page.compare import messages, peers
from relayscope.collector.page.compare.sides import sides
from relayscope.collector.page.errors import NotShown
from relayscope.collector.page.interval import interval
from relayscope.collector.page.json_rows import json_rows
from relayscope.collector.page.view import View
from relayscope.collector.query.queries import query
from relayscope.collector.text.printable import one_line

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.page import Page


async def _tell_messages(request: Request) -> Response:
    page: Page = request.app.state.page
    left, right = [
        await page.reader.run(partial(messages.text, message_id=one)) for one in sides(request)
    ]
    rows = await json_rows(page.reader, query("difference"), {"a": left, "b": right})
    return page.json({"rows": rows})


async def _tell_peers(request: Request) -> Response:
    page: Page = request.app.state.page
    left, right = sides(request)
    time = interval(request.query_params, peers.USUAL)
    bound = peers.asked(left, right, request.query_params.getlist("method"), time)
    unknown = await page.reader.run(partial(peers.unknown, bound=bound))
    if unknown:
        raise NotShown(f"no message of {one_line(unknown[0])} is stored of that time")
    return page.json({"rows": await json_rows(page.reader, query("difference_of_peers"), bound)})


views = (
    View("/api/diff", "", _tell_messages),
    View("/api/peers", "", _tell_peers),
)
