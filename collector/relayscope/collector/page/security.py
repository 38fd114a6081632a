"""Guards of the page: for whom it is, and what a browser may do with it.

Any page in a developer's browser can send requests to a port on loopback. What keeps it out:

- a name in `Host` that is not ours is refused (`receive/head.py`), so no other name can be let lead
  here (DNS rebinding);
- what another site's page has a browser send is refused, but for a link that is followed: a browser
  says so in `Sec-Fetch-Site`, and in `Origin`;
- what changes something needs the token of a form of ours (CSRF), too;
- with tokens, whoever comes logs in, and gets a session whose cookie no script can use, and of what
  another site has a browser send only a link that is followed (`SameSite=lax`).

And whatever telemetry says, a browser runs and loads nothing for it (`Content-Security-Policy`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from relayscope.collector.config.settings import Address
from relayscope.collector.errors import CollectorError
from relayscope.collector.page.errors import CrossSite, LogInNeeded, WrongAsk
from relayscope.collector.page.sessions import EVERYBODY, NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from relayscope.collector.page.sessions import Session, Sessions
    from relayscope.collector.receive.access import Access

    Refuse = Callable[[Request, CollectorError], ASGIApp]

_COOKIE: Final = "relayscope_session"
OPEN: Final = ("/login", "/static/")
"""Paths that need no log-in."""

_SAFE: Final = ("GET", "HEAD")
_LARGEST_FORM: Final = 256 * 1024
"""Bytes: a statement of SQL is the longest that a form of ours sends."""

_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # With `no-referrer`, browsers would say that a form of ours comes from nowhere.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """The application, behind a look at where each request is from and whose it is."""

    def __init__(self, app: ASGIApp, access: Access, sessions: Sessions, refuse: Refuse) -> None:
        """Put it before an application.

        Args:
            app: Finds the session at `request.state.session`, a form at `request.state.form`.
            access: The tokens that may read.
            sessions: The sessions of those who have logged in.
            refuse: Makes the answer to a request that may not pass.
        """
        self._app = app
        self._access = access
        self._sessions = sessions
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, with headers that bind the browser."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.session = NOBODY
        request.state.form = {}
        app = self._app
        try:
            check_origin(request)
            request.state.session = self._session(request)
            if request.method not in _SAFE:
                request.state.form = await _form(request)
                self._check_token(request)
        except CollectorError as refused:
            app = self._refuse(request, refused)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await app(scope, receive, sent)

    def _session(self, request: Request) -> Session:
        """Find whose request it is.

        Raises:
            LogInNeeded: Nobody has logged in, and somebody has to.
            RequestRefused: It has a token that may not read.
        """
        authorization = request.headers.getlist("authorization")
        if self._access.is_open:
            is_here = request.client is not None and Address(request.client.host, 0).is_loopback
            return EVERYBODY if is_here else replace(EVERYBODY, may_change=False)
        if authorization:
            return self._sessions.of_token(authorization[0] if len(authorization) == 1 else None)
        session = self._sessions.get(request.cookies.get(cookie_of(request), ""))
        if session is not None:
            return session
        if request.url.path.startswith(OPEN):
            return NOBODY
        raise LogInNeeded("log in to see this")

    def _check_token(self, request: Request) -> None:
        if not self._sessions.is_token_of(
            request.state.session, str(request.state.form.pop("csrf", ""))
        ):
            raise CrossSite("this form is not of the page that you see; load it again, and repeat")


def check_origin(request: Request) -> None:
    """Let what our own pages send pass, and links to them.

    Raises:
        CrossSite: Another site's page has sent it.
    """
    headers = request.headers
    site = headers.get("sec-fetch-site", "none")
    if request.method in _SAFE:
        is_followed = (
            headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest", "document") == "document"
        )
        is_ours = site in ("same-origin", "none") or is_followed
    else:
        origin = headers.get("origin")
        is_ours = site in ("same-origin", "none") and (
            origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
        )
    if not is_ours:
        raise CrossSite("this comes from another site's page; open it by its address")


def cookie_of(request: Request) -> str:
    """Return the name of a session's cookie: browsers keep one jar for all ports of a host."""
    port = request.url.port
    return _COOKIE if port is None else f"{_COOKIE}_{port}"


def local_path(target: str) -> str:
    """Return where to go on after a log-in: a path of ours, whatever was asked for."""
    parts = urlsplit(target)
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if is_ours and target.isprintable() else "/"


def log_in_address(request: Request) -> str:
    """Return the address of the log-in that leads back to what was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?{urlencode({'next': asked})}"


async def _form(request: Request) -> dict[str, str]:
    """Read a form, as browsers send it.

    Raises:
        WrongAsk: It is none, or too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise WrongAsk("this form is too large")
    if not body:
        return {}
    if kind != "application/x-www-form-urlencoded":
        raise WrongAsk("only forms are taken here")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        raise WrongAsk("this form cannot be read") from None
