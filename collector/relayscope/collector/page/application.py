"""The application: the views put together, behind what guards them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from relayscope.collector.errors import CollectorError, RequestRefused, WrongHost
from relayscope.collector.page.errors import LogInNeeded, NotShown, PageError
from relayscope.collector.page.explanation import reason_of, status_of
from relayscope.collector.page.page import Page
from relayscope.collector.page.reader import Reader
from relayscope.collector.page.security import Guard, log_in_address
from relayscope.collector.page.sessions import Sessions
from relayscope.collector.receive.access import Access
from relayscope.collector.receive.head import Head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from starlette.requests import Request

    from relayscope.collector.page.view import View
    from relayscope.collector.serve.worker_config import PageConfig

_logger = logging.getLogger(__name__)

STATIC: Final = Path(__file__).parent / "static"

_MODULES: Final = (
    "now",
    "problems",
    "lists",
    "live",
    "compare",
    "cost",
    "pipeline",
    "levels",
    "sql",
    "setup",
    "api",
    "log_in",
    "trace",
)
"""The modules with views; the navigation has their views in this order."""


def make_page(config: PageConfig) -> Starlette:
    """Return the application that shows what is stored."""
    settings = config.settings
    if settings.page is None:
        raise ValueError("there is no address for a page")
    access = Access(settings.tokens)
    sessions = Sessions(access)
    views = [
        view
        for module in _MODULES
        for view in import_module(f"relayscope.collector.page.{module}").views
    ]
    reader = Reader(config.database_urls)
    page = Page(reader, settings, access, sessions, views)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        reader.close()

    def refuse(request: Request, error: CollectorError) -> Response:
        return _explain(page, request, error)

    hosts = settings.http_hosts if settings.page.is_loopback or settings.http_hosts else None
    app = Starlette(
        routes=[
            *(_route(page, view) for view in views),
            Mount("/static", _Static(directory=STATIC)),
        ],
        middleware=[
            Middleware(Guard, access=access, sessions=sessions, refuse=refuse),
            Middleware(Head, hosts=hosts, refuse=_plainly),
        ],
        exception_handlers={
            CollectorError: _answering(page),
            HTTPException: _answering(page),
            Exception: _answering(page),
        },
        lifespan=lifespan,
    )
    app.state.page = page
    return app


class _Static(StaticFiles):
    """Files of ours; a browser asks whether its own are the newest."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on
        response.headers["cache-control"] = "no-cache"
        return response


def _route(page: Page, view: View) -> Route:
    async def look(request: Request) -> Response:
        await page.know_components()
        return await view.handler(request)

    async def answer(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return await view.handler(request)
        return await _unless_gone(request, look(request))

    return Route(view.path, answer, methods=list(view.methods))


async def _unless_gone(request: Request, answer: Coroutine[Any, Any, Response]) -> Response:
    """Answer as long as somebody waits: who closes a tab does not leave a question running."""
    answering = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            return PlainTextResponse("nobody waits for this any more\n", 499)
        return answering.result()
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.wait({answering, leaving})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _answering(page: Page) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            kind = NotShown("there is no such page") if error.status_code == 404 else None  # noqa: PLR2004  # HTTP's own
            return _explain(page, request, kind or PageError(error.detail))
        if isinstance(error, CollectorError):
            return _explain(page, request, error)
        _logger.error("page failed", exc_info=error, extra={"path": request.url.path})
        return _explain(page, request, PageError("relayscope failed here; its log says where"), 500)

    return answer


def _explain(
    page: Page, request: Request, error: CollectorError, status: int | None = None
) -> Response:
    """Say why there is nothing to see, as a page or, under `/api/`, as JSON."""
    if isinstance(error, LogInNeeded) and _is_looked_at(request):
        return RedirectResponse(log_in_address(request), 303)
    if status is None:
        status = status_of(error)
    if not _is_looked_at(request):
        return page.json({"error": reason_of(error)}, status)
    may_pass = status == HTTPStatus.SERVICE_UNAVAILABLE and request.method == "GET"
    return page.rendered(
        request, "error.html", status=status, reason=reason_of(error), may_pass=may_pass
    )


def _is_looked_at(request: Request) -> bool:
    return not request.url.path.startswith("/api/")


def _plainly(_request: Request, refused: RequestRefused) -> Response:
    """Say little to who asks for a name that is not ours."""
    advice = "; add it to http_hosts if it leads here" if isinstance(refused, WrongHost) else ""
    return PlainTextResponse(f"{refused}{advice}\n", status_of(refused))
