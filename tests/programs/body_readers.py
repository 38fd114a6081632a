"""Middlewares that read a request's body before the application does, as gateways have them.

They log it, authorize by it, or limit it, and hand it on.
"""

from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response


class RequestReader(BaseHTTPMiddleware):
    """Reads the body in Starlette's own kind of middleware."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Read the body."""
        await request.body()
        return await call_next(request)


class EventReader:
    """Reads the body in a middleware that is an ASGI application."""

    def __init__(self, app: Any) -> None:
        self._application = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read all events of a request's body, and give them to the application in one."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        body, more = b"", True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        read = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Any:
            return read.pop() if read else await receive()

        await self._application(dict(scope), replay, send)


READERS: Final[dict[str, list[Any]]] = {
    "none": [],
    "request": [RequestReader],
    "events": [EventReader],
}


def read_bodies(application: Starlette, readers: str = "request") -> None:
    """Put middlewares before an application."""
    for reader in READERS[readers]:
        application.add_middleware(reader)
