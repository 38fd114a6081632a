"""A database with the four roles, gone when the test is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Connection, make_url, text

from relayscope.storage import Roles, create_engine, init_roles
from tests.fix_postgres import fresh_database

_NUMBERS = count(1)
_PASSWORD = "lives-as-long-as-a-test"


@dataclass(frozen=True)
class Tenant:
    """A migrated database and the roles of its own."""

    admin_url: str
    roles: Roles

    def url(self, role: str) -> str:
        """The URL with which a role logs in."""
        url = make_url(self.admin_url).set(username=role, password=_PASSWORD)
        return url.render_as_string(hide_password=False)


@contextmanager
def _tenant(database_url: str) -> Iterator[Tenant]:
    tenant = Tenant(database_url, Roles.of(f"rs_{os.getpid()}_{next(_NUMBERS)}"))
    engine = create_engine(database_url)
    init_roles(engine, tenant.roles)
    engine.dispose()
    with psycopg.connect(database_url, autocommit=True) as connection:
        for role in tenant.roles[1:]:
            connection.execute(
                SQL("alter role {} password {}").format(Identifier(role), Literal(_PASSWORD))
            )
        try:
            yield tenant
        finally:
            for role in (*tenant.roles[1:], tenant.roles.owner):
                name = Identifier(role)
                connection.execute(SQL("reassign owned by {} to current_user").format(name))
                connection.execute(SQL("drop owned by {} cascade").format(name))
                connection.execute(SQL("drop role {}").format(name))


@pytest.fixture
def tenant(database_url: str) -> Iterator[Tenant]:
    """A database of one tenant."""
    with _tenant(database_url) as one:
        yield one


@pytest.fixture
def other_tenant(_server: Connection, server_url: str, _template: str) -> Iterator[Tenant]:
    """A database of another tenant, on the same server."""
    with fresh_database(_server, server_url, _template) as url, _tenant(url) as other:
        yield other


@pytest.fixture
def administrator_url(_server: Connection, server_url: str) -> Iterator[str]:
    """An empty database of a user who may make roles and is no superuser; with it go its roles."""
    name = f"rs_{os.getpid()}_{next(_NUMBERS)}_admin"
    _server.exec_driver_sql(f"create role {name} login createrole password '{_PASSWORD}'")
    _server.exec_driver_sql(f"create database {name} owner {name}")
    url = make_url(server_url).set(username=name, password=_PASSWORD, database=name)
    ours = text("select rolname from pg_roles where starts_with(rolname, :prefix)")
    prefix = {"prefix": f"rs_{os.getpid()}_"}
    before = set(_server.execute(ours, prefix).scalars())
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        _server.exec_driver_sql(f"drop database {name} with (force)")
        made = set(_server.execute(ours, prefix).scalars()) - before
        for role in (*made, name):
            _server.exec_driver_sql(f"drop role {role}")
