"""Bounds of a reader's disk, memory and time, whatever it sets for itself."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import ProgrammingError

from relayscope.storage import create_engine, end_long_reads

if TYPE_CHECKING:
    from tests.fix_roles import Tenant

_SORT: Final = (
    "select max(wide) from (select g, repeat(md5(g::text), 30) as wide"
    " from generate_series(1, 4000000) as g order by wide, g) as sorted"
)


@pytest.fixture
def reader(tenant: Tenant) -> str:
    """The URL of one who may only read."""
    return tenant.url(tenant.roles.reader)


@pytest.mark.parametrize(
    "statement",
    [
        "set temp_file_limit = -1",
        "set session_replication_role = replica",
        "alter role current_user set temp_file_limit = -1",
        "alter role current_user connection limit -1",
        "create temporary table filled as select repeat('x', 1000) from generate_series(1, 9)",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'filled')",
        "select lo_put(1, 0, 'filled')",
        "create table filled (a int)",
        "create schema filled",
        "copy (select 1) to '/tmp/filled'",
        "copy (select 1) to program 'true'",
    ],
)
def test_a_reader_cannot_write_to_the_disk(reader: str, statement: str) -> None:
    """Also not in a transaction that it makes one for writing."""
    with psycopg.connect(reader, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises((errors.InsufficientPrivilege, errors.UndefinedObject)):
            connection.execute(statement)


def test_a_large_sort_does_not_fill_the_disk(reader: str, tenant: Tenant) -> None:
    """Files of a statement end at a limit that its session cannot lift."""
    with psycopg.connect(tenant.admin_url, autocommit=True) as admin:
        shown = admin.execute(
            "select unnest(setconfig) from pg_db_role_setting where setrole = %s::regrole",
            (tenant.roles.reader,),
        ).fetchall()
        assert ("temp_file_limit=4GB",) in shown
        admin.execute(f"alter role {tenant.roles.reader} set temp_file_limit = '1MB'")
        database = psycopg.conninfo.conninfo_to_dict(tenant.admin_url)["dbname"]
        admin.execute(
            f"alter role {tenant.roles.reader} in database {database} reset temp_file_limit"
        )
    with psycopg.connect(reader, autocommit=True) as connection:
        connection.execute("set work_mem = '64kB'")
        with pytest.raises(errors.ConfigurationLimitExceeded):
            connection.execute(
                "select g from generate_series(1, 1000000) as g order by md5(g::text)"
            )


@pytest.mark.usefixtures("embedded_limits")
def test_a_large_sort_does_not_fill_the_memory(reader: str) -> None:
    """With a work_mem beyond all bounds the statement fails, and its session goes on."""
    with psycopg.connect(reader, autocommit=True) as connection:
        connection.execute("set work_mem = '100GB'")
        connection.execute("set statement_timeout = 0")
        with pytest.raises(errors.OutOfMemory):
            connection.execute(_SORT)
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "lasting",
    [
        "select pg_sleep(600)",
        (
            "do $$ begin perform pg_sleep(600); exception when query_canceled then"
            " perform pg_sleep(600); end $$"
        ),
        "",
    ],
)
def test_nothing_that_a_reader_asks_lasts_for_ever(
    reader: str, tenant: Tenant, lasting: str
) -> None:
    """The writer ends a statement without a time limit, also one that cannot be cancelled."""
    engine = create_engine(tenant.url(tenant.roles.writer))
    ended: list[BaseException] = []

    def last() -> None:
        with psycopg.connect(reader) as connection:
            connection.execute("set statement_timeout = 0")
            connection.execute("set idle_in_transaction_session_timeout = 0")
            try:
                if lasting:
                    connection.execute(lasting)
                while True:
                    time.sleep(0.1)
                    connection.pgconn.consume_input()
            except psycopg.Error as error:
                ended.append(error)

    thread = threading.Thread(target=last)
    thread.start()
    assert end_long_reads(engine, timedelta(minutes=10)) == 0
    deadline = time.monotonic() + 60
    while end_long_reads(engine, timedelta(seconds=1)) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    thread.join(60)
    engine.dispose()
    assert len(ended) == 1
    assert isinstance(ended[0], psycopg.OperationalError)


def test_others_are_let_alone(tenant: Tenant) -> None:
    """A role that is no reader may take its time, as sealing does."""
    engine = create_engine(tenant.admin_url)
    with psycopg.connect(tenant.url(tenant.roles.retention)) as connection:
        connection.execute("select 1")
        assert end_long_reads(engine, timedelta(0)) == 0
        assert connection.execute("select 1").fetchone() == (1,)
    engine.dispose()


def test_who_cannot_see_what_readers_do_says_so(tenant: Tenant) -> None:
    """An owner that is no member of the reader ends nothing, which is an error and no silence."""
    with psycopg.connect(tenant.admin_url, autocommit=True) as admin:
        admin.execute(f"revoke {tenant.roles.reader} from {tenant.roles.owner}")
    engine = create_engine(tenant.url(tenant.roles.writer))
    with pytest.raises(ProgrammingError, match="no member of the reader"):
        end_long_reads(engine, timedelta(minutes=10))
    engine.dispose()
