"""One trace: `/trace/ID`, as a ladder, a waterfall, or a log, and what is chosen of it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from relayscope.collector.page.behind import Statement, written
from relayscope.collector.page.errors import NotShown
from relayscope.collector.page.trace import words
from relayscope.collector.page.trace.address import KINDS, LANES, VIEWS, Address
from relayscope.collector.page.trace.chosen import chosen, text_of
from relayscope.collector.page.trace.ladder import distance, ladder, parties
from relayscope.collector.page.trace.log import log
from relayscope.collector.page.trace.log_markup import log_markup
from relayscope.collector.page.trace.picture import LIMIT, look, statements
from relayscope.collector.page.trace.waterfall import waterfall
from relayscope.collector.page.trace.waterfall_markup import waterfall_markup
from relayscope.collector.page.view import View
from relayscope.collector.query import trace_id as trace_ids
from relayscope.collector.query.errors import TraceMissing
from relayscope.collector.query.records import Message
from relayscope.collector.query.trace_tree import Node
from relayscope.collector.query.traces import load
from relayscope.collector.render.labels import count
from relayscope.collector.render.trace_json import trace_json
from relayscope.collector.text.quantities import duration_text
from relayscope.collector.text.times import date_of

if TYPE_CHECKING:
    import psycopg
    from starlette.requests import Request

    from relayscope.collector.page.page import Page
    from relayscope.collector.page.trace.chosen import Chosen
    from relayscope.collector.page.trace.picture import Picture
    from relayscope.collector.page.trace.scale import Scale

_BEGINNING: Final = re.compile(r"[0-9a-f]{6,32}")


async def _show(request: Request) -> Response:
    page: Page = request.app.state.page
    address = Address.of(request.query_params)
    trace_id = _whole(request.path_params["trace_id"])
    if trace_id is None:
        return await _by_beginning(request)
    whole = request.query_params.get("text") == "whole"
    values = await page.reader.run(partial(_values, trace_id, address, whole=whole))
    return await page.render(request, "trace.html", colour=page.colours.of, **values)


async def _choose(request: Request) -> Response:
    """The part of the page about what is chosen, for `trace.js`."""
    page: Page = request.app.state.page
    address = Address.of(request.query_params)
    trace_id = _given(request)
    whole = request.query_params.get("text") == "whole"
    values = await page.reader.run(partial(_chosen, trace_id, address, whole=whole))
    return await page.render(request, "trace_chosen.html", address=address, **values)


async def _json(request: Request) -> Response:
    trace_id = _given(request)
    text = await request.app.state.page.reader.run(partial(_text, trace_id))
    return Response(text, media_type="application/json")


def _text(trace_id: UUID, connection: psycopg.Connection[Any]) -> str:
    return trace_json(load(connection, trace_id, limit=LIMIT))


async def _said(request: Request) -> Response:
    """All of a text and nothing else, to be copied: the page writes out what cannot be seen."""
    address = Address.of(request.query_params)
    asking = partial(_said_of, _given(request), address)
    text = await request.app.state.page.reader.run(asking)
    if text is None:
        raise NotShown("this trace has nothing of that name that says something")
    return PlainTextResponse(text)


def _said_of(trace_id: UUID, address: Address, connection: psycopg.Connection[Any]) -> str | None:
    return text_of(connection, look(connection, trace_id, address), address.at)


async def _by_beginning(request: Request) -> Response:
    given = request.path_params["trace_id"].lower()
    if not _BEGINNING.fullmatch(given):
        raise TraceMissing("a trace has an id of 32 hex digits; its first six may do")
    ids = trace_ids.parse_trace_id(given)
    found = await request.app.state.page.reader.run(partial(trace_ids.find, ids=ids))
    return RedirectResponse(request.url.replace(path=f"/trace/{found.hex}"), 307)


views = (
    View("/trace/{trace_id}", "", _show),
    View("/trace/{trace_id}/chosen", "", _choose),
    View("/trace/{trace_id}/json", "", _json),
    View("/trace/{trace_id}/text", "", _said),
)


def _whole(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _given(request: Request) -> UUID:
    found = _whole(request.path_params["trace_id"])
    if found is None:
        raise TraceMissing("a trace has an id of 32 hex digits")
    return found


def _values(
    trace_id: UUID, address: Address, connection: psycopg.Connection[Any], *, whole: bool
) -> dict[str, Any]:
    """Return the template's values; runs in the reader's thread."""
    picture = look(connection, trace_id, address)
    facts = picture.facts
    if (part := picture.part) is not None:
        # Links keep to the part, wherever in it is what they choose.
        address = replace(address, first=part.first)
    root = next((node.span for node in picture.places.nodes if node.span is not None), None)
    previous_found, next_found = _beside(picture.found, picture, address.at)
    values = {
        "address": address,
        "base": address.choosing,
        "began": date_of(picture.scale.zero),
        "extent": duration_text(picture.scale.extent),
        "facts": facts,
        "counts": _counts(picture),
        "findings": _findings(picture),
        "found": frozenset(picture.found),
        "kinds": KINDS,
        "limit": LIMIT,
        "next_found": next_found,
        "opened": address.reset != address.to() and not address.find,
        "picture": picture,
        "previous_found": previous_found,
        "short_id": trace_ids.short(trace_id.hex),
        "statements": statements(trace_id),
        "title": words.short(root.name) if root else "Trace without spans",
        "trace_id": trace_id.hex,
        "views": VIEWS,
        "widths": LANES,
    }
    return values | _drawn(picture, address) | _about(connection, picture, address, whole=whole)


def _drawn(picture: Picture, address: Address) -> dict[str, Any]:
    if address.view == "ladder":
        everybody = parties(picture.exchange, address.order)
        shown = [party for party in everybody if party.key not in address.hide]
        apart = distance(address.lanes, len(shown))
        drawing = ladder(picture.steps, shown, picture.scale, apart=apart)
        return {
            "drawing": drawing,
            "everybody": everybody,
            "moved": partial(_moved, tuple(party.key for party in everybody)),
        }
    scale = _scale(picture, address)
    rows = list(waterfall(picture.places, picture.shown, scale))
    if address.view == "log":
        return {"markup": partial(log_markup, log(rows), address)}
    return {
        "is_zoomed": scale.is_zoomed,
        "markup": partial(waterfall_markup, rows, scale, address),
        "stretch": scale.stretch,
        "ticks": scale.ticks(),
    }


def _scale(picture: Picture, address: Address) -> Scale:
    """The scale of a waterfall: that of a span or a time where the address has one."""
    if address.view != "waterfall":
        return picture.scale
    if address.stretch is not None:
        return picture.scale.between(*address.stretch)
    zoomed = picture.places.items.get(address.zoom)
    return picture.scale.zoomed(zoomed.span) if isinstance(zoomed, Node) else picture.scale


def _chosen(
    trace_id: UUID, address: Address, connection: psycopg.Connection[Any], *, whole: bool
) -> dict[str, Any]:
    return _about(connection, look(connection, trace_id, address), address, whole=whole)


def _about(
    connection: psycopg.Connection[Any], picture: Picture, address: Address, *, whole: bool
) -> dict[str, Any]:
    about = chosen(connection, picture, address.at, whole=whole) if address.at else None
    return {
        "chosen": about,
        "about_chosen": [] if about is None else [_behind(picture, about)],
        "text_at": f"/trace/{picture.trace.trace_id.hex}/text",
    }


def _behind(picture: Picture, about: Chosen) -> Statement:
    trace_id = picture.trace.trace_id
    if about.what == "message":
        text = written(
            "select * from relayscope.messages\n"
            "where trace_id = %(trace_id)s and message_id = %(name)s",
            {"trace_id": trace_id, "name": about.name},
        )
    else:
        node = picture.places.node(picture.places.items[about.name])
        text = written(
            "select * from relayscope.trace(%(trace_id)s)\nwhere span_id = %(span_id)s",
            {"trace_id": trace_id, "span_id": node.span_id if node is not None else ""},
        )
    return Statement(f"this {about.what}", text)


def _moved(keys: tuple[str, ...], place: int, by: int) -> tuple[str, ...]:
    order = list(keys)
    order.insert(place + by, order.pop(place))
    return tuple(order)


def _beside(found: tuple[str, ...], picture: Picture, at: str) -> tuple[str, str]:
    """Return the findings before and behind the chosen item, around the ends."""
    if not found:
        return "", ""
    order = {name: place for place, name in enumerate(picture.places.items)}
    here = order.get(at, -1)
    before = [name for name in found if order[name] < here]
    behind = [name for name in found if order[name] > here]
    return (before or found)[-1], (behind or found)[0]


def _counts(picture: Picture) -> list[str]:
    facts, part = picture.facts, picture.part
    messages = facts.messages if part is None else part.messages
    counts = [count(len(facts.spans), "span"), count(messages, "message")]
    if logs := (len(facts.records) if part is None else part.records) - messages:
        counts.append(count(logs, "log record"))
    return counts


def _findings(picture: Picture) -> list[tuple[str, str]]:
    """Return what a reader in a hurry should look for, and how bad that is."""
    facts, trace = picture.facts, picture.trace
    odd = facts.odd if picture.part is None else picture.part.odd
    findings = []
    if facts.failed:
        findings.append((f"{count(facts.failed, 'span')} failed", "bad"))
    if odd:
        findings.append((count(odd, "odd message"), "odd"))
    messages = sum(isinstance(stray, Message) for stray in trace.strays)
    if messages:
        findings.append((f"beside this trace: {count(messages, 'odd message')}", "odd"))
    if closed := len(trace.strays) - messages:
        findings.append((f"beside this trace: {count(closed, 'connection')} broke off", "odd"))
    if facts.missing and not trace.more_spans:
        findings.append((f"{count(facts.missing, 'span')} not recorded", "odd"))
    if trace.more_spans:
        findings.append((f"more than {LIMIT:,} spans: only the first are shown", "odd"))
    return findings
