"""A look at the head of an HTTP request, before its path counts.

A page in a developer's browser can reach a port on loopback through a name of its own that it lets
lead there (DNS rebinding); the browser then says that name in `Host`. So on loopback only its own
names are let in, addresses, and names that were set. A request with two lengths (RFC 9112, 6.1) may
be two requests to somebody between.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.requests import Request

from relayscope.collector.errors import Malformed, RequestRefused, WrongHost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

_LOOPBACK: Final = "localhost"


class Head:
    """The application, behind a look at each request's head."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str] | None,
        refuse: Callable[[Request, RequestRefused], Response],
    ) -> None:
        """Put it before an application.

        Args:
            app: Gets the requests that may pass.
            hosts: Names besides loopback's that requests may ask for; None if any will do.
            refuse: Makes the answer to a request that may not pass.
        """
        self._app = app
        self._hosts = None if hosts is None else {name.lower() for name in hosts}
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do it."""
        if scope["type"] == "http":
            request = Request(scope)
            wrong = self._wrong(request)
            if wrong is not None:
                response = self._refuse(request, wrong)
                # Nothing of its body is read, so nothing may follow it.
                response.headers["connection"] = "close"
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _wrong(self, request: Request) -> RequestRefused | None:
        headers = request.headers
        if "content-length" in headers and "transfer-encoding" in headers:
            return Malformed("content-length and transfer-encoding exclude each other")
        host = headers.get("host")
        if self._hosts is None or host is None or self._is_known(host):
            return None
        return WrongHost(
            "this name is not known here; add it to RELAYSCOPE_HTTP_HOSTS if it leads here"
        )

    def _is_known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name == _LOOPBACK or name.endswith(f".{_LOOPBACK}") or name in (self._hosts or ()):
            return True
        try:
            # No name, so nobody can let it lead elsewhere.
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
