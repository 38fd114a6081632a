"""Four roles, each with the rights that it needs and nothing else (`grants.sql`)."""

from datetime import timedelta
from importlib.resources import files
from typing import Final, NamedTuple

from psycopg.sql import SQL, Composable, Identifier, Literal
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from relayscope.storage.errors import NotPermitted, StorageUnavailable

# One maker at a time, as for migrations: two who change the same role at once fail on each other.
_LOCK: Final = text("select pg_advisory_xact_lock(hashtextextended('relayscope.migrate', 0))")
_EXISTS: Final = text("select exists (select from pg_catalog.pg_roles where rolname = :name)")
_CREATE: Final = {
    "owner": SQL("create role {} nologin"),
    "writer": SQL("create role {} login"),
    "reader": SQL("create role {} login"),
    "retention": SQL("create role {} login"),
}
_IS_SUPERUSER: Final = text("select rolsuper from pg_catalog.pg_roles where rolname = current_user")
_DATABASE: Final = text("select current_database()")
_USER: Final = text("select current_user")
_KNOWN: Final = text("select name from relayscope_store.role where kind = :kind")
# Who had the work before, as the reader that migrations make, has no more business in here.
_REVOKE: Final = (
    SQL("revoke all on all tables in schema relayscope, relayscope_store from {}"),
    SQL("revoke all on all functions in schema relayscope, relayscope_store from {}"),
    SQL("revoke all on schema relayscope, relayscope_store from {}"),
)
_REMEMBER: Final = text(
    "insert into relayscope_store.role values (:kind, :name)"
    " on conflict (kind) do update set name = excluded.name"
)
# Against mistakes: a session may set these otherwise. `end_long_reads` is against malice.
_HABITS: Final = (
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "60s"),
    ("idle_in_transaction_session_timeout", "10min"),
    ("idle_session_timeout", "1h"),
    ("work_mem", "64MB"),
)
# No session may set this otherwise, and only a superuser may set it for a role.
_LIMITS: Final = (("temp_file_limit", "4GB"),)
_REVOKE_LARGE_OBJECTS: Final = tuple(
    SQL("revoke execute on function pg_catalog.{} from public").format(SQL(function))
    for function in (
        "lo_creat(integer)",
        "lo_create(oid)",
        "lo_from_bytea(oid, bytea)",
        "lo_open(oid, integer)",
        "lo_put(oid, bigint, bytea)",
        "lowrite(integer, bytea)",
    )
)
_MOST_READERS: Final = 32
"""Connections of the reader: the page's pool, a terminal or two, a dashboard."""

_END_LONG_READS: Final = text("select relayscope_store.end_long_reads(:longest)")
_READERS: Final = (
    "select rolname from pg_catalog.pg_roles"
    " join pg_catalog.pg_database on datname = current_database()"
    " join pg_catalog.pg_class on relname = 'logs'"
    " join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace and nspname = 'relayscope'"
    " where rolcanlogin and not rolsuper"
    " and not pg_has_role(pg_roles.oid, relowner, 'member')"
    " and has_table_privilege(pg_roles.oid, pg_class.oid, 'select')"
)
# Settings of a role in a database count before those of the role, the database and the server.
_UNBOUNDED_READERS: Final = text(
    _READERS + " and coalesce((select split_part(setting, '=', 2)"  # noqa: S608  # Our own text.
    " from pg_catalog.pg_db_role_setting cross join unnest(setconfig) as setting"
    " where setrole in (0, pg_roles.oid) and setdatabase in (0, pg_database.oid)"
    " and starts_with(setting, 'temp_file_limit=')"
    " order by setrole <> 0 desc, setdatabase <> 0 desc limit 1),"
    " current_setting('temp_file_limit')) = '-1'"
    " order by rolname"
)
_LARGE_OBJECT_MAKERS: Final = text(
    _READERS + " and has_function_privilege(pg_roles.oid, 'pg_catalog.lo_create(oid)', 'execute')"
    " order by rolname"
)
INSUFFICIENT_PRIVILEGE: Final = "42501"


class Roles(NamedTuple):
    """The names of the roles of one database.

    Roles belong to the whole server. Whoever keeps records of several tenants apart gives each its
    own database, and roles of its own by another prefix.
    """

    owner: str
    writer: str
    reader: str
    retention: str

    @classmethod
    def of(cls, prefix: str) -> "Roles":
        """Return the names that begin with this."""
        return cls(*(f"{prefix}_{kind}" for kind in cls._fields))


