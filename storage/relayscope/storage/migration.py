"""Bringing a database to this version, with Alembic."""

import re
from typing import Final

from psycopg import OperationalError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from relayscope.storage.errors import (
    DatabaseTooNew,
    DatabaseTooOld,
    DatabaseUnreleased,
    NotPermitted,
    StorageUnavailable,
)
from relayscope.storage.first_tables import fingerprint
from relayscope.storage.roles import INSUFFICIENT_PRIVILEGE, grant

HEAD: Final = "v0001"
"""The newest revision in `migrations/versions`, whose numbers grow."""

_UNRELEASED: Final = re.compile(r"[0-9]{4}")
"""Revisions from before 0.1.0, which no release knows."""

_WHAT_TO_DO: Final = (
    "This database was made by a relayscope from before 0.1.0, whose tables no release reads."
    " To keep what is sealed, write it to files with that relayscope (`relayscope archive`)."
    " Then give this one an empty database: another one, or this one without the schemas relayscope"
    " and relayscope_store; of the embedded PostgreSQL, move the folder `postgresql` out of the"
    " data folder. `relayscope restore` puts back what was archived."
)

_NOT_A_ROLE: Final = (
    "This user may not use what relayscope has stored in this database: give the URL of one who"
    " may. `relayscope db init` makes relayscope_writer for `relayscope serve`, and"
    " relayscope_retention for what seals and removes"
)

_TAKEN: Final = ("too many clients", "too many connections", "remaining connection slots")
"""PostgreSQL's words for its own limit, and for those of a role and of a database."""

_NO_CONNECTION: Final = (
    "; end what holds its connections (pg_stat_activity tells), or allow more: max_connections in"
    " postgresql.conf, or `alter role` or `alter database` with `connection limit`"
)

_LOCK: Final = text("select pg_advisory_xact_lock(hashtextextended('relayscope.migrate', 0))")
# Not to_regclass: that may remember, from before we waited for the lock, that there is none.
_HAS_REVISION: Final = text(
    "select exists (select from pg_catalog.pg_tables"
    " where schemaname = 'relayscope_store' and tablename = 'alembic_version')"
)
_REVISION: Final = text("select version_num from relayscope_store.alembic_version")
_FINGERPRINT: Final = text(
    "select coalesce(obj_description('relayscope_store'::regnamespace, 'pg_namespace'), '')"
)
_SCHEMA: Final = text("create schema if not exists relayscope_store")


def migrate(engine: Engine) -> None:
    """Bring the database's tables and views to what this version needs.

    Safe to call from several processes at once, and cheap when there is nothing to do. All steps
    are one transaction.

    Args:
        engine: An engine whose user may create schemas and tables; if there is nothing to do, the
            writer's role will do.

    Raises:
        DatabaseTooNew: A newer relayscope has migrated it already.
        DatabaseTooOld: There is something to do, and the engine's user may not.
        DatabaseUnreleased: It was made before the first release, and is left as it is.
        NotPermitted: The engine's user has nothing to do with its tables.
        StorageUnavailable: The database cannot be reached, or refuses.
    """
    try:
        with engine.begin() as connection:
            # Before anything is looked at: two that start together must not both find it empty.
            connection.execute(_LOCK)
            if _known_revision(connection) < HEAD:
                _upgrade(connection)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise DatabaseTooOld(
                "The database has not the tables of this version, and this user may not make them:"
                f" run `relayscope db init` as one who may ({error.orig})"
            ) from error
        raise StorageUnavailable(_unavailable(error)) from error


def check_migrated(engine: Engine) -> None:
    """Refuse a database whose tables are of another version, before anything in it is changed.

    Raises:
        DatabaseTooNew: A newer relayscope has migrated it.
        DatabaseTooOld: It has to be migrated first.
        DatabaseUnreleased: It was made before the first release.
        NotPermitted: The engine's user has nothing to do with its tables.
        StorageUnavailable: The database cannot be reached, or refuses.
    """
    try:
        with engine.connect() as connection:
            if _known_revision(connection) < HEAD:
                raise DatabaseTooOld(
                    "The database has not the tables of this version: `relayscope serve` makes "
                    "them when it starts, or `relayscope db init`"
                )
    except DBAPIError as error:
        raise StorageUnavailable(_unavailable(error)) from error


def _known_revision(connection: Connection) -> str:
    """Return the revision of the database, or nothing; refuse one that is not known here."""
    revision = _revision(connection)
    if revision > HEAD:
        raise DatabaseTooNew("The database was migrated by a newer relayscope; update this one")
    if _UNRELEASED.fullmatch(revision) or (
        revision and connection.scalar(_FINGERPRINT) != fingerprint()
    ):
        raise DatabaseUnreleased(_WHAT_TO_DO)
    return revision


def _unavailable(error: DBAPIError) -> str:
    if isinstance(error.orig, OperationalError) and not error.orig.sqlstate:
        # Before PostgreSQL has let us in: no code comes with it, and its words say why.
        said = f"cannot connect to PostgreSQL: {error.orig}"
        return said + (_NO_CONNECTION if any(words in said for words in _TAKEN) else "")
    return f"The database cannot be migrated: {error.orig}"


def _revision(connection: Connection) -> str:
    """Return the revision of the database, or nothing."""
    if not connection.scalar(_HAS_REVISION):
        return ""
    try:
        return str(connection.scalar(_REVISION) or "")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise NotPermitted(_NOT_A_ROLE) from error
        raise


def _upgrade(connection: Connection) -> None:
    # Not at the top: they take longer to import, 0.2 s, than all of `migrate` when there
    # is nothing to do, which is almost always.
    from alembic import command  # noqa: PLC0415  # see above
    from alembic.config import Config  # noqa: PLC0415  # see above

    connection.execute(_SCHEMA)
    config = Config()
    config.set_main_option("script_location", "relayscope.storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    grant(connection)
