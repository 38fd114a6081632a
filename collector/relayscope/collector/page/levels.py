"""`/levels`: how much is recorded while it runs, as `relayscope level` says and sets it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from relayscope.collector.levels import LEVELS
from relayscope.collector.levels.client import Collector
from relayscope.collector.levels.level_request import LevelRequest, first_error
from relayscope.collector.page.behind import behind
from relayscope.collector.page.errors import NotAllowed, PageError
from relayscope.collector.page.view import View
from relayscope.collector.query.queries import query
from relayscope.collector.render.level_list import STATES, selected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from relayscope.collector.page.page import Page
    from relayscope.collector.page.sessions import Session

_TIMES: Final = {
    "600": "10 minutes",
    "3600": "an hour",
    "14400": "4 hours",
    "86400": "a day",
    "": "ever",
}
"""For how long, in seconds; the first is what is offered."""

_SELECTORS: Final = ("component", "peer", "method", "tool", "direction", "host_logs")


class CollectorAway(PageError):
    """The collector does not say which levels hold, or refused to change them."""

    status = 503


async def levels(request: Request) -> Response:
    """Show which rules hold, who has taken them, and a form for another one."""
    return await _show(request, {"seconds": next(iter(_TIMES))})


async def set_level(request: Request) -> Response:
    """Set a level, as the form says."""
    form = dict(request.state.form)
    asked = {
        name: value for name, value in form.items() if value and name in LevelRequest.model_fields
    }
    try:
        wish = LevelRequest.model_validate(asked)
    except ValidationError as error:
        return await _show(request, form, str(first_error(error)))
    said = wish.model_dump(exclude_none=True, exclude_defaults=True)
    await _change(request, lambda collector: collector.set(said | {"by": _by(request)}))
    return RedirectResponse("/levels", 303)


async def reset_level(request: Request) -> Response:
    """End a rule."""
    form = request.state.form
    about = {name: form[name] for name in _SELECTORS if form.get(name)} | {"by": _by(request)}
    await _change(request, lambda collector: collector.reset(about))
    return RedirectResponse("/levels", 303)


async def tell_levels(request: Request) -> Response:
    """Answer with rules and processes, as `relayscope level list --json` prints them."""
    page: Page = request.app.state.page
    return page.json(await _ask(request, Collector.list))


async def _show(request: Request, form: Mapping[str, str], wrong: str = "") -> Response:
    page: Page = request.app.state.page
    listed, changes = await asyncio.gather(
        _ask(request, Collector.list), page.reader.rows(query("level_changes"))
    )
    rules = [
        _with_times(rule) | {"about": selected(rule), "selectors": _selectors(rule)}
        for rule in listed["rules"]
    ]
    return await page.render(
        request,
        "levels.html",
        status=400 if wrong else 200,
        rules=rules,
        processes=[_with_times(one) for one in listed["processes"]],
        changes=[
            {**one, "about": selected(one | {"direction": one["direction"] or ""})}
            for one in changes
        ],
        states=STATES,
        levels=LEVELS,
        times=_TIMES,
        form=dict.fromkeys(LevelRequest.model_fields, "") | dict(form),
        statements=behind({}, "level_changes"),
        wrong=wrong,
    )


def _with_times(told: Mapping[str, Any]) -> dict[str, Any]:
    times = {
        name: datetime.fromisoformat(told[name])
        for name in ("since", "until", "last_seen")
        if told.get(name)
    }
    return {**told, **times}


def _selectors(rule: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a form that ends this rule and no other."""
    return {
        name: "true" if rule[name] is True else str(rule[name])
        for name in _SELECTORS
        if rule[name] not in ("", False)
    }


async def _change(request: Request, change: Callable[[Collector], object]) -> None:
    """Change levels, if who asks may.

    Raises:
        NotAllowed: They may not.
        CollectorAway: The collector refused, or does not answer.
    """
    if not request.state.session.may_change:
        raise NotAllowed("to change levels takes a token with the role admin; log in with one")
    await _ask(request, change)


async def _ask(request: Request, ask: Callable[[Collector], Any]) -> Any:
    """Ask the collector that this page is of: this process can only read.

    Raises:
        CollectorAway: It refused, or does not answer.
    """
    page: Page = request.app.state.page

    def asking() -> Any:
        return ask(Collector.asked_by(page.settings, request.state.session.name))

    try:
        return await asyncio.to_thread(asking)
    except ValueError as error:
        raise CollectorAway(str(error)) from None


def _by(request: Request) -> str:
    session: Session = request.state.session
    return session.name or "page"


views = (
    View("/levels", "Levels", levels),
    View("/levels/set", "", set_level, methods=("POST",)),
    View("/levels/reset", "", reset_level, methods=("POST",)),
    View("/api/levels", "", tell_levels),
)
