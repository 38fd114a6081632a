"""Log-ins: a token for a cookie, kept in memory, for half a day."""

from __future__ import annotations

import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

from relayscope.collector.errors import PermissionDenied

if TYPE_CHECKING:
    from relayscope.collector.receive.access import Access

SECONDS: Final = 12 * 3600.0
"""Seconds that a session lasts, used or not."""

_MOST: Final = 1000
"""Sessions at a time; beyond it, the oldest ends."""


@dataclass(frozen=True, slots=True)
class Session:
    """The rights of a request, and whose they are.

    Attributes:
        key: The content of its cookie; empty without one.
        name: That of the token; empty where there are none.
        may_read: True if it may see anything.
        may_change: True if it may change levels.
        ends: Time of its end, on the monotonic clock.
    """

    key: str
    name: str
    may_read: bool
    may_change: bool
    ends: float = float("inf")


EVERYBODY: Final = Session("", "", may_read=True, may_change=True)
"""The session of every request if there are no tokens."""

NOBODY: Final = Session("", "", may_read=False, may_change=False)
"""The session of a request without a log-in."""


class Sessions:
    """The sessions of one process; they end with it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._sessions: dict[str, Session] = {}
        self._secret = secrets.token_bytes(32)

    def begin(self, token: str) -> Session:
        """Give a session for a token.

        Raises:
            Unauthenticated: Nobody has it.
            PermissionDenied: It may not read.
        """
        session = self.of_token(f"Bearer {token}", secrets.token_urlsafe(32))
        while len(self._sessions) >= _MOST:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[session.key] = session
        return session

    def of_token(self, authorization: str | None, key: str = "") -> Session:
        """Return what a token may do, for one request.

        Raises:
            Unauthenticated: Nobody has it.
            PermissionDenied: It may not read.
        """
        name = self._access.check(authorization, "read")
        may_change = False
        with suppress(PermissionDenied):
            self._access.check(authorization, "admin")
            may_change = True
        return Session(key, name, True, may_change, monotonic() + SECONDS)

    def get(self, key: str) -> Session | None:
        """Return the session that a cookie names, if it has not ended."""
        session = self._sessions.get(key)
        if session is not None and session.ends < monotonic():
            del self._sessions[key]
            return None
        return session

    def end(self, session: Session) -> None:
        """Log out."""
        self._sessions.pop(session.key, None)

    def form_token(self, session: Session) -> str:
        """Return what the forms that are shown in a session carry."""
        return hmac.digest(self._secret, session.key.encode(), "sha256").hex()

    def is_token_of(self, session: Session, token: str) -> bool:
        """Return whether this is the token of a form that was shown in this session."""
        return hmac.compare_digest(self.form_token(session).encode(), token.encode())
