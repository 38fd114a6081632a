"""Errors between a record and its table.

::

    StorageError
     ├── StorageUnavailable     the database is away or slow: try again later   (retryable)
     │    └── StorageFull       its disk has no room left   (retryable)
     ├── DatabaseTooNew         a newer relayscope has migrated it
     ├── DatabaseTooOld         it has to be migrated, and this user may not
     ├── DatabaseUnreleased     it is from before the first release
     ├── NotPermitted           this user may not use the tables, or make roles
     ├── TooManyRules           so many rules about levels hold that no more may
     └── EmbeddedServerError    the embedded PostgreSQL cannot be used
          ├── NoDatabase        nothing was ever stored in this folder
          └── ServerDidNotStart PostgreSQL said no; the message ends with its own words

A row that PostgreSQL refuses is not an error of ``write``: its neighbours are stored, and it is
counted in its batch's `WriteOutcome`.
"""

from typing import ClassVar


class StorageError(Exception):
    """Something between a record and its table went wrong."""

    retryable: ClassVar[bool] = False


class StorageUnavailable(StorageError):
    """The database cannot store this now; the same write may succeed later."""

    retryable: ClassVar[bool] = True


class StorageFull(StorageUnavailable):
    """The disk of the database has no room left; the same write may succeed once it has."""


class DatabaseTooNew(StorageError):
    """A newer relayscope has migrated the database; this one does not know its tables."""


class DatabaseTooOld(StorageError):
    """The database has to be migrated, by a user who may."""


class DatabaseUnreleased(StorageError):
    """The database was made before the first release; what to do is in the message."""


class NotPermitted(StorageError):
    """The user of the database URL may not do this."""


class TooManyRules(StorageError):
    """So many rules about levels hold that no more may."""


class EmbeddedServerError(StorageError):
    """The embedded PostgreSQL cannot be used."""


class NoDatabase(EmbeddedServerError):
    """Nothing was ever stored in this folder."""


class ServerDidNotStart(EmbeddedServerError):
    """The embedded PostgreSQL did not start."""
