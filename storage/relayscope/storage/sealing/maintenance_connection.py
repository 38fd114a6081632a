"""A connection for maintenance: the advisory lock that it holds keeps others from sealing."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Final, cast

from psycopg import Connection, Error
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine

from relayscope.storage.niceness import make_backend_nice
from relayscope.storage.sealing.segment import Segment

_LOCK: Final = "select pg_try_advisory_lock(hashtextextended('relayscope.sealing', 0))"
_UNLOCK: Final = "select pg_advisory_unlock(hashtextextended('relayscope.sealing', 0))"
_OWNER: Final = (
    "select rolname, rolname = current_user from pg_class join pg_roles on pg_roles.oid = relowner"
    " where pg_class.oid = 'relayscope_store.log'::regclass"
)


@contextmanager
def maintenance_connection(engine: Engine) -> Iterator[Connection[Any] | None]:
    """Open the one connection that may change what is sealed; None if another has it.

    Segments that another has left unfinished are removed before.
    """
    pooled = engine.raw_connection()
    connection = cast("Connection[Any]", pooled.driver_connection)
    pooled.detach()
    with closing(connection):
        connection.autocommit = True
        _become_owner(connection)
        locked = connection.execute(_LOCK).fetchone()
        if locked is None or not locked[0]:
            yield None
        else:
            try:
                make_backend_nice(connection)
                remove_unfinished(connection)
                yield connection
            finally:
                # PostgreSQL notices only after a while that a connection is closed, and whoever
                # comes next would find its lock taken.
                with suppress(Error):
                    connection.execute(_UNLOCK)


def _become_owner(connection: Connection[Any]) -> None:
    """Become the owner of the tables: a partition must have the owner of its table."""
    ((owner, is_ours),) = connection.execute(_OWNER).fetchall()
    if not is_ours:
        connection.execute(SQL("set role {}").format(Identifier(owner)))


def remove_unfinished(connection: Connection[Any]) -> None:
    """Remove segments whose builder has died."""
    for segment in Segment.all(connection, "building"):
        with connection.transaction():
            segment.drop(connection)
