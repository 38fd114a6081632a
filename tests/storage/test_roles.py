"""Each role may do what it is for, and nothing else."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest
from psycopg import errors
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from relayscope.storage import (
    NotPermitted,
    Roles,
    Writer,
    check_migrated,
    create_engine,
    init_roles,
    migrate,
    rows,
)
from tests.storage.samples import batch, log, point, span

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from tests.fix_roles import Tenant

VIEWS = (
    "spans",
    "logs",
    "other_logs",
    "metrics",
    "messages",
    "odd_messages",
    "calls",
    "legs",
    "trace_summary",
    "components",
    "service_calls",
    "delivery",
    "level_changes",
    "collector_figures",
    "collector_history",
)

CALLS: tuple[LiteralString, ...] = (
    "trace('4bf92f3577b34da6a3ce929d0e0e4736')",
    "logs_for_trace('4bf92f3577b34da6a3ce929d0e0e4736')",
    "search('x')",
    "components()",
    "service_calls()",
    "delivery()",
    "message_diff('1', '2')",
    "compare_peers(null, 'a', 'b')",
)

NOBODYS: tuple[LiteralString, ...] = (
    "create table relayscope_store.x (a integer)",
    "create table relayscope.x (a integer)",
    "create schema x",
    "create role x",
    "create function relayscope.x() returns integer language sql return 1",
    "update relayscope_store.log set body = 'forged'",
    "delete from relayscope_store.span",
    "truncate relayscope_store.log",
    "drop table relayscope_store.log_default",
    "drop view relayscope.logs",
    "alter table relayscope_store.log detach partition relayscope_store.log_default",
    "create or replace view relayscope.odd_messages as select * from relayscope.messages",
    "insert into relayscope_store.role values ('owner', 'x')",
    "update relayscope_store.alembic_version set version_num = '9999'",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/x'",
    "select pg_read_file('/etc/passwd')",
    "alter system set work_mem = '1MB'",
)
"""Statements that neither writers nor readers may run."""

FORBIDDEN: dict[str, tuple[LiteralString, ...]] = {
    "writer": (
        *NOBODYS,
        "select * from relayscope_store.log",
        "select * from relayscope_store.resource",
        "select * from relayscope_store.log_default",
        "copy relayscope_store.log to stdout",
        "select * from relayscope.logs",
        "select * from relayscope.search('x')",
        "select relayscope_store.make_partition('log', 'request', now(), now())",
        "select relayscope_store.make_partition('request', 'request_1', now(), now())",
    ),
    "reader": (
        *NOBODYS,
        "select * from relayscope_store.log",
        "select * from relayscope_store.log_default",
        "select * from relayscope_store.resource",
        "select * from relayscope_store.request",
        "insert into relayscope_store.request (digest) values ('x')",
        "insert into relayscope_store.scope values (gen_random_uuid(), '', '', '{}', '', 0)",
        "insert into relayscope.collector_figures select * from relayscope.collector_figures",
        "delete from relayscope_store.figure",
        "delete from relayscope_store.level_rule",
        "update relayscope_store.level_in_force set level = 'TRACE'",
        "select * from relayscope_store.level_agent",
        "select * from relayscope_store.heard_lately()",
        "select relayscope_store.make_partition('log', 'log_1', now(), now())",
    ),
    "retention": (
        "create schema x",
        "create role x",
        "copy (select 1) to program 'true'",
        "select pg_read_file('/etc/passwd')",
        "alter system set work_mem = '1MB'",
        "create table public.x (a integer)",
    ),
}


@pytest.fixture
def written(tenant: Tenant) -> Tenant:
    """With a span, a record and a point in it, which the writer's role has stored."""
    engine = create_engine(tenant.url(tenant.roles.writer))
    with closing(Writer(engine)) as writer:
        (outcome,) = writer.write([batch(spans=[span()], logs=[log()], points=[point()])])
    engine.dispose()
    assert outcome.rejected == 0
    return tenant


def test_a_role_is_refused_whatever_is_not_its_own(tenant: Tenant) -> None:
    """S1: insufficient privilege (42501), not some other error, for each statement."""
    wrong = []
    for kind, statements in FORBIDDEN.items():
        role = getattr(tenant.roles, kind)
        with psycopg.connect(tenant.url(role), autocommit=True) as connection:
            # That readers are read-only is a setting; what holds is that they have no right.
            connection.execute("set default_transaction_read_only = off")
            for statement in statements:
                try:
                    connection.execute(statement)
                except errors.InsufficientPrivilege:
                    continue
                except psycopg.Error as error:
                    wrong.append((kind, statement, error.sqlstate))
                else:
                    wrong.append((kind, statement, "done"))
    assert wrong == []


