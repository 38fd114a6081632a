"""Bringing a database to this version, with Alembic."""

from typing import Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from relayscope.storage.errors import DatabaseTooNew, DatabaseTooOld, StorageUnavailable
from relayscope.storage.roles import INSUFFICIENT_PRIVILEGE, grant

HEAD: Final = "0013"
"""The newest revision in `migrations/versions`, whose numbers grow."""

_LOCK: Final = text("select pg_advisory_xact_lock(hashtextextended('relayscope.migrate', 0))")
# Not to_regclass: that may remember, from before we waited for the lock, that there is none.
_HAS_REVISION: Final = text(
    "select exists (select from pg_catalog.pg_tables"
    " where schemaname = 'relayscope_store' and tablename = 'alembic_version')"
)
_REVISION: Final = text("select version_num from relayscope_store.alembic_version")
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
        StorageUnavailable: The database cannot be reached, or refuses.
    """
    try:
        with engine.begin() as connection:
            # Before anything is looked at: two that start together must not both find it empty.
            connection.execute(_LOCK)
            revision = _revision(connection)
            if revision > HEAD:
                raise DatabaseTooNew(
                    "The database was migrated by a newer relayscope; update this one"
                )
            if revision < HEAD:
                _upgrade(connection)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise DatabaseTooOld(
                "The database has not the tables of this version, and this user may not make them:"
                f" run `relayscope db init` as one who may ({error.orig})"
            ) from error
        raise StorageUnavailable(f"The database cannot be migrated: {error.orig}") from error


def _revision(connection: Connection) -> str:
    """Return the revision of the database, or nothing."""
    if not connection.scalar(_HAS_REVISION):
        return ""
    return str(connection.scalar(_REVISION) or "")


def _upgrade(connection: Connection) -> None:
    # Not at the top (PLC0415): they take longer to import, 0.2 s, than all of `migrate` when there
    # is nothing to do, which is almost always.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    connection.execute(_SCHEMA)
    config = Config()
    config.set_main_option("script_location", "relayscope.storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    grant(connection)
