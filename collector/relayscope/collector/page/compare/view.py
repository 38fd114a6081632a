"""`/compare`: two messages, two peers, two traces."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from relayscope.collector.page.behind import behind
from relayscope.collector.page.compare import messages, peers
from relayscope.collector.page.compare.alignment import aligned
from relayscope.collector.page.compare.ladders import ladders
from relayscope.collector.page.compare.sides import sides
from relayscope.collector.page.errors import WrongAsk
from relayscope.collector.page.interval import CHOICES, interval
from relayscope.collector.page.trace.address import Address
from relayscope.collector.page.trace.json_text import laid_out
from relayscope.collector.page.trace.picture import look, statements
from relayscope.collector.page.view import View
from relayscope.collector.query import trace_id as trace_ids
from relayscope.collector.text.printable import one_line
from relayscope.collector.text.quantities import duration_text

if TYPE_CHECKING:
    import psycopg
    from starlette.requests import Request
    from starlette.responses import Response

    from relayscope.collector.page.page import Page
    from relayscope.collector.page.trace.picture import Picture

_MOST_CHARACTERS = 60_000


async def _choose(request: Request) -> Response:
    page: Page = request.app.state.page
    time = interval(request.query_params, peers.USUAL)
    known = await page.reader.run(partial(peers.names, time=time))
    return await page.render(
        request,
        "compare.html",
        given=request.query_params.get("with", ""),
        interval=time,
        known=known,
        statements=behind({"since": time.since, "until": time.until}, "known"),
    )


async def _messages(request: Request) -> Response:
    page: Page = request.app.state.page
    left, right = sides(request)
    found = await page.reader.run(partial(messages.compared, left=left, right=right))
    return await page.render(request, "compare_messages.html", found=found, laid_out=_shown)


async def _peers(request: Request) -> Response:
    page: Page = request.app.state.page
    left, right = sides(request)
    time = interval(request.query_params, peers.USUAL)
    method = request.query_params.get("method", "")
    ask = partial(peers.compared, left=left, right=right, method=method, time=time)
    found = await page.reader.run(ask)
    return await page.render(
        request,
        "compare_peers.html",
        choices=CHOICES,
        found=found,
        interval=time,
        left=left,
        method=method,
        right=right,
    )


async def _traces(request: Request) -> Response:
    page: Page = request.app.state.page
    left, right = sides(request)
    values = await page.reader.run(partial(_beside, left, right))
    return await page.render(request, "compare_traces.html", **values)


views = (
    View("/compare", "Compare", _choose),
    View("/compare/messages", "", _messages),
    View("/compare/peers", "", _peers),
    View("/compare/traces", "", _traces),
)


def _shown(text: str | None) -> list[Any]:
    return laid_out((text or "")[:_MOST_CHARACTERS])


def _beside(left: str, right: str, connection: psycopg.Connection[Any]) -> dict[str, Any]:
    one, other = (look(connection, _trace(connection, given), Address()) for given in (left, right))
    alignment = aligned(one.exchange.steps, other.exchange.steps)
    return {
        "alignment": alignment,
        "drawing": ladders(alignment, one, other),
        "same": sum(pair.is_same for pair in alignment.pairs),
        "sides": [_side(one), _side(other)],
        "statements": [
            found._replace(about=f"{found.about}, {side}")
            for side, picture in (("left", one), ("right", other))
            for found in statements(picture.trace.trace_id)
        ],
    }


def _side(picture: Picture) -> dict[str, Any]:
    root = next((node.span for node in picture.places.nodes if node.span is not None), None)
    return {
        "extent": duration_text(picture.scale.extent),
        "part": picture.part,
        "title": one_line(root.name) if root else "Trace without spans",
        "trace_id": picture.trace.trace_id.hex,
    }


def _trace(connection: psycopg.Connection[Any], given: str) -> UUID:
    """The trace of an id, or of its beginning."""
    try:
        return UUID(given)
    except ValueError:
        pass
    try:
        # Rows of the last list are those of who runs the collector.
        ids = trace_ids.parse_trace_id("" if trace_ids.is_row_number(given) else given)
    except ValueError:
        raise WrongAsk(f"{one_line(given)} is no id of a trace") from None
    return trace_ids.find(connection, ids)
