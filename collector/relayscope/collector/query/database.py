"""The database to read from: one read-only transaction, as a role that can only read."""

from __future__ import annotations

import shlex
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import errors
from psycopg.sql import SQL, Identifier

from relayscope import storage
from relayscope.collector.query.errors import (
    DatabaseAway,
    DatabaseMissing,
    StatementRefused,
)
from relayscope.collector.query.queries import query
from relayscope.storage import (
    EmbeddedServer,
    NoDatabase,
    StorageError,
    connect_embedded,
    is_embedded,
    make_backend_nice,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from relayscope.collector.config.settings import Settings

LONGEST_SECONDS: Final = 600.0
"""Upper bound of a statement; `maintenance/housekeeping.py` ends those that last longer."""

_READER: Final = "relayscope_reader"
"""A role of ours that may read what relayscope stores, and nothing else."""

_DENIED: Final = "permission denied for schema relayscope"
_WHO_MAY: Final = (
    "HINT:  this user may not read what is stored here; give the URL of one who may, as "
    "--database-url or as page_database_url in the settings (`relayscope db init` makes "
    "relayscope_reader)"
)

_READERS: Final[tuple[LiteralString, ...]] = (_READER, "pg_read_all_data")
"""Roles to become: the first that exists and that the user may be."""


@contextmanager
def reading(settings: Settings, *, timeout: float) -> Iterator[psycopg.Connection[Any]]:
    """Connect to where `relayscope serve` stores, for one READ ONLY transaction.

    What keeps a statement from writing, one behind the other: the role has SELECT and nothing else,
    so no files and no programs of the server either (a READ ONLY transaction alone allows `copy …
    to program`); the transaction is READ ONLY; it is rolled back at the end.

    In the embedded server that role is who logs in, if it exists. Elsewhere it is taken on by `set
    role`: a statement made for it can take it off again, and is then held by the transaction alone.
    Give a `database_url` of a user who may only read where that matters.

    Args:
        settings: name the database; an embedded server that does not run is started for as long as
            this is open.
        timeout: seconds that a statement may take, `LONGEST_SECONDS` at most; 0 for as long.

    Raises:
        DatabaseMissing: nothing was ever stored there, this user may not read it, or it cannot be
            reached.
    """
    with _urls(settings) as urls, closing(connect_reader(urls)) as connection:
        again(connection, timeout=timeout)
        with explained(connection):
            yield connection


@contextmanager
def explained(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Say who may read, where the user of the connection may not: what is there seems not to be.

    Raises:
        ReadingError: As it was raised inside, in more words.
    """
    try:
        yield
    except (StatementRefused, DatabaseMissing) as error:
        with suppress(psycopg.Error):
            connection.rollback()
            if not _may_read(connection):
                said = _DENIED if isinstance(error, DatabaseMissing) else str(error)
                raise type(error)(f"{said}\n{_WHO_MAY}") from None
        raise


def connect_reader(urls: Sequence[str]) -> psycopg.Connection[Any]:
    """Connect for transactions that can only read; each begins with `again`.

    Args:
        urls: URLs to try, in order; the first that lets us in is used.

    Raises:
        DatabaseMissing: None does.
    """
    connection = _connect(urls)
    # Statements are planned for what they are given: a filter that is not given costs nothing.
    connection.prepare_threshold = None
    connection.autocommit = True
    _become_reader(connection)
    make_backend_nice(connection)
    connection.autocommit = False
    connection.read_only = True
    return connection


def reader_urls(url: str) -> tuple[str, ...]:
    """Return the URLs for reading in an embedded server, the best first."""
    return urlsplit(url)._replace(netloc=f"{_READER}@").geturl(), url


def again(connection: psycopg.Connection[Any], *, timeout: float) -> None:
    """Begin another transaction, for whoever looks for a long time: an open one holds up others.

    Args:
        connection: as `reading` gives it.
        timeout: as for `reading`.
    """
    connection.rollback()
    seconds = min(timeout or LONGEST_SECONDS, LONGEST_SECONDS)
    connection.execute(
        query("settings_of_reader"), {"statement_timeout": f"{max(1, round(seconds * 1000))}ms"}
    )


def of_demo(settings: Settings) -> str:
    """Say where the demo's data is, if it is beside what these settings lead to."""
    folder = settings.data_dir / "demo"
    if settings.database_url is not None or not (folder / "postgresql").exists():
        return ""
    return f"; what `relayscope demo` showed is in --data-dir {shlex.quote(str(folder))}"


@contextmanager
def _urls(settings: Settings) -> Iterator[Sequence[str]]:
    """Yield the URLs to connect to, the best first; the server runs while this is open."""
    if settings.database_url is not None:
        # That of who stores may be of a user who may not read.
        yield [(settings.page_database_url or settings.database_url).get_secret_value()]
        return
    try:
        server = EmbeddedServer.join(settings.data_dir)
    except NoDatabase:
        raise DatabaseMissing(
            f"nothing is stored in {settings.data_dir}: start `relayscope serve`, or say where the "
            f"data is with --data-dir or --database-url{of_demo(settings)}"
        ) from None
    except StorageError as error:
        raise DatabaseMissing(str(error)) from None
    with server:
        yield reader_urls(server.url)


def _connect(urls: Sequence[str]) -> psycopg.Connection[Any]:
    *others, last = urls
    for url in others:
        with suppress(psycopg.OperationalError):
            return _detached(url)
    try:
        return _detached(last)
    except ValueError as error:
        raise DatabaseMissing(str(error)) from None
    except psycopg.OperationalError as error:
        raise DatabaseAway(f"cannot connect to PostgreSQL: {error}") from None


def _detached(url: str) -> psycopg.Connection[Any]:
    """Connect with the defaults of our engines, to a connection that belongs to no pool."""
    if is_embedded(url):
        return connect_embedded(url)
    pooled = storage.create_engine(url).raw_connection()
    connection = pooled.driver_connection
    pooled.detach()
    if not isinstance(connection, psycopg.Connection):
        raise TypeError("the engine's driver is not psycopg")
    return connection


def _may_read(connection: psycopg.Connection[Any]) -> bool:
    return connection.execute(query("may_read")).fetchone() == (True,)


def _become_reader(connection: psycopg.Connection[Any]) -> None:
    for role in _READERS:
        try:
            connection.execute(SQL("set role {}").format(Identifier(role)))
        except (errors.InsufficientPrivilege, errors.InvalidParameterValue):
            continue
        if _may_read(connection):
            return
        # It is of another database of this server.
        connection.execute("reset role")
