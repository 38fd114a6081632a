"""The words of the page for an error, and its HTTP status."""

from __future__ import annotations

from typing import Final

from relayscope.collector.errors import (
    CollectorError,
    Malformed,
    PermissionDenied,
    Unauthenticated,
    WrongHost,
)
from relayscope.collector.page.errors import PageError
from relayscope.collector.query.errors import (
    DatabaseAway,
    DatabaseMissing,
    StatementTooSlow,
    TraceMissing,
)

_STATUS: Final[dict[type[CollectorError], int]] = {
    Malformed: 400,
    Unauthenticated: 401,
    PermissionDenied: 403,
    WrongHost: 421,
    TraceMissing: 404,
    StatementTooSlow: 503,
    DatabaseMissing: 503,
}

_AWAY: Final = (
    "PostgreSQL does not answer, so that nothing can be shown. What is sent to the collector "
    "meanwhile is kept on its disk and stored later. See that PostgreSQL runs, and that "
    "database_url in the collector's settings leads to it, or page_database_url where that is set. "
    'On the collector\'s machine, `relayscope sql "select 1"` says what is in the way.'
)
"""In place of PostgreSQL's own words: these are for who looks after it, and name its files."""


def status_of(error: CollectorError) -> int:
    """Return the status of the answer."""
    if isinstance(error, PageError):
        return error.status
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 400)


def reason_of(error: CollectorError) -> str:
    """Return what is said to who looks."""
    return _AWAY if isinstance(error, DatabaseAway) else str(error)
