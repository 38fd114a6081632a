"""Errors of reading.

::

    CollectorError
    └── ReadingError             the message tells the user what to do
        ├── DatabaseMissing      there is no database here, or relayscope has not written to it
        │   └── DatabaseAway     PostgreSQL does not answer, or has ended the connection
        ├── TraceMissing         no span and no record of that trace is stored
        ├── TraceAmbiguous       several traces begin with what was given
        ├── RowMissing           the last list has no row of that number, or it leads nowhere
        ├── PeerMissing          no message of a peer or component of that name is stored
        ├── MessageMissing       no message of that id is stored, or not its text
        └── StatementRefused     PostgreSQL, or we, would not run this statement
            └── StatementTooSlow it took longer than it may
"""

from __future__ import annotations

from relayscope.collector.errors import CollectorError


class ReadingError(CollectorError):
    """Base of all errors for which nothing can be shown."""


class DatabaseMissing(ReadingError):
    """There is no database here, or relayscope has not written to it yet."""


class DatabaseAway(DatabaseMissing):
    """PostgreSQL does not answer, or has ended the connection; it may come back."""


class TraceMissing(ReadingError):
    """No span and no record of that trace is stored."""


class TraceAmbiguous(ReadingError):
    """Several traces begin with what was given."""


class RowMissing(ReadingError):
    """The last list has no row of that number, or the row leads nowhere."""


class PeerMissing(ReadingError):
    """No message of a peer or component of that name is stored."""


class MessageMissing(ReadingError):
    """No message of that id is stored, or not its text."""


class StatementRefused(ReadingError):
    """PostgreSQL, or we, would not run this statement."""


class StatementTooSlow(StatementRefused):
    """PostgreSQL gave a statement up that took longer than it may."""
