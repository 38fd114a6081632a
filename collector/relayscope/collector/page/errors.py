"""Errors of the page, beside those of reading.

::

    CollectorError
    └── PageError                a request gets a page that says why
        ├── NotShown             there is no such thing to show
        ├── WrongAsk             the address, or a form, says what cannot be understood
        ├── CrossSite            another site's page has sent it, or no page of ours
        ├── LogInNeeded          nobody has logged in
        └── NotAllowed           who has logged in may not
"""

from __future__ import annotations

from typing import ClassVar

from relayscope.collector.errors import CollectorError


class PageError(CollectorError):
    """A request gets a page that says why; its `status` is HTTP's."""

    status: ClassVar[int] = 400


class NotShown(PageError):
    """There is no such thing to show."""

    status: ClassVar[int] = 404


class WrongAsk(PageError):
    """The address, or a form, says what cannot be understood."""


class CrossSite(PageError):
    """Another site's page has sent it, or no page of ours."""

    status: ClassVar[int] = 403


class LogInNeeded(PageError):
    """Nobody has logged in."""

    status: ClassVar[int] = 401


class NotAllowed(PageError):
    """The role of the session may not do this."""

    status: ClassVar[int] = 403