def test_a_writer_stores_makes_partitions_and_forgets_requests(written: Tenant) -> None:
    """With its own rights alone; also rows that have waited in DEFAULT for their partition."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    microseconds, nanoseconds = rows.time(int(yesterday.timestamp() * 1e9))
    with psycopg.connect(written.admin_url, autocommit=True) as admin:
        admin.execute(
            "insert into relayscope_store.log select * from jsonb_populate_record("
            "(select log from relayscope_store.log limit 1), jsonb_build_object('time', %s::text))",
            (yesterday,),
        )
        engine = create_engine(written.url(written.roles.writer))
        with closing(Writer(engine)) as writer:
            row = log("late")
            writer.write([batch(logs=[(microseconds, nanoseconds, *row[2:])])])
            writer.prepare_partitions()
            assert writer.forget_requests(timedelta(0)) == 2
        engine.dispose()
        found = admin.execute(
            "select count(*), count(distinct tableoid), bool_or(tableoid ="
            " 'relayscope_store.log_default'::regclass) from relayscope_store.log"
            " where time < now() - interval '1 hour'"
        ).fetchone()
    assert found == (2, 1, False)


def test_a_reader_reads_all_of_the_contract(written: Tenant) -> None:
    """Every view and every function, as one who may write nothing."""
    with psycopg.connect(written.url(written.roles.reader)) as connection:
        for view in VIEWS:
            connection.execute(SQL("select * from relayscope.{}").format(Identifier(view)))
        for call in CALLS:
            connection.execute(SQL("select * from relayscope.{}").format(SQL(call)))
        (found,) = connection.execute("select count(*) from relayscope.spans").fetchone() or (0,)
        assert found == 1
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("create temporary table x (a integer)")


def test_retention_drops_partitions(written: Tenant) -> None:
    """Detached and gone, with the owner's rights."""
    with psycopg.connect(written.url(written.roles.retention), autocommit=True) as connection:
        name = connection.execute(
            "select max(inhrelid::regclass::text) from pg_inherits"
            " where inhparent = 'relayscope_store.log'::regclass"
            " and inhrelid <> 'relayscope_store.log_default'::regclass"
        ).fetchone()
        assert name is not None
        partition = Identifier(*name[0].split("."))
        connection.execute(
            SQL("alter table relayscope_store.log detach partition {}").format(partition)
        )
        connection.execute(SQL("drop table {}").format(partition))


def test_the_reader_of_one_tenant_sees_no_row_of_another(
    written: Tenant, other_tenant: Tenant
) -> None:
    """S2: a tenant's records are in its own database, where only its own roles have rights."""
    stranger = make_url(other_tenant.url(other_tenant.roles.reader)).set(
        database=make_url(written.admin_url).database
    )
    with psycopg.connect(stranger.render_as_string(hide_password=False), autocommit=True) as one:
        for view in VIEWS:
            with pytest.raises(errors.InsufficientPrivilege):
                one.execute(SQL("select * from relayscope.{}").format(Identifier(view)))
        for table in ("log", "span", "log_default", "resource"):
            with pytest.raises(errors.InsufficientPrivilege):
                one.execute(SQL("select * from relayscope_store.{}").format(Identifier(table)))
    with psycopg.connect(written.admin_url, autocommit=True) as admin:
        # The one that migrations make, for whom there is no other.
        admin.execute("set role relayscope_reader")
        with pytest.raises(errors.InsufficientPrivilege):
            admin.execute("select * from relayscope.logs")
    with psycopg.connect(other_tenant.url(other_tenant.roles.reader)) as own:
        assert own.execute("select * from relayscope.logs").fetchall() == []


@pytest.mark.parametrize("look", [migrate, check_migrated])
def test_a_user_without_a_role_is_not_sent_to_make_tables_that_are_there(
    tenant: Tenant, look: Callable[[Engine], None]
) -> None:
    """The message names the roles to use: `db init` has been run, and would change nothing."""
    engine = create_engine(tenant.url(tenant.roles.reader))
    with pytest.raises(NotPermitted, match="makes relayscope_writer for `relayscope serve`"):
        look(engine)
    engine.dispose()


def test_roles_can_be_made_again(tenant: Tenant) -> None:
    """After an update: nothing changes hands, nothing fails."""
    engine = create_engine(tenant.admin_url)
    init_roles(engine, tenant.roles)
    with engine.connect() as connection:
        owners = connection.exec_driver_sql(
            "select distinct relowner::regrole::text from pg_class where relnamespace in"
            " ('relayscope'::regnamespace, 'relayscope_store'::regnamespace)"
            " and relkind in ('r', 'p', 'v')"
        ).scalars()
        assert list(owners) == [tenant.roles.owner]
    engine.dispose()


def test_a_user_who_may_make_roles_need_not_be_a_superuser(
    administrator_url: str, tenant: Tenant
) -> None:
    """Of a database of its own: tables, views and roles are made, and made again."""
    engine = create_engine(administrator_url)
    roles = Roles.of(tenant.roles.owner.replace("_owner", "_b"))
    for _ in range(2):
        migrate(engine)
        init_roles(engine, roles)
    with engine.connect() as connection:
        owner = connection.exec_driver_sql(
            "select relowner::regrole::text from pg_class where oid = 'relayscope.logs'::regclass"
        ).scalar_one()
    assert owner == roles.owner
    engine.dispose()
