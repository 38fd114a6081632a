"""Errors of the collector, and the one bit that decides about trying again.

::

    CollectorError
    ├── StartError               the collector cannot start; the message tells the user what to do
    │   └── SettingsError        a setting is unknown or wrong
    ├── ArchiveError             an archive cannot be written, or is not what was written
    └── RequestRefused           one request gets an error as its answer
        ├── Malformed            it is not what its content type says
        ├── TooLarge             it is larger than the limit, also after decompression
        ├── WrongHost            it asks for a name that is not ours (HTTP)
        ├── UnknownPath          there is no such path (HTTP)
        ├── WrongMethod          the path takes another method (HTTP)
        ├── UnsupportedMedia     its content type or encoding is not spoken here
        ├── Unauthenticated      its token is missing or unknown
        ├── PermissionDenied     its token has another role
        └── Overloaded           there is no room for it now (retryable)
            └── Unavailable      it could not be stored now (retryable)
                ├── DecodingEnded  the process that decodes it has ended (retryable)
                └── TooSlow      it did not arrive or was not stored in time (retryable)

`retryable` says whether the same request may succeed later. How each becomes a status is the
business of `status.py` alone.
"""

from __future__ import annotations

from typing import ClassVar


class CollectorError(Exception):
    """Base of everything the collector raises on purpose."""

    retryable: ClassVar[bool] = False


class StartError(CollectorError):
    """The collector cannot start."""


class ArchiveError(CollectorError):
    """An archive cannot be written, or is not what was written."""


class SettingsError(StartError):
    """A setting is unknown or wrong."""


class RequestRefused(CollectorError):
    """A request gets an error as its answer."""


class Malformed(RequestRefused):
    """The request is not what its content type says."""


class TooLarge(RequestRefused):
    """The request is larger than the limit, also after decompression."""


class WrongHost(RequestRefused):
    """The request asks for a name under which nobody is meant to reach us."""


class UnknownPath(RequestRefused):
    """There is no such path."""


class WrongMethod(RequestRefused):
    """The path takes another method."""


class UnsupportedMedia(RequestRefused):
    """The content type or the content encoding is not spoken here."""


class Unauthenticated(RequestRefused):
    """The bearer token is missing or unknown."""


class PermissionDenied(RequestRefused):
    """The bearer token is known but has another role."""


class Overloaded(RequestRefused):
    """There is no room for the request now."""

    retryable: ClassVar[bool] = True


class Unavailable(Overloaded):
    """The request could not be stored now."""


class DecodingEnded(Unavailable):
    """The process that decodes has ended in the middle of a request; another takes its place."""


class TooSlow(Unavailable):
    """The request did not arrive or was not stored in time.

    It may still be stored later; a repeat is then recognised and stored once.
    """