def init_roles(engine: Engine, roles: Roles) -> None:
    """Make the roles, give everything to the owner, and let the others do what is theirs.

    Safe to repeat. The roles that log in have no password until somebody gives them one.

    Args:
        engine: Of a migrated database, as a user who may make roles.
        roles: Their names.

    Raises:
        NotPermitted: This user may not make roles.
        StorageUnavailable: The database cannot be reached, or refuses.
    """
    try:
        with engine.begin() as connection:
            connection.execute(_LOCK)
            for kind, name in roles._asdict().items():
                if not connection.scalar(_EXISTS, {"name": name}):
                    _run(connection, _CREATE[kind].format(Identifier(name)))
                before = connection.scalar(_KNOWN, {"kind": kind})
                if before not in {None, name} and connection.scalar(_EXISTS, {"name": before}):
                    for statement in _REVOKE:
                        _run(connection, statement.format(Identifier(str(before))))
                connection.execute(_REMEMBER, {"kind": kind, "name": name})
            database = Identifier(str(connection.scalar(_DATABASE)))
            _settle(connection, roles, database)
            # Who is given a schema needs the right to make one, and no longer than for that.
            owner = Identifier(roles.owner)
            _run(connection, SQL("grant create on database {} to {}").format(database, owner))
            grant(connection)
            _run(connection, SQL("revoke create on database {} from {}").format(database, owner))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise NotPermitted(
                f"Making roles needs a user who may (CREATEROLE): {error.orig}"
            ) from error
        raise StorageUnavailable(f"The roles cannot be made: {error.orig}") from error


def end_long_reads(engine: Engine, longest: timedelta) -> int:
    """End the sessions of readers whose statement, or idle transaction, has lasted for too long.

    Args:
        engine: As the writer, or the owner of the tables.
        longest: For how long they may.

    Returns:
        The number of ended sessions.

    Raises:
        DBAPIError: This user may not, the owner is no member of the reader (which `init_roles`
            makes it), or the database cannot be reached.
    """
    with engine.connect() as connection:
        return connection.scalar(_END_LONG_READS, {"longest": longest}) or 0


def unbounded_readers(engine: Engine) -> list[str]:
    """Return the users that may read records here and fill the disk with temporary files.

    Only a superuser can bound those of a role, so `init_roles` as somebody else leaves it undone.
    Superusers and whoever has the owner's rights are not counted.

    Raises:
        DBAPIError: The database cannot be reached.
    """
    with engine.connect() as connection:
        return list(connection.scalars(_UNBOUNDED_READERS))


def large_object_makers(engine: Engine) -> list[str]:
    """Return the users that may read records here and fill the disk with large objects.

    Only a superuser can take PostgreSQL's own functions away, so `init_roles` as somebody else
    leaves it undone. Superusers and whoever has the owner's rights are not counted.

    Raises:
        DBAPIError: The database cannot be reached.
    """
    with engine.connect() as connection:
        return list(connection.scalars(_LARGE_OBJECT_MAKERS))


def grant(connection: Connection) -> None:
    """Let each role that there is do what is its own in tables and views as they are now."""
    statements = files("relayscope.storage").joinpath("grants.sql").read_text(encoding="utf-8")
    # The driver takes a lone % for a parameter.
    connection.exec_driver_sql(statements.replace("%", "%%"))


def _settle(connection: Connection, roles: Roles, database: Identifier) -> None:
    owner = Identifier(roles.owner)
    _run(connection, SQL("grant {} to {}").format(owner, Identifier(roles.retention)))
    # Who ends a reader's sessions must be a member; all that it reads is the owner's.
    _run(connection, SQL("grant {} to {}").format(Identifier(roles.reader), owner))
    if not connection.scalar(_IS_SUPERUSER):
        # Else this user could not hand over what it has made.
        user = Identifier(str(connection.scalar(_USER)))
        _run(connection, SQL("grant {} to {}").format(owner, user))
    _bound(connection, roles, database)


def _bound(connection: Connection, roles: Roles, database: Identifier) -> None:
    """Bound what a reader may take of disk, memory and time."""
    name = Identifier(roles.reader)
    settings: tuple[tuple[str, str], ...] = _HABITS
    if connection.scalar(_IS_SUPERUSER):
        settings += _LIMITS
        for statement in _REVOKE_LARGE_OBJECTS:
            _run(connection, statement)
    for setting, value in settings:
        _run(
            connection,
            SQL("alter role {} in database {} set {} = {}").format(
                name, database, Identifier(setting), Literal(value)
            ),
        )
    _run(connection, SQL("alter role {} connection limit {}").format(name, Literal(_MOST_READERS)))
    # Temporary tables are files without a limit, which a session may make in spite of its habits.
    _run(connection, SQL("revoke temporary on database {} from public").format(database))
    # Sealing makes some.
    owner = Identifier(roles.owner)
    _run(connection, SQL("grant temporary on database {} to {}").format(database, owner))


def _run(connection: Connection, statement: Composable) -> None:
    connection.exec_driver_sql(statement.as_string(None).replace("%", "%%"))
