"""Bounds that readers lack: only a superuser can set them, who may not have been asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from relayscope.storage import large_object_makers, unbounded_readers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

_TEMPORARY_FILES: Final = (
    "a reader's statements may fill the disk of the database: its role has no temp_file_limit; "
    "run `relayscope db init` as a superuser, or have one say "
    "`alter role ROLE set temp_file_limit = '4GB'`"
)
_LARGE_OBJECTS: Final = (
    "a reader may fill the disk of the database with large objects, which PostgreSQL lets "
    "everybody make; run `relayscope db init` as a superuser, who can forbid it"
)


class MissingBound(NamedTuple):
    """Something that a reader may do to the disk.

    Attributes:
        role: The reader's.
        warning: What it may do, and who can change that.
    """

    role: str
    warning: str


def missing_bounds(engine: Engine) -> Iterator[MissingBound]:
    """Yield what readers may do to the disk of the database.

    Raises:
        SQLAlchemyError: The database cannot be reached.
    """
    for role in unbounded_readers(engine):
        yield MissingBound(role, _TEMPORARY_FILES)
    for role in large_object_makers(engine):
        yield MissingBound(role, _LARGE_OBJECTS)
