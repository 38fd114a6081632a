"""A real PostgreSQL for the tests, and a migrated database of its own for each that asks."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, make_url

from relayscope.storage import EmbeddedServer, create_engine, migrate

_CONFIGURED: Final = "RELAYSCOPE_TEST_DATABASE_URL"

# Several test runs may share one server.
_NAME: Final = f"relayscope_test_{os.getpid()}"
_NUMBERS: Final = count(1)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of a PostgreSQL: an embedded one, or one whose user may make databases."""
    if configured := os.environ.get(_CONFIGURED):
        yield configured
        return
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
    ):
        _take_no_care(server.url)
        yield server.url


def _take_no_care(url: str) -> None:
    """Let a crash cost a server what it has: what is killed has a cluster of its own."""
    engine = create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.exec_driver_sql(f"alter system set {setting} = off")
        connection.exec_driver_sql("select pg_reload_conf()")
    engine.dispose()


@pytest.fixture
def embedded_limits() -> None:
    """Leave a test out that is about what an embedded server limits."""
    if os.environ.get(_CONFIGURED):
        pytest.skip("only an embedded server limits the memory of its processes")


@pytest.fixture(scope="session")
def _server(server_url: str) -> Iterator[Connection]:
    engine = create_engine(server_url)
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")
    engine.dispose()


@pytest.fixture(scope="session")
def _template(_server: Connection, server_url: str) -> Iterator[str]:
    """A migrated database, for the others to be copies of."""
    with fresh_database(_server, server_url, "template1") as url:
        engine = create_engine(url)
        migrate(engine)
        engine.dispose()
        yield str(make_url(url).database)


@pytest.fixture
def database_url(_server: Connection, server_url: str, _template: str) -> Iterator[str]:
    """A fresh, migrated database."""
    with fresh_database(_server, server_url, _template) as url:
        yield url


@pytest.fixture
def empty_database_url(_server: Connection, server_url: str) -> Iterator[str]:
    """A fresh database without anything in it."""
    with fresh_database(_server, server_url, "template1") as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine for the fresh, migrated database."""
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def make_database(server: Connection, name: str, template: str) -> None:
    """Make a database from a template by copying its files, which nobody changes meanwhile.

    By its log, as PostgreSQL does unless it is told, a database took 0.23 s of a processor; so it
    takes 0.04 s, with a checkpoint that writes little and waits for no disk (`_take_no_care`).
    """
    server.exec_driver_sql(f"create database {name} template {template} strategy file_copy")


@contextmanager
def fresh_database(server: Connection, server_url: str, template: str) -> Iterator[str]:
    """Make a database from a template; it goes when the test ends."""
    name = f"{_NAME}_{next(_NUMBERS)}"
    make_database(server, name, template)
    server.exec_driver_sql(f"alter database {name} set search_path = relayscope, public")
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    server.exec_driver_sql(f"drop database {name} with (force)")
