"""Logging in with a token, and out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse, Response

from relayscope.collector.errors import PermissionDenied, RequestRefused
from relayscope.collector.page.security import cookie_of, local_path
from relayscope.collector.page.sessions import SECONDS
from relayscope.collector.page.view import View

if TYPE_CHECKING:
    from starlette.requests import Request

    from relayscope.collector.page.page import Page

_logger = logging.getLogger(__name__)

_SAME_SITE: Final = "lax"
"""A browser sends the cookie with a link that is followed from another site, which shows something,
and with nothing else that another site has it send. What changes something is no link."""


async def log_in(request: Request) -> Response:
    """Show the form, or take it."""
    page: Page = request.app.state.page
    target = local_path(request.state.form.get("next") or request.query_params.get("next", "/"))
    if request.method == "GET":
        if request.state.session.may_read:
            return RedirectResponse(target, 303)
        return await page.render(request, "log_in.html", next=target, wrong="")
    try:
        session = page.sessions.begin(request.state.form.get("token", "").strip())
    except RequestRefused as refused:
        peer = request.client.host if request.client else ""
        _logger.warning("log-in refused", extra={"peer": peer, "reason": type(refused).__name__})
        wrong = (
            "this token may only send records; one with the role read or admin is needed"
            if isinstance(refused, PermissionDenied)
            else "nobody has this token"
        )
        return await page.render(request, "log_in.html", status=403, next=target, wrong=wrong)
    response = RedirectResponse(target, 303)
    response.set_cookie(
        cookie_of(request),
        session.key,
        max_age=int(SECONDS),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite=_SAME_SITE,
    )
    return response


async def log_out(request: Request) -> Response:
    """End the session."""
    page: Page = request.app.state.page
    page.sessions.end(request.state.session)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(cookie_of(request), httponly=True, samesite=_SAME_SITE)
    return response


views = (
    View("/login", "", log_in, methods=("GET", "POST")),
    View("/logout", "", log_out, methods=("POST",)),
)
